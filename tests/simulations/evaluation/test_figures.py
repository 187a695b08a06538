import numpy as np
import pytest

from simulations.evaluation.figures import judge, mean


def test_the_best_order_is_100_and_the_worst_is_below_random(held_out_of):
    lists = held_out_of([[3, 1, 0], [1, 3, -1]], owners=[0, 1], devices=range(2))
    assert judge(lists.expected, lists).normalised() == pytest.approx(1.0)
    assert judge(-lists.expected, lists).normalised() < 0


def test_a_random_order_is_worth_nothing(held_out_of):
    lists = held_out_of([[3, 1, 0], [1, 3, -1]], owners=[0, 1], devices=range(2))
    assert judge(np.zeros_like(lists.expected), lists).normalised() == pytest.approx(0.0)


def test_ndcg_at_1_is_worked_by_hand_and_devices_weigh_the_same(held_out_of):
    # Device 0 has two lists, each showing the gain 1 of a best 3; device 1 one perfect list.
    # NDCG@1: (1/3 + 1/3)/2 = 1/3 and 1; random: (3+1)/2/3 = 2/3 for every list.
    lists = held_out_of([[3, 1], [3, 1], [3, 1]], owners=[0, 0, 1], devices=range(2))
    figures = judge(np.array([[0.0, 1], [0, 1], [1, 0]]), lists)
    assert figures.ndcg[1] == pytest.approx([1 / 3, 1.0])
    assert figures.random[1] == pytest.approx([2 / 3, 2 / 3])
    assert figures.normalised() == pytest.approx((2 / 3 - 2 / 3) / (1 / 3))
    assert figures.best_shot == pytest.approx([0.0, 1.0])


def test_lists_without_signal_are_counted_and_a_device_without_lists_has_no_figure(held_out_of):
    lists = held_out_of([[3, 1], [1, 1]], owners=[0, 1], devices=range(3))
    figures = judge(lists.expected, lists)
    assert figures.skipped == 1
    assert np.isnan(figures.ndcg[1]).tolist() == [False, True, True]
    assert figures.normalised() == pytest.approx(1.0)


def test_the_contributions_average_to_the_figure(held_out_of):
    generator = np.random.default_rng(0)
    lists = held_out_of(
        generator.uniform(0, 3, (40, 6)), owners=np.arange(40) % 7, devices=range(8)
    )
    figures = judge(generator.normal(size=(40, 6)), lists)
    for cutoff in (1, 3, 5):
        wanted = mean(figures.ndcg[cutoff]) - mean(figures.random[cutoff])
        wanted /= 1 - mean(figures.random[cutoff])
        assert figures.normalised(cutoff) == pytest.approx(wanted)
        assert mean(figures.contributions(cutoff)) == pytest.approx(wanted)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_order_nothing_but_in_padding_they_are_nobodys(
    held_out_of, odd
):
    lists = held_out_of([[3, 1, 0], [1, 3, -1]], owners=[0, 1], devices=range(2))
    scores = lists.expected.copy()
    scores[1, 2] = odd
    judge(scores, lists)
    scores[0, 1] = odd
    with pytest.raises(ValueError, match="its scores are not finite"):
        judge(scores, lists)
