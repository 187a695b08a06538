"""No accelerator is needed to see that nothing is made elsewhere than where it is asked for."""

import numpy as np
import pytest
import torch

from client.accelerator import accelerator
from client.engine import Visit
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_batch import Batch
from client.training.cohort_engine import CohortEngine
from client.training.vmapped import Vmapped
from privacy.noise import SeededSource


@pytest.fixture
def elsewhere():
    """Every tensor that is made without a place is made where it cannot be used."""
    yield lambda: torch.set_default_device("meta")
    torch.set_default_device(None)


@pytest.mark.parametrize("kind", [Bookkeeping, Vmapped])
@pytest.mark.parametrize("trained", ["linear", "head", "lora", "all"])
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("trained", ["linear", "head", "lora", "all"])
def test_a_cuda_device_gives_the_updates_of_the_host(lab, trained):
    terms = lab.terms(steps=2, rate=0.5, clip=0.3, noise_multiplier=0.2)
    visits = [Visit(examples=lab.moments(trained, [3, 2, 5]), source=SeededSource(7))]
    found = []
    for place in ("cpu", "cuda"):
        engine, start = lab.engine_and_start(
            trained,
            lambda ranker, ranking, place=place: CohortEngine(
                Bookkeeping(ranker.to(place), ranking)
            ),
        )
        (trained_once,) = engine.train(start, visits, terms=terms)
        found.append(trained_once.delta)
    np.testing.assert_allclose(found[1], found[0], atol=1e-4 * np.abs(found[0]).max())


def test_auto_is_a_processor_that_is_there():
    assert accelerator("auto").type in {"cuda", "mps", "cpu"}
    assert accelerator("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_what_is_not_there_is_refused_with_what_is():
    with pytest.raises(
        ValueError, match=r"^simulation\.accelerator=cuda: .*use (mps or )?cpu\.$"
    ):
        accelerator("cuda")
