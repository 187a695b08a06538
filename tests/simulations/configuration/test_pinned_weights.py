"""A run pins the weights of a file when it begins: devices accept no others."""

import dataclasses
import math

import pytest
import torch
from rankings import ranker, ranking

from protocol.rebuild import SettingError
from ranking.model.build import frozen_names, trainable_names
from ranking.parameters import flatten, frozen_digest
from ranking.weights import Origin, save_weights
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.pinned_weights import pinned

ORIGIN = Origin(seed=7, command="darkroom pretrain", ranking=ranking("all"), side=48)


@pytest.fixture
def file(tmp_path):
    """Weights of which all that are trained with ranking=linear are 0.25."""
    written = ranker("linear", seed=5)
    with torch.no_grad():
        for name, value in written.named_parameters():
            if name in trainable_names(written, "linear"):
                value.fill_(0.25)
    save_weights(written, tmp_path / "mine.safetensors", origin=ORIGIN)
    return tmp_path / "mine.safetensors", written


def named(path, *words):
    return compose(["ranking=linear", f"ranking.weights={path}", *words])


@pytest.mark.parametrize("weights", ["public", "null"])
def test_what_devices_know_themselves_is_not_pinned(weights):
    config = compose([f"ranking.weights={weights}"])
    assert pinned(config) is config


def test_of_a_file_the_digest_of_what_is_frozen_and_the_norm_of_what_is_trained_are_pinned(
    file,
):
    path, ranker = file
    config = named(path)
    frozen = frozen_names(ranker, "linear")
    found = pinned(config).ranking
    assert found.frozen_digest == frozen_digest(ranker, frozen, flatten(ranker, frozen))
    # n weights of 1/4 have the norm √n / 4.
    weights = len(flatten(ranker, trainable_names(ranker, "linear")))
    assert found.start_norm == pytest.approx(math.sqrt(weights) / 4)
    unpinned = dataclasses.replace(found, frozen_digest=None, start_norm=None)
    assert dataclasses.replace(pinned(config), ranking=unpinned) == config


def test_which_part_is_frozen_follows_from_what_is_trained(file):
    path, _ = file
    digests = {
        pinned(named(path, f"ranking={part}")).ranking.frozen_digest
        for part in ("linear", "head")
    }
    assert len(digests) == 2


def test_a_digest_that_was_agreed_must_be_that_of_the_file(file):
    path, _ = file
    digest = pinned(named(path)).ranking.frozen_digest
    agreed = named(path, f"ranking.frozen_digest={digest}")
    assert pinned(agreed) == pinned(named(path))
    with pytest.raises(
        SettingError, match=rf"^ranking\.frozen_digest=abc is not that of {path}"
    ):
        pinned(named(path, "ranking.frozen_digest=abc"))
