import math

import pytest

from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.sampling.poisson import PoissonSampling
from simulations.privacy.spending import VisitSpending

MECHANISM = DpSgd(
    sampling=PoissonSampling(0.25), noise_multiplier=2.0, clip=1.0, steps=4, delta=1e-5
)


def test_nothing_is_spent_before_anyone_took_part():
    spent = VisitSpending(MECHANISM, max_participations=4, claim=True).spent()
    assert spent.worst == spent.median == 0.0
    assert spent.ceiling == MECHANISM.epsilon(4)


def test_worst_and_median_follow_from_how_often_each_took_part():
    spending = VisitSpending(MECHANISM, max_participations=4, claim=True)
    for cohort in ([1, 2, 3], [1, 2], [1]):
        spending.charge(cohort)
    spent = spending.spent()
    assert spent.worst == MECHANISM.epsilon(3)
    assert spent.median == MECHANISM.epsilon(2)
    assert spent.delta == 1e-5


def test_of_two_middle_devices_the_larger_epsilon_is_reported():
    spending = VisitSpending(MECHANISM, max_participations=4, claim=True)
    spending.charge([1, 2])
    spending.charge([1])
    assert spending.spent().median == MECHANISM.epsilon(2)


def test_no_noise_is_an_infinite_epsilon():
    silent = DpSgd(
        sampling=PoissonSampling(0.25), noise_multiplier=0.0, clip=1.0, steps=4, delta=1e-5
    )
    spending = VisitSpending(silent, max_participations=4, claim=True)
    spending.charge([7])
    assert math.isinf(spending.spent().worst)
    assert spending.spent().worst == pytest.approx(math.inf)


def test_a_round_that_did_not_end_counts_as_a_visit_of_every_device():
    spending = VisitSpending(MECHANISM, max_participations=4, claim=True)
    spending.charge([1, 1, 2])

    assert spending.spent(unfinished=1).worst == MECHANISM.epsilon(3)
    assert spending.spent(unfinished=9).worst == MECHANISM.epsilon(4)


def test_a_round_that_did_not_end_is_charged_before_any_other():
    spending = VisitSpending(MECHANISM, max_participations=4, claim=True)

    assert spending.spent(unfinished=1).median == MECHANISM.epsilon(1)


def test_an_epsilon_without_bound_is_a_word_and_a_seeded_one_is_no_claim():
    silent = DpSgd(
        sampling=PoissonSampling(0.5), noise_multiplier=0.0, clip=1.0, steps=1, delta=1e-5
    )
    spending = VisitSpending(silent, max_participations=4, claim=False)
    spending.charge([1])

    assert spending.spent().plain() == {
        "worst": "infinity",
        "median": "infinity",
        "ceiling": "infinity",
        "delta": 1e-5,
        "claim": False,
    }
