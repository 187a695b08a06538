import dataclasses
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from protocol.messages import VisitTerms
from server.rounds.norm_bound import norm_bound

TERMS = VisitTerms(
    steps=4,
    rate=0.25,
    denominator=5.0,
    lr=0.5,
    clip=2.0,
    noise_multiplier=1.0,
    max_participations=3,
    private=True,
)


def bound(terms=TERMS, *, size=10, largest_library=20, **rest):
    parameters = np.zeros(size, np.float32)
    return norm_bound(parameters, terms, largest_library=largest_library, **rest)


def test_without_a_clip_an_update_may_be_as_long_as_has_a_square_in_float32():
    longest = bound(dataclasses.replace(TERMS, clip=math.inf, noise_multiplier=0.0))
    assert longest == 2.0**63
    assert np.isfinite(np.float32(2) * np.float32(longest) ** 2)


def test_no_terms_allow_a_longer_one():
    assert bound(dataclasses.replace(TERMS, clip=1e30)) == 2.0**63


def test_without_noise_and_sampling_the_bound_is_every_moment_pulling_one_way():
    full = dataclasses.replace(TERMS, rate=1.0, noise_multiplier=0.0)
    # .5 / 5 * 2 * 4 steps * 20 moments, and a thousandth
    assert bound(full) == pytest.approx(16.0 * 1.001, rel=1e-5)


def test_the_noise_term_has_the_tail_that_mpmath_says():
    alone = dataclasses.replace(TERMS, rate=1.0)
    drawn = dataclasses.replace(alone, noise_multiplier=0.0)
    noise = (bound(alone, size=36) - bound(drawn, size=36)) / 1.001
    square = (noise / (0.5 / 5 * 2)) ** 2 / 4
    tail = mpmath.gammainc(18, square / 2, mpmath.inf, regularized=True)
    assert float(tail) == pytest.approx(5e-10, rel=1e-3)


def test_the_draw_term_is_the_least_count_with_a_small_enough_tail():
    drawn = dataclasses.replace(TERMS, noise_multiplier=0.0)
    count = round(bound(drawn) / 1.001 / (0.5 / 5 * 2))
    assert binom.sf(count, 80, 0.25) <= 5e-10 < binom.sf(count - 1, 80, 0.25)


def test_the_worst_honest_device_passes_as_often_as_promised():
    random = np.random.default_rng(0)
    tail, trials, size = 0.1, 20_000, 10
    limit = bound(size=size, tail=tail)
    draws = random.binomial(20, 0.25, size=(trials, 4))
    noise = random.normal(size=(trials, 4, size))
    worst = noise.sum(axis=1)
    worst /= np.linalg.norm(worst, axis=1, keepdims=True)
    updates = 0.5 / 5 * (2 * draws[..., None] * worst[:, None] + 2 * noise).sum(axis=1)
    exceeded = (np.linalg.norm(updates, axis=1) > limit).mean()
    assert exceeded <= tail
    assert exceeded > 0


def test_the_default_tail_is_above_every_one_of_many_honest_updates_but_not_twice_them():
    random = np.random.default_rng(1)
    noise = (
        0.5 / 5 * 2 * np.linalg.norm(random.normal(size=(2_000, 4, 400)).sum(axis=1), axis=1)
    )
    limit = bound(size=400, largest_library=1)
    assert noise.max() < limit < 2 * noise.max()


@settings(deadline=None, max_examples=40)
@given(
    field=st.sampled_from(["steps", "rate", "lr", "clip", "noise_multiplier"]),
    factor=st.sampled_from([2, 3, 4]),
)
def test_more_of_anything_that_lengthens_an_update_never_lowers_the_bound(field, factor):
    more = dataclasses.replace(TERMS, **{field: getattr(TERMS, field) * factor})
    assert bound(more) >= bound()


def test_more_dimensions_and_larger_libraries_raise_the_bound_and_denominators_lower_it():
    assert bound(size=11) > bound()
    assert bound(largest_library=40) > bound()
    assert bound(dataclasses.replace(TERMS, denominator=10.0)) < bound()
    assert bound(tail=1e-3) < bound()


def test_an_update_lost_in_float32_rounding_still_passes():
    terms = dataclasses.replace(TERMS, lr=1e-9, noise_multiplier=0.0, rate=1.0)
    parameters = np.full(1000, 1.5, np.float32)
    moved = parameters.copy()
    step = np.float32(0.6 * 2.0**-23)
    for _ in range(terms.steps):
        moved += step
    honest = step * terms.steps * math.sqrt(1000)
    tight = dataclasses.replace(terms, clip=honest / (1e-9 / 5 * 80))
    limit = norm_bound(parameters, tight, largest_library=20)
    assert honest * 1.001 < np.linalg.norm(moved - parameters) < limit
