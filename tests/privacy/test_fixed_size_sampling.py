import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from privacy.fixed_size_sampling import FixedSizeSampling
from privacy.noise import SecureSource, SeededSource


def drawn(chosen, *, seed, rounds):
    return [chosen.draw(stream=SeededSource(seed).stream(n)) for n in range(rounds)]


@given(st.integers(1, 60), st.data(), st.integers(0, 2**30))
@settings(deadline=None, max_examples=50)
def test_a_cohort_has_its_size_and_nobody_twice(devices, data, seed):
    cohort = data.draw(st.integers(1, devices))
    chosen = FixedSizeSampling(devices=devices, cohort=cohort)
    found = chosen.draw(stream=SeededSource(seed).stream("cohort"))
    assert found.dtype == np.int64
    assert found.shape == (cohort,)
    assert (np.diff(found) > 0).all()
    assert 0 <= found[0] <= found[-1] < devices


def test_every_cohort_is_as_likely_as_any_other():
    rounds = drawn(FixedSizeSampling(devices=6, cohort=3), seed=41, rounds=6000)
    seen = [tuple(one.tolist()) for one in rounds]
    counts = [seen.count(one) for one in itertools.combinations(range(6), 3)]
    assert sum(counts) == 6000
    assert chisquare(counts).pvalue > 1e-3


def test_a_device_comes_as_often_as_its_rate():
    chosen = FixedSizeSampling(devices=40, cohort=12)
    included = np.bincount(np.concatenate(drawn(chosen, seed=42, rounds=4000))) / 4000
    assert chosen.rate == pytest.approx(0.3)
    assert np.abs(included - 0.3).max() < 4.5 * math.sqrt(0.21 / 4000)


def test_a_cohort_as_large_as_the_population_is_everyone():
    chosen = FixedSizeSampling(devices=9, cohort=9)
    assert chosen.draw(stream=SecureSource().stream()).tolist() == list(range(9))


def test_a_stream_of_its_own_is_a_draw_of_its_own_and_one_stream_is_one_draw():
    chosen = FixedSizeSampling(devices=1000, cohort=50)
    one, two, again = (
        chosen.draw(stream=SeededSource(43).stream(n)).tolist() for n in (0, 1, 0)
    )
    assert one == again
    assert one != two


@pytest.mark.parametrize("cohort", [0, 11, -1])
def test_a_cohort_that_cannot_be_is_refused(cohort):
    with pytest.raises(ValueError, match=rf"^server\.cohort={cohort} must be from 1 .*=10;"):
        FixedSizeSampling(devices=10, cohort=cohort)
