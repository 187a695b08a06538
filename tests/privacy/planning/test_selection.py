"""What choosing costs: the library's figure, the exact cost of the best of many, and limits."""

import itertools
import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.dp_event import RepeatAndSelectDpEvent
from dp_accounting.rdp import RdpAccountant
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import simpson
from scipy.stats import norm

from privacy.accounting import rdp
from privacy.noise import SeededSource
from privacy.planning import trial_count
from privacy.planning.selection import Selection

RUN = {"rate": 0.1, "noise_multiplier": 2.0, "steps": 300, "delta": 1e-5}
# the library takes a second for each order of some hundreds
QUICK = tuple(order for order in rdp.WHOLE_ORDERS if order < 64)
SOME = tuple(order for order in rdp.ORDERS if order < 64)
NAMES = ["geometric", "logarithmic", "poisson"]


def other_epsilon(selection, orders, *, rate, noise_multiplier, steps, delta):
    trial = GaussianDpEvent(noise_multiplier)
    if rate < 1:
        trial = PoissonSampledDpEvent(rate, trial)
    trial = SelfComposedDpEvent(trial, steps)
    event = RepeatAndSelectDpEvent(trial, selection.trials, selection.shape)
    return RdpAccountant(orders).compose(event).get_epsilon(delta)


@pytest.mark.parametrize("distribution", [*NAMES, 0.5, 3.0])
@pytest.mark.parametrize(
    ("rate", "noise", "steps"), [(0.05, 1.0, 80), (0.1, 4.0, 300), (0.01, 0.8, 1000)]
)
def test_many_sampled_trials_cost_what_the_library_says(distribution, rate, noise, steps):
    for trials, delta in itertools.product((10, 3000), (1e-8, 1e-2)):
        chosen = Selection(trials=trials, distribution=distribution)
        run = {"rate": rate, "noise_multiplier": noise, "steps": steps, "delta": delta}
        expected = other_epsilon(chosen, QUICK, **run)
        found = chosen.epsilon(orders=QUICK, **run)
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("distribution", [*NAMES, 0.5, 3.0, 100.0])
@pytest.mark.parametrize("orders", [SOME, (1.1,), (3.0,), (63.0,)])
def test_trials_without_sampling_cost_what_the_library_says(distribution, orders):
    # theorem 2's second order may be 1, which the library takes where it is given that order
    given_orders = orders if distribution == "poisson" else (1.0, *orders)
    run = {"rate": 1.0, "noise_multiplier": 5.0, "steps": 10, "delta": 1e-5}
    for trials in (1, 1.01, 2, 10, 3000):
        chosen = Selection(trials=trials, distribution=distribution)
        expected = other_epsilon(chosen, given_orders, **run)
        assert chosen.epsilon(orders=orders, **run) == pytest.approx(expected, rel=1e-6)


def derivative(chosen, share):
    """That of the generating function of the number of trials, E[K s^(K-1)]."""
    if math.isinf(chosen.shape):
        return chosen.trials * np.exp(chosen.trials * (share - 1))
    halting = trial_count.halting(chosen.trials, shape=chosen.shape)
    rest = 1 - (1 - halting) * share
    if chosen.shape == 0:
        return (1 - halting) / (rest * -math.log(halting))
    scale = chosen.shape * (1 - halting) / (halting**-chosen.shape - 1)
    return scale * rest ** (-chosen.shape - 1)


@given(
    noise=st.floats(0.5, 8),
    trials=st.floats(1.01, 200),
    distribution=st.sampled_from([*NAMES, 0.3, 5.0]),
    delta=st.floats(1e-9, 1e-2),
)
@settings(deadline=None, max_examples=50)
def test_the_largest_of_many_noisy_numbers_keeps_the_promise(
    noise, trials, distribution, delta
):
    # A trial tells 0 or 1 with noise, the best trial is the largest number: its density is that
    # of one number, times the derivative of the generating function at its distribution.
    chosen = Selection(trials=trials, distribution=distribution)
    epsilon = chosen.epsilon(rate=1.0, noise_multiplier=noise, steps=1, delta=delta)
    x = np.linspace(-9 * noise, 1 + 9 * noise, 20001)
    zero, one = (
        norm.pdf(x, mean, noise) * derivative(chosen, norm.cdf(x, mean, noise))
        for mean in (0, 1)
    )
    for with_it, without in ((one, zero), (zero, one)):
        exact = simpson(np.maximum(with_it - math.exp(epsilon) * without, 0), x=x)
        assert exact <= delta * (1 + 1e-6) + 1e-12


