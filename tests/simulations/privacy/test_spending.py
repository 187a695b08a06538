import math

import pytest

from privacy.ledger.totals import Spent
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.sampling.poisson import PoissonSampling
from simulations.privacy.spending import RoundSpending, VisitSpending

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


def test_a_ledger_takes_the_place_of_what_was_counted_and_more_is_counted_on_top():
    spending = VisitSpending(MECHANISM, max_participations=4, claim=True)
    spending.charge([1, 1, 1, 2])
    spending.follow(Spent(charges=3, visits={1: 2, 3: 1}))
    assert spending.spent().worst == MECHANISM.epsilon(2)
    spending.charge([1])
    assert spending.spent().worst == MECHANISM.epsilon(3)


def test_what_a_crash_tore_counts_as_a_visit_of_every_device():
    spending = VisitSpending(MECHANISM, max_participations=4, claim=True)
    spending.follow(Spent(charges=3, unknown=1, visits={1: 2}))
    assert spending.spent().worst == MECHANISM.epsilon(3)
    spending.follow(Spent(charges=1, unknown=1, visits={}))
    assert spending.spent().median == MECHANISM.epsilon(1)


def test_every_charge_of_a_servers_ledger_is_a_round_also_one_more_than_the_run_has():
    spending = RoundSpending(MECHANISM, rounds=2, claim=True)
    spending.charge([])
    spending.follow(Spent(charges=3, visits={}))
    assert spending.spent().worst == MECHANISM.epsilon(3)
    assert spending.spent().ceiling == MECHANISM.epsilon(2)


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
