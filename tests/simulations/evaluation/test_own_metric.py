"""The metric that a public set brings: per device, over its held-out lists."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from photos.library import Judgement
from simulations.evaluation.figures import judge

GAINS = [[3, 1, 0], [0, 1, -1], [1, 3, 0], [0, 3, -1]]
OWNERS = [0, 0, 1, 2]


@pytest.fixture
def judged(held_out_of):
    """Judges scores of four lists of three devices, with these judgements."""

    def judged(scores, metric, *values):
        lists = held_out_of(GAINS, owners=OWNERS, devices=(7, 8, 9))
        judgements = tuple(
            None if one is None else Judgement(metric=metric, values=np.array(one, float))
            for one in values
        )
        return judge(np.array(scores, float), replace(lists, judgements=judgements)).own

    return judged


SCORES = [[3, 2, 1], [5, 4, 9], [1, 1, 2], [0, 1, 9]]


def test_spearman_is_over_all_photos_of_a_device(judged):
    found = judged(SCORES, "Spearman", [5, 3.5, 1], [2, 4], [1, 2, 3], None)
    assert found.name == "Spearman"
    # Padding has scores too, which do not count.
    first = spearmanr([3, 2, 1, 5, 4], [5, 3.5, 1, 2, 4]).statistic
    second = spearmanr([1, 1, 2], [1, 2, 3]).statistic
    np.testing.assert_allclose(found.values, [first, second, np.nan])


def test_pairs_are_told_apart_by_the_list_that_they_are_of(judged):
    pairs = [[0, 1, 0.9], [1, 2, 0.2]], [[0, 1, 0.8]], [[0, 1, 0.9]], [[1, 0, 0.5]]
    found = judged(SCORES, "pairwise accuracy", *pairs)
    # Right, wrong, right; a tie; no majority.
    np.testing.assert_allclose(found.values, [2 / 3, 0.5, np.nan])
    assert found.scale == "0.5 is a random order, 1 every majority"


def test_lists_without_a_judgement_have_no_metric(judged, held_out_of):
    assert judged(SCORES, "", None, None, None, None) is None
    lists = held_out_of(GAINS, owners=OWNERS, devices=(7, 8, 9))
    assert judge(np.array(SCORES, float), lists).own is None