@pytest.mark.parametrize("distribution", ["geometric", "logarithmic", 0.5, 100.0])
def test_one_trial_for_sure_costs_what_one_run_costs(distribution):
    chosen = Selection(trials=1, distribution=distribution)
    assert chosen.epsilon(**RUN) == pytest.approx(rdp.epsilon(**RUN), rel=1e-9)


@pytest.mark.parametrize("distribution", [*NAMES, 0.5])
def test_more_trials_cost_more(distribution):
    found = [
        Selection(trials=trials, distribution=distribution).epsilon(**RUN, orders=QUICK)
        for trials in (1, 1.5, 2, 5, 20, 100, 1000)
    ]
    assert all(one < two for one, two in itertools.pairwise(found))


@pytest.mark.parametrize("distribution", NAMES)
def test_many_trials_cost_less_than_their_sum(distribution):
    hundred = Selection(trials=100, distribution=distribution).epsilon(**RUN, orders=QUICK)
    naive = {**RUN, "steps": 100 * RUN["steps"]}
    assert hundred < 0.55 * rdp.epsilon(**naive, orders=QUICK)


def test_a_hundred_trials_have_their_figures():
    # the geometric one costs some two runs, the sum of all eighteen
    found = [Selection(trials=100, distribution=name).epsilon(**RUN) for name in NAMES]
    assert found == pytest.approx([10.373, 8.515, 44.789], abs=1e-3)
    assert rdp.epsilon(**RUN) == pytest.approx(4.564, abs=1e-3)
    assert rdp.epsilon(**{**RUN, "steps": 30_000}) == pytest.approx(84.084, abs=1e-3)


def test_a_divergence_grows_with_its_order():
    of_trial = np.array([300 * rdp.step_rdp(0.1, 2.0, order) for order in rdp.ORDERS])
    found = Selection(trials=30).divergence(of_trial, orders=rdp.ORDERS)
    assert (np.diff(found) >= 0).all()
    assert (found > of_trial).all()


def test_an_order_that_is_not_known_bounds_nothing():
    orders = (2.0, 4.0, 8.0)
    known = Selection(trials=30).divergence(np.array([0.2, 0.4]), orders=orders[:2])
    found = Selection(trials=30).divergence(np.array([0.2, 0.4, math.inf]), orders=orders)
    assert found.tolist() == [*known.tolist(), math.inf]


def test_draws_are_numbers_of_the_distribution_and_of_the_stream_alone():
    chosen = Selection(trials=10)
    found = [chosen.draw(stream=SeededSource(61).stream(n)) for n in range(2000)]
    assert found == [chosen.draw(stream=SeededSource(61).stream(n)) for n in range(2000)]
    assert min(found) == 1
    # geometric: the variance is 90
    assert np.mean(found) == pytest.approx(10, abs=4 * math.sqrt(90 / 2000))


@pytest.mark.parametrize("distribution", NAMES)
def test_nothing_done_costs_nothing_and_no_noise_costs_everything(distribution):
    chosen = Selection(trials=10, distribution=distribution)
    assert chosen.epsilon(**{**RUN, "steps": 0}) == chosen.epsilon(**{**RUN, "rate": 0.0}) == 0
    assert chosen.epsilon(**{**RUN, "noise_multiplier": 0.0}) == math.inf


@pytest.mark.parametrize("trials", [0, 0.99, 10_001, math.nan, math.inf])
def test_a_number_of_trials_that_is_no_search_is_refused(trials):
    with pytest.raises(ValueError, match=r"^trials=.* must be from 1 to 10000; "):
        Selection(trials=trials)


@pytest.mark.parametrize("distribution", ["binomial", -0.5, 101, math.nan, math.inf, True])
def test_a_distribution_that_is_not_known_is_refused(distribution):
    with pytest.raises(ValueError, match=r"^distribution=.* geometric, poisson or a shape "):
        Selection(trials=10, distribution=distribution)
