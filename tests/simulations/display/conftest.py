"""A screen that is kept, and figures of given orders."""

import io

import numpy as np
import pytest
from rich.console import Console

from simulations.evaluation.figures import Figures


@pytest.fixture
def screen():
    """A console of the width of a terminal; ``screen.file.getvalue()`` is what it showed."""
    return Console(file=io.StringIO(), width=80, highlight=False)


@pytest.fixture(scope="session")
def figures_of():
    """Makes figures of each device's NDCG@1, where a random order is worth one half."""

    def figures_of(*ndcg, best_shot=0.25, loss=1.5):
        values = np.array(ndcg, float)
        half = np.full(len(values), 0.5)
        return Figures(
            ndcg=dict.fromkeys((1, 3, 5), values),
            random=dict.fromkeys((1, 3, 5), half),
            best_shot=np.full(len(values), best_shot),
            loss=np.full(len(values), loss),
            skipped=0,
        )

    return figures_of
