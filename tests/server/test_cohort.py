import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from server.cohort import draw, generator


@settings(deadline=None, max_examples=50)
@given(devices=st.integers(1, 5000), rate=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_a_cohort_is_ascending_distinct_and_inside_the_population(devices, rate, seed):
    cohort = draw(devices, rate=rate, generator=np.random.default_rng(seed))
    assert cohort.dtype == np.int64
    assert (np.diff(cohort) > 0).all()
    assert not cohort.size or (cohort[0] >= 0 and cohort[-1] < devices)


def test_rate_zero_draws_nobody_and_rate_one_everybody():
    random = np.random.default_rng(0)
    assert draw(7, rate=0.0, generator=random).tolist() == []
    assert draw(7, rate=1.0, generator=random).tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_the_size_is_binomial():
    random = np.random.default_rng(1)
    sizes = [len(draw(10, rate=0.3, generator=random)) for _ in range(20_000)]
    expected = 20_000 * binom.pmf(np.arange(8), 10, 0.3)
    expected[-1] = 20_000 * binom.sf(6, 10, 0.3)
    counted = np.bincount(np.minimum(sizes, 7), minlength=8)
    assert chisquare(counted, expected).pvalue > 1e-3


def test_each_pair_of_devices_meets_as_often_as_independent_coins_say():
    random = np.random.default_rng(2)
    present = np.zeros((20_000, 6), bool)
    for row in present:
        row[draw(6, rate=0.4, generator=random)] = True
    together = present.T.astype(int) @ present / len(present)
    alone = np.diag(together)
    pairs = together[np.triu_indices(6, 1)]
    assert np.abs(alone - 0.4).max() < 4 * np.sqrt(0.4 * 0.6 / len(present))
    assert np.abs(pairs - 0.16).max() < 4 * np.sqrt(0.16 * 0.84 / len(present))


@pytest.mark.parametrize("devices", [10**6, 10**8])
def test_memory_grows_with_the_cohort_and_not_with_the_population(devices):
    random = np.random.default_rng(3)
    tracemalloc.start()
    cohort = draw(devices, rate=1000 / devices, generator=random)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 850 < len(cohort) < 1150
    assert peak < 200_000


def test_the_generator_is_a_function_of_seed_round_and_attempt():
    def first(seed, number, attempt):
        return generator(seed, round_number=number, attempt=attempt).integers(2**63)

    assert first(1, 2, 3) == first(1, 2, 3)
    names = [(1, 2, 3), (12, 3, 0), (1, 23, 0), (1, 2, 0), (2, 1, 0), (2**32, 1, 0), (0, 1, 0)]
    assert len({first(*name) for name in names}) == len(names)


def test_drawing_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()
    draw(100, rate=0.5, generator=generator(0, round_number=1, attempt=0))
    assert (np.random.get_state()[1] == before).all()
