"""What a file of weights says of itself: its list model's sizes, or one sentence."""

import json

import pytest
import torch
from rankings import LIST, ranker, ranking
from safetensors.torch import save_file

from protocol.rebuild import to_plain
from ranking.encoders import ENCODERS
from ranking.header import list_sizes
from ranking.weights import Origin, read_origin, save_weights


def test_the_sizes_are_those_that_were_written(tmp_path):
    path = tmp_path / "ranker.safetensors"
    origin = Origin(seed=None, command="darkroom", ranking=ranking("head"), side=48)
    save_weights(ranker("head"), path, origin=origin)
    assert list_sizes(path) == to_plain(LIST)


@pytest.mark.parametrize("kind", ENCODERS)
def test_every_kind_of_encoder_has_a_public_ranker_that_says_its_sizes(kind):
    path = ENCODERS[kind].public
    assert list_sizes(path) == to_plain(read_origin(path).ranking.list)


def test_a_file_that_is_missing_is_told_by_its_name(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.safetensors is missing: set ranking\.weights"):
        list_sizes(tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    "facts",
    [
        None,
        {},
        {"darkroom": "{"},
        {"darkroom": "[]"},
        {"darkroom": "{}"},
        {"darkroom": json.dumps({"ranking": {"list": 3}})},
        {"darkroom": json.dumps({"ranking": ["list"]})},
    ],
)
def test_a_file_of_something_else_is_told_to_be_damaged(tmp_path, facts):
    path = tmp_path / "mine.safetensors"
    save_file({"one": torch.zeros(1)}, path, metadata=facts)
    with pytest.raises(ValueError, match=r"mine\.safetensors is damaged or not written by"):
        list_sizes(path)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\xff" * 64])
def test_bytes_that_are_no_safetensors_are_told_to_be_damaged(tmp_path, content):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mine\.safetensors is damaged or not written by"):
        list_sizes(path)
