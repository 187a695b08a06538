import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_settings import ADAPTIVE, GAUSSIAN, RUN

from privacy.mechanisms.independent.adaptive_gaussian import (
    AdaptiveGaussian,
    vote,
)
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.sampling.capped import CappedPoissonSampling

SAMPLING = CappedPoissonSampling.expecting(50, devices=1000, cap=None)


def mechanism(*, noise=1.0, share=0.04, quantile=0.5, lr=0.2, clip=1.0):
    return AdaptiveGaussian(
        sampling=SAMPLING,
        noise_multiplier=noise,
        clip=clip,
        delta=5e-4,
        quantile=quantile,
        lr=lr,
        share=share,
    )


@pytest.mark.parametrize(
    ("count_noise", "update_noise"), [(20 / 20, 1.155), (50 / 20, 1.021), (100 / 20, 1.005)]
)
def test_the_noise_on_the_updates_is_that_of_the_paper(count_noise, update_noise):
    """A count noise of a twentieth of the cohort, at noise multiplier 1."""
    chosen = mechanism(share=1 / (2 * count_noise) ** 2)
    assert chosen.count_noise == pytest.approx(count_noise)
    assert chosen.update_noise == pytest.approx(update_noise, abs=5e-4)


@given(noise=st.floats(0.1, 50), share=st.floats(0.001, 0.999))
def test_both_releases_together_cost_the_noise_that_is_accounted(noise, share):
    """A vector of two parts whose norms, in their own noise, add up as squares."""
    chosen = mechanism(noise=noise, share=share)
    squares = 1 / chosen.update_noise**2 + 0.5**2 / chosen.count_noise**2
    assert 1 / math.sqrt(squares) == pytest.approx(noise)


def test_epsilon_is_that_of_one_clip():
    plain = CohortGaussian(sampling=SAMPLING, noise_multiplier=1.0, clip=1.0, delta=5e-4)
    assert mechanism().epsilon(20) == plain.epsilon(20)
    assert mechanism().epsilon_rdp(20) == plain.epsilon_rdp(20)
    assert mechanism(clip=30.0).epsilon(20) == plain.epsilon(20)


@pytest.mark.parametrize(
    ("norm", "clip", "expected"),
    [(0.9, 1.0, 0.5), (1.0, 1.0, 0.5), (1.1, 1.0, -0.5), (math.nan, 1.0, -0.5)],
)
def test_an_update_votes_for_the_clip_that_holds_it(norm, clip, expected):
    assert vote(norm, clip) == expected


def test_the_share_is_over_the_expected_cohort_and_stays_a_share():
    assert mechanism().unclipped(0.0) == 0.5
    assert mechanism().unclipped(10.0) == pytest.approx(0.7)
    assert mechanism().unclipped(-200.0) == 0.0
    assert mechanism().unclipped(200.0) == 1.0


def test_the_clip_grows_where_too_few_updates_are_within_it():
    assert mechanism(lr=0.2).next_clip(2.0, unclipped=0.0) == pytest.approx(2 * math.exp(0.1))
    assert mechanism(lr=0.2).next_clip(2.0, unclipped=1.0) == pytest.approx(2 * math.exp(-0.1))
    assert mechanism().next_clip(2.0, unclipped=0.5) == 2.0


@pytest.mark.parametrize("first", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("quantile", [0.5, 0.8])
def test_the_clip_finds_the_quantile_from_far_away(first, quantile):
    """Norms are log-normal of median 1; cohorts of 50 with the noise on."""
    chosen = mechanism(quantile=quantile)
    draws = np.random.default_rng(7)
    clip, late = first, []
    for number in range(300):
        norms = np.exp(0.5 * draws.normal(size=draws.binomial(1000, 0.05)))
        count = sum(vote(norm, clip) for norm in norms)
        noisy = count + chosen.count_noise * draws.normal()
        clip = chosen.next_clip(clip, unclipped=chosen.unclipped(noisy))
        late += [clip] if number >= 200 else []
    expected = {0.5: 1.0, 0.8: math.exp(0.5 * 0.8416)}[quantile]
    assert np.exp(np.mean(np.log(late))) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(
    "budget",
    [
        {"epsilon": None, "noise_multiplier": 1.0},
        {"epsilon": 2.0, "noise_multiplier": None},
        {"epsilon": 0.2, "noise_multiplier": 2.0},
    ],
)
def test_an_adaptive_clip_costs_as_much_as_one_that_stays(budget):
    found = dataclasses.replace(ADAPTIVE, **budget).protected(RUN)
    plain = dataclasses.replace(GAUSSIAN, **budget).protected(RUN)
    assert isinstance(found.mechanism, AdaptiveGaussian)
    assert found.mechanism.accounted == plain.mechanism
    assert (found.times, found.remarks) == (plain.times, plain.remarks)
    assert (found.mechanism.quantile, found.mechanism.lr, found.mechanism.share) == (
        0.6,
        0.2,
        0.1,
    )
