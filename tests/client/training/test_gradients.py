"""What computes gradients of moments, held to one moment after another by ``torch.func``."""

import numpy as np
import pytest
import torch

from client.training.bookkeeping import Bookkeeping
from client.training.cohort_batch import Batch
from client.training.vmapped import Vmapped
from ranking.settings import RANKINGS

LENGTHS = [2, 6, 3]
every_kind = pytest.mark.parametrize("kind", [Bookkeeping, Vmapped])
every_part = pytest.mark.parametrize("trained", RANKINGS)


def batch_of(*devices):
    """The moments of devices that have equally many, padded alike."""
    return Batch(
        inputs=torch.stack([own.inputs for own in devices]),
        gains=torch.stack([own.gains for own in devices]),
        where=torch.stack([own.where for own in devices]),
    )


@pytest.fixture
def two(lab):
    """Two devices with moments and parameters of their own, and the gradients to expect."""

    def made(trained, kind):
        gradients, start = lab.engine_and_start(trained, kind)
        rows = np.stack([start, start + np.float32(0.05)])
        devices = [lab.moments(trained, LENGTHS, seed=seed) for seed in (3, 4)]
        pairs = zip(rows, devices, strict=True)
        expected = np.stack([lab.gradients(trained, row, own) for row, own in pairs])
        return gradients, torch.from_numpy(rows), batch_of(*devices), expected

    return made


@every_kind
@every_part
def test_gradients_are_those_of_each_moment_alone_without_its_padding(two, kind, trained):
    gradients, rows, batch, expected = two(trained, kind)

    found = gradients.of_moments(rows, batch)

    assert found.dtype == torch.float32
    errors = np.linalg.norm(found.numpy() - expected, axis=2)
    assert errors.max() <= 2e-5 * np.linalg.norm(expected, axis=2).max()


@every_kind
@every_part
def test_clipped_gradients_are_added_to_what_the_sums_hold(two, kind, trained):
    gradients, rows, batch, expected = two(trained, kind)
    norms = np.linalg.norm(expected, axis=2, keepdims=True)
    clip = float(np.median(norms))
    total = torch.full(rows.shape, 7.0, dtype=torch.float64)

    bad = gradients.add_clipped(total, rows, batch, clip=clip)

    assert bad.tolist() == [0, 0]
    clipped = (expected * np.minimum(1, clip / norms)).sum(1)
    np.testing.assert_allclose(total.numpy() - 7, clipped, atol=1e-5)


@every_kind
@pytest.mark.parametrize("clip", [0.3, float("inf")])
def test_a_moment_that_is_not_finite_is_counted_and_the_others_are_added(two, kind, clip):
    """Also where nothing is clipped, and so no norm is asked for at first."""
    gradients, rows, batch, expected = two("head", kind)
    batch.inputs[1, 2, 0] = float("nan")
    expected[1, 2] = 0
    norms = np.linalg.norm(expected, axis=2, keepdims=True)
    total = torch.zeros(rows.shape, dtype=torch.float64)

    bad = gradients.add_clipped(total, rows, batch, clip=clip)

    assert bad.tolist() == [0, 1]
    scales = np.minimum(1, clip / np.maximum(norms, 1e-9))
    np.testing.assert_allclose(total.numpy(), (scales * expected).sum(1), atol=1e-5)


@every_kind
@pytest.mark.parametrize("clip", [0.3, float("inf")])
def test_a_moment_of_padding_adds_nothing_and_is_not_counted(two, kind, clip):
    gradients, rows, batch, expected = two("head", kind)
    for values in (batch.inputs, batch.gains, batch.where):
        values[:, 1] = 0
    others = expected[:, [0, 2]]
    norms = np.linalg.norm(others, axis=2, keepdims=True)
    total = torch.zeros(rows.shape, dtype=torch.float64)

    bad = gradients.add_clipped(total, rows, batch, clip=clip)

    assert bad.tolist() == [0, 0]
    clipped = (others * np.minimum(1, clip / norms)).sum(1)
    np.testing.assert_allclose(total.numpy(), clipped, atol=1e-5)


@every_kind
@every_part
def test_the_ranker_is_read_and_never_changed(two, kind, trained):
    gradients, rows, batch, _ = two(trained, kind)
    ranker = gradients._scorer.ranker
    before = {name: value.clone() for name, value in ranker.state_dict().items()}

    gradients.of_moments(rows, batch)
    gradients.add_clipped(torch.zeros(rows.shape).double(), rows, batch, clip=0.3)

    after = ranker.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(value.grad is None for value in ranker.parameters())


@pytest.fixture
def elsewhere():
    """Every tensor that is made without a place is made where it cannot be used."""
    yield lambda: torch.set_default_device("meta")
    torch.set_default_device(None)


@every_kind
@every_part
def test_sums_are_made_where_the_ranker_is(lab, elsewhere, kind, trained):
    engine, start = lab.engine_and_start(trained, kind)
    own = lab.moments(trained, [3, 2])
    batch = Batch(inputs=own.inputs[None], gains=own.gains[None], where=own.where[None])
    parameters = torch.tensor(np.stack([start]))
    expected = torch.zeros(parameters.shape, dtype=torch.float64)
    found = torch.zeros(parameters.shape, dtype=torch.float64)
    engine.add_clipped(expected, parameters, batch, clip=0.3)
    of_moments = engine.of_moments(parameters, batch)

    elsewhere()
    bad = engine.add_clipped(found, parameters, batch, clip=0.3)

    assert bad.tolist() == [0]
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    again = engine.of_moments(parameters, batch)
    assert again.device == engine.accelerator
    np.testing.assert_array_equal(again.numpy(), of_moments.numpy())
