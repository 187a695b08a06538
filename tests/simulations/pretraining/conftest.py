"""The public moments of two devices as small photos, and sizes that train in a second."""

from dataclasses import replace

import pytest
import torch
from rankings import LIST, ranking

from ranking.encoders import Drawn
from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.settings import Ranking
from ranking.sizes import Probes
from simulations.pretraining.moments.drawn_moments import embedded_drawings
from simulations.pretraining.moments.public_moments import gather

SMALL = 16  # pixels of a side
ENCODER = Drawn(width=32, depth=1, heads=2)
READER = replace(LIST, width=16, depth=1, heads=2, hidden=16)


@pytest.fixture(scope="session")
def moments():
    return gather(side=SMALL, seed=3, devices=range(2))


@pytest.fixture(scope="session")
def little():
    """Settings of little models; ``little()`` has a transformer, and takes changes."""

    def little(**changes) -> Ranking:
        trained = changes.pop("trained", "taste")
        return ranking(trained, **({"encoder": ENCODER, "list": READER} | changes))

    return little


@pytest.fixture(scope="session")
def probes():
    """Sizes of linear read-outs for the public photos."""
    return Probes(kind="probes", own=10, scenes=8)


@pytest.fixture
def drawn(little):
    """Builds a little ranker with random weights."""

    def drawn(seed: int = 0, **changes) -> Ranker:
        return build_ranker(little(**changes), generator=torch.Generator().manual_seed(seed))

    return drawn


@pytest.fixture(scope="session")
def embedded(little):
    """The same moments as a little encoder with random weights sees them."""
    encoder = build_ranker(little(), generator=torch.Generator().manual_seed(0)).encoder
    return embedded_drawings(encoder, side=SMALL, seed=3, devices=range(2))
