"""What is tried at start-up, and that it finds what it looks for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hostile_weights import attacked, clean
from rankings import ENCODER

from client.training.cohort_batch import Shape
from client.training.isolation_check import (
    NotIsolatedError,
    check_embeddings,
    check_isolation,
    same_bits,
)


class Mixing:
    """Gradients whose last bit depends on how many moments there are."""

    def __init__(self, inner):
        self._inner = inner
        self.shape, self.accelerator = inner.shape, inner.accelerator

    def of_moments(self, parameters, batch):
        found = self._inner.of_moments(parameters, batch)
        return found * (1 + 1e-6 * batch.where.shape[1])


def test_an_engine_that_mixes_moments_is_refused_with_the_way_out():
    sound = attacked("bookkeeping", "taste")
    sound.given(clean("taste"))
    given = {"engine": "bookkeeping", "size": 33, "photo": (105,)}
    check_isolation(sound.gradients, **given)
    with pytest.raises(NotIsolatedError, match="use simulation/engine=alone or another"):
        check_isolation(Mixing(sound.gradients), **given)


def test_an_accelerator_without_float64_is_refused_before_anything_is_tried():
    elsewhere = SimpleNamespace(accelerator=torch.device("mps"))
    with pytest.raises(NotIsolatedError, match=r"=mps has no float64.*accelerator=cpu\.$"):
        check_isolation(elsewhere, engine="vmap", size=64, photo=(64,))


class Noting:
    """Gradients that are all zero, and so keep their bits; notes what they are asked of."""

    accelerator = torch.device("cpu")

    def __init__(self, *, fixed):
        self.shape = Shape(devices=4, moments=3, spare=0, fixed=fixed)
        self.asked = []

    def of_moments(self, parameters, batch):
        self.asked.append((parameters, batch))
        return torch.zeros(*batch.where.shape[:2], parameters.shape[1])


@pytest.mark.parametrize(
    ("fixed", "alone", "together"), [(True, (4, 3), (4, 3)), (False, (1, 2), (4, 5))]
)
def test_moments_are_tried_alone_and_in_full_batches_of_both_lengths(fixed, alone, together):
    """Where batches are of one size, one moment has its batch filled up to that size."""
    noting = Noting(fixed=fixed)
    check_isolation(noting, engine="vmap", size=8, photo=(64,))
    shapes = [tuple(batch.where.shape) for _, batch in noting.asked]
    assert set(shapes) == {
        (*lists, length) for lists in (alone, together) for length in (6, 12)
    }
    # of ordinary and of hostile weights and of each length: together, then at three places
    assert len(shapes) == 2 * 2 * (1 + 3)


def test_ordinary_and_hostile_weights_are_tried():
    noting = Noting(fixed=False)
    check_isolation(noting, engine="vmap", size=1_000, photo=(64,))
    largest = [float(parameters.abs().max()) for parameters, _ in noting.asked]
    assert max(largest[:8]) < 2
    assert min(largest[8:]) > 100


def test_what_is_tried_has_moments_of_several_lengths_and_nothing_in_their_padding():
    noting = Noting(fixed=False)
    check_isolation(noting, engine="vmap", size=8, photo=(64,))
    for _, batch in noting.asked:
        assert not batch.inputs[~batch.where].any()
        assert not batch.gains[~batch.where].any()
    lengths = {int(n) for _, batch in noting.asked for n in batch.where.sum(-1).flatten()}
    assert len(lengths - {0}) > 5


class Encoder(torch.nn.Module):
    """The first 64 numbers of a photo, and a little of all photos of a call."""

    def __init__(self, of_others):
        super().__init__()
        self.width, self.of_others = ENCODER.width, of_others

    def forward(self, photos):
        return photos.flatten(1)[:, :64] + self.of_others * photos.mean()


def test_an_encoder_that_mixes_photos_is_refused():
    check_embeddings(Encoder(0.0), side=8)
    with pytest.raises(NotIsolatedError, match=r"embedding of a photo depends on the others"):
        check_embeddings(Encoder(1e-6), side=8)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1.0, 2], [1.0, 2], True),
        ([1.0, 2], [1.0, np.nextafter(np.float32(2), np.float32(3))], False),
        ([0.0], [-0.0], False),
        ([np.nan, 1], [-np.nan, 1], True),
        ([np.nan], [np.inf], False),
        ([np.inf], [np.inf], True),
    ],
)
def test_tensors_are_the_same_bit_by_bit_and_one_nan_is_like_another(one, other, same):
    assert same_bits(torch.tensor(one), torch.tensor(other)) is same
