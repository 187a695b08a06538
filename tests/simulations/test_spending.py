import math

import pytest

from privacy.dpsgd import DpSgd
from privacy.sampling import PoissonSampling
from simulations.spending import Spending

MECHANISM = DpSgd(
    sampling=PoissonSampling(0.25), noise_multiplier=2.0, clip=1.0, steps=4, delta=1e-5
)


def test_nothing_is_spent_before_anyone_took_part():
    spent = Spending(MECHANISM, max_participations=4).spent()
    assert spent.worst == spent.median == 0.0
    assert spent.ceiling == MECHANISM.epsilon(4)


def test_worst_and_median_follow_from_how_often_each_took_part():
    spending = Spending(MECHANISM, max_participations=4)
    for cohort in ([1, 2, 3], [1, 2], [1]):
        spending.charge(cohort)
    spent = spending.spent()
    assert spent.worst == MECHANISM.epsilon(3)
    assert spent.median == MECHANISM.epsilon(2)
    assert spent.delta == 1e-5


def test_of_two_middle_devices_the_larger_epsilon_is_told():
    spending = Spending(MECHANISM, max_participations=4)
    spending.charge([1, 2])
    spending.charge([1])
    assert spending.spent().median == MECHANISM.epsilon(2)


def test_no_noise_is_an_infinite_epsilon():
    silent = DpSgd(
        sampling=PoissonSampling(0.25), noise_multiplier=0.0, clip=1.0, steps=4, delta=1e-5
    )
    spending = Spending(silent, max_participations=4)
    spending.charge([7])
    assert math.isinf(spending.spent().worst)
    assert spending.spent().worst == pytest.approx(math.inf)
