import dataclasses
import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant
from scipy import stats

from privacy.accounting import analytic_gaussian, rdp
from privacy.accounting.noise_search import noise_multiplier
from privacy.accounting.rdp import ORDERS
from privacy.mechanisms.moments.dpsgd import DpSgd, release
from privacy.noise import SecureSource, SeededSource
from privacy.sampling.poisson import PoissonSampling
from privacy.statements.group import unsampled_epsilon
from privacy.statements.profile import deltas

MECHANISM = DpSgd(
    sampling=PoissonSampling(0.1), noise_multiplier=2.0, clip=0.5, steps=5, delta=1e-5
)
STEP = PoissonSampledDpEvent(0.1, GaussianDpEvent(2.0))


class Silent:
    """A stream of which nothing may be drawn."""

    def add_gaussian(self, values, *, deviation):
        raise AssertionError("drawn")


@pytest.mark.parametrize("participations", [1, 3])
def test_epsilon_composes_the_steps_of_every_visit(participations):
    accountant = PLDAccountant(value_discretization_interval=1e-4)
    for _ in range(participations):
        accountant.compose(SelfComposedDpEvent(STEP, 5))
    found = MECHANISM.epsilon(participations)
    assert found == pytest.approx(accountant.get_epsilon(1e-5), abs=1e-3)


@pytest.mark.parametrize("participations", [1, 3, 60])
def test_the_second_opinion_composes_the_steps_of_every_visit(participations):
    accountant = RdpAccountant([order for order in ORDERS if order < 64])
    accountant.compose(SelfComposedDpEvent(STEP, 5 * participations))
    found = MECHANISM.epsilon_rdp(participations)
    assert found == pytest.approx(accountant.get_epsilon(1e-5), abs=1e-3)


def test_sixty_visits_cost_the_golden_figures():
    # 300 steps at rate .1 and noise 2
    assert MECHANISM.epsilon(60) == pytest.approx(4.1833, abs=2e-3)
    assert MECHANISM.epsilon_rdp(60) == pytest.approx(4.5643, abs=1e-3)


WHOLE = dataclasses.replace(MECHANISM, sampling=PoissonSampling(1.0), noise_multiplier=20.0)


def unsampled(visits):
    """By hand: noise 20 over a sum that one moment moves by 1.000001 clips a step."""
    noise = 20.0 / 1.000001 / math.sqrt(5 * visits)
    return analytic_gaussian.epsilon(noise, delta=1e-5)


@pytest.mark.parametrize("visits", [1, 20])
def test_what_rounding_moves_is_accounted_by_both_accountants(visits):
    assert WHOLE.epsilon(visits) == pytest.approx(unsampled(visits), rel=1e-8)
    bare = rdp.epsilon(rate=1.0, noise_multiplier=20.0, steps=5 * visits, delta=1e-5)
    assert 5e-7 < WHOLE.epsilon_rdp(visits) / bare - 1 < 2e-6


def test_what_rounding_moves_is_in_every_figure_of_a_moment():
    """A promise that leaves no room is broken by a millionth less noise."""
    closed = analytic_gaussian.noise(2.0, delta=1e-5) * math.sqrt(40)
    exact = dataclasses.replace(WHOLE, noise_multiplier=closed, steps=40)
    assert exact.epsilon(1) > 2.0
    assert dataclasses.replace(exact, noise_multiplier=closed * 1.0000011).epsilon(1) <= 2.0
    assert unsampled_epsilon(exact, moments=2, participations=1) > analytic_gaussian.epsilon(
        closed / (2 * math.sqrt(40)), delta=1e-5
    )
    (moved,) = exact.steps_of(1).divergences((4.0,))
    assert moved == pytest.approx(40 * 4 / (2 * closed**2) * 1.000001**2, rel=1e-9)
    (leaked,) = deltas(exact, 1, epsilons=(2.0,))
    assert 1e-5 < leaked < 1.0001e-5


def test_calibrated_noise_keeps_the_promise_with_what_rounding_moves():
    noise = noise_multiplier(2.0, delta=1e-5, rate=0.1, steps=50)
    kept = dataclasses.replace(MECHANISM, noise_multiplier=noise, steps=50)
    assert 1.99 < kept.epsilon(1) <= 2.0


def test_visits_and_steps_are_interchangeable():
    longer = dataclasses.replace(MECHANISM, steps=15)
    assert MECHANISM.epsilon(6) == longer.epsilon(2)
    assert MECHANISM.epsilon_rdp(6) == longer.epsilon_rdp(2)


def test_the_clip_does_not_change_epsilon_because_the_noise_follows_it():
    assert dataclasses.replace(MECHANISM, clip=50.0).epsilon(3) == MECHANISM.epsilon(3)


def test_no_visit_costs_nothing_and_no_noise_costs_everything():
    assert MECHANISM.epsilon(0) == MECHANISM.epsilon_rdp(0) == 0
    bare = dataclasses.replace(MECHANISM, noise_multiplier=0.0)
    assert bare.epsilon(1) == bare.epsilon_rdp(1) == math.inf


@pytest.mark.parametrize("deviation", [0.02, 1.0, 30.0])
def test_a_release_adds_noise_of_the_deviation_by_chi_square(deviation):
    total = np.linspace(-1.0, 1.0, 1_000_000)
    released = release(total, deviation=deviation, stream=SeededSource(31).stream("noise"))
    level = stats.chi2(1_000_000).cdf(np.square((released - total) / deviation).sum())
    assert 1e-3 < level < 1 - 1e-3


def test_a_release_is_normal_around_the_sum():
    released = release(
        np.full(100_000, 7.0), deviation=3.0, stream=SeededSource(32).stream("noise")
    )
    assert stats.kstest(released, "norm", args=(7, 3)).pvalue > 1e-3


def test_an_empty_sum_is_released_as_noise_alone():
    noise = SeededSource(33).stream("noise").gaussian(1001)
    released = release(np.zeros(1001), deviation=0.5, stream=SeededSource(33).stream("noise"))
    assert released == pytest.approx(0.5 * noise, rel=1e-12)
    assert np.count_nonzero(released) == 1001


def test_two_releases_of_one_stream_have_noise_of_their_own():
    stream = SeededSource(34).stream("noise")
    one = release(np.zeros(1000), deviation=1.0, stream=stream)
    two = release(np.zeros(1000), deviation=1.0, stream=stream)
    assert not np.isin(one, two).any()


def test_a_deviation_of_zero_adds_and_draws_nothing():
    total = np.array([0.1, -2.0])
    assert np.array_equal(release(total, deviation=0.0, stream=Silent()), total)


def test_a_release_leaves_the_sum_as_it_was():
    total = np.ones(10)
    release(total, deviation=1.0, stream=SecureSource().stream())
    assert np.array_equal(total, np.ones(10))


def test_a_mechanism_is_a_frozen_value():
    assert hash(MECHANISM) == hash(dataclasses.replace(MECHANISM))
    assert dataclasses.replace(MECHANISM) == MECHANISM
    assert dataclasses.replace(MECHANISM, steps=6) != MECHANISM
    with pytest.raises(dataclasses.FrozenInstanceError):
        MECHANISM.noise_multiplier = 0.1
