"""The named orders of a source, judged on its held-out moments."""

import numpy as np
import pytest

from simulations.evaluation.orders import judged


class Known:
    """Devices 8 and 9, whose moments 0 and 1 have two photos each."""

    def __init__(self, orders):
        self._orders = orders

    def orders(self, device):
        return {
            name: tuple(np.array(moment, float) for moment in by_device[device])
            for name, by_device in self._orders.items()
        }


@pytest.fixture
def held_out(held_out_of):
    """Moment 1 of device 8, and both moments of device 9: the first photo is worth 3 of 1."""
    gains = [[3, 1, -1]] * 3
    return held_out_of(gains, owners=[0, 1, 1], devices=(8, 9), numbers=[1, 0, 1])


def test_each_order_is_judged_by_its_scores_of_the_moments_that_are_held_out(held_out):
    orders = {
        "best": {8: [[0, 1], [1, 0]], 9: [[1, 0], [1, 0]]},
        "half": {8: [[1, 0], [0, 1]], 9: [[1, 0], [0, 1]]},
    }
    found = judged(Known(orders), held_out)
    # NDCG@1 with the wrong photo first is 1/3: "half" has it so on 8, and once of twice on 9.
    assert found["best"].ndcg[1] == pytest.approx([1, 1])
    assert found["half"].ndcg[1] == pytest.approx([1 / 3, 2 / 3])


def test_where_no_taste_is_known_there_is_no_order(held_out):
    assert judged(Known({}), held_out) == {}
