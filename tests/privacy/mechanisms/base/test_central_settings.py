"""What every protection at the server has in common, worked by hand for each kind."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_settings import ADAPTIVE, AUTO, GAUSSIAN, MATRIX, RUN

KINDS = [GAUSSIAN, replace(GAUSSIAN, numbers="integers"), ADAPTIVE, MATRIX, AUTO]
each_kind = pytest.mark.parametrize("kind", KINDS)
GIVEN = replace(GAUSSIAN, epsilon=None, noise_multiplier=1.5)
LONG = {"rounds": 3, "cohort": 4.0, "noise": 0.0, "spread": 20.0}


@each_kind
def test_a_cap_below_the_expected_cohort_is_refused_and_one_at_it_is_taken(kind):
    assert kind.cap(RUN) is None
    assert replace(kind, largest_cohort=5).cap(RUN) == 5
    with pytest.raises(ValueError, match=r"largest_cohort=4 is below server\.cohort=5; raise"):
        replace(kind, largest_cohort=4).cap(RUN)


def test_the_sampling_is_that_of_the_run_under_the_cap():
    """5 of 50, and 5 + 9 · √5 = 25.1 at most where no cap is given."""
    found = GAUSSIAN.sampling(RUN)
    assert (found.devices, found.rate, found.cap) == (50, 0.1, 26)
    assert replace(GAUSSIAN, largest_cohort=8).sampling(RUN).cap == 8


def test_the_rounds_that_a_budget_affords_are_run_and_the_last_says_that_it_stops():
    protected = GIVEN.protected(RUN)
    assert (protected.times, protected.remarks) == (2, ())
    once = protected.mechanism.epsilon(1)
    ending = replace(GIVEN, epsilon=once).protected(RUN)
    assert ending.times == 1
    assert ending.remarks == ("stops there: one more of the 2 rounds would pass the budget",)


@each_kind
def test_layers_are_clipped_alone_where_that_is_asked_and_then_only_at_the_server(kind):
    assert kind.clipped_alone([3, 4]) == ()
    layered = replace(kind, clipping="layers")
    assert layered.clipped_alone([3, 4]) == (3, 4)
    assert layered.own_clip == math.inf


def test_a_device_clips_a_whole_update_itself_unless_the_clip_moves():
    assert [kind.own_clip for kind in KINDS] == [0.5, 0.5, math.inf, 0.5, 0.5]


def test_the_longest_mean_is_that_of_the_largest_cohort_and_of_the_noise():
    """12 of 4 expected, each at the clip of 0.5: 1.5. Noise 1.5 · 0.5 · 20 / 4 = 3.75."""
    capped = replace(GIVEN, largest_cohort=12)
    assert capped.longest_mean(9.0, **LONG) == pytest.approx(1.5 + 3.75)
    # shorter updates are not clipped: 3 · 0.1
    assert capped.longest_mean(0.1, **LONG) == pytest.approx(0.3 + 3.75)
    # nine deviations and nine above 4: 31 of them
    assert GIVEN.longest_mean(9.0, **LONG) == pytest.approx(31 / 4 * 0.5 + 3.75)


def test_a_clip_that_follows_rises_by_its_rate_in_each_round():
    """e^(0.2 · 3): the clip and with it the noise, but not an update that is shorter."""
    moving = replace(ADAPTIVE, epsilon=None, noise_multiplier=1.5, largest_cohort=12)
    grown = math.exp(0.6)
    assert moving.growth(3) == pytest.approx(grown)
    assert GIVEN.growth(3) == 1.0
    assert moving.longest_mean(9.0, **LONG) == pytest.approx((1.5 + 3.75) * grown)
    assert moving.longest_mean(0.1, **LONG) == pytest.approx(0.3 + 3.75 * grown)


@given(
    epsilon=st.floats(0.1, 20),
    delta=st.floats(1e-9, 1e-3),
    rounds=st.integers(1, 12),
    cohort=st.integers(1, 10),
    kind=st.sampled_from([GAUSSIAN, replace(GAUSSIAN, numbers="integers"), ADAPTIVE, MATRIX]),
)
@settings(deadline=None, max_examples=25, derandomize=True)
def test_no_promise_needs_more_noise_than_one_without_any_amplification(
    epsilon, delta, rounds, cohort, kind
):
    """What the longest mean takes for the noise is no less than what is derived."""
    asked = replace(kind, epsilon=epsilon, delta=delta)
    run = replace(RUN, rounds=rounds, cohort=float(cohort))
    derived = asked.protected(run).mechanism.noise_multiplier
    without, with_noise = (
        asked.longest_mean(0.0, rounds=rounds, cohort=1.0, noise=0.0, spread=spread)
        for spread in (0.0, 1.0)
    )
    assert without == 0
    assert derived * asked.clip <= with_noise
