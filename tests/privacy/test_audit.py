"""Every release is attacked: what an adversary tells apart must be near its claim, not above.

The adversary of the definition: he knows all but the canary, and sees the release. From how
often he errs follows, with 95% confidence, a lower bound on the mechanism's Gaussian privacy
(Nasr et al. 2023; Dong, Roth and Su 2022), and from it one on ε.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, norm

from client.training.release import protected
from privacy.accounting import analytic_gaussian
from privacy.correlation.noise import BandedRecurrence, CorrelatedNoise
from privacy.correlation.toeplitz import optimal, sensitivity
from privacy.integers.grid import IntegerGrid
from privacy.integers.release import integer_release
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveGaussian, adaptive_mean
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, protected_mean
from privacy.mechanisms.independent.integer_gaussian import IntegerGaussian, integer_mean
from privacy.mechanisms.moments.dpsgd import release
from privacy.noise import SeededSource
from privacy.sampling.capped import CappedPoissonSampling
from protocol.messages import VisitTerms

EPSILON, DELTA = 4.0, 1e-5
TRIALS = 10_000  # of either world
CLIP = 0.7
NOISE = analytic_gaussian.noise(EPSILON, delta=DELTA)
ROUNDS, BANDS = 8, 4
TERMS = VisitTerms(
    steps=1,
    rate=1.0,
    denominator=1.0,
    lr=1.0,
    clip=math.inf,
    noise_multiplier=0.0,
    max_participations=0,
    private=True,
    update_clip=CLIP,
)


class Endless:
    """Gives every trial the next draws of one stream: to open one costs most of a trial."""

    secure = False

    def __init__(self, source):
        self._stream = source.stream("trials")

    def stream(self, *path):
        return self._stream


def lower_bound(present, absent):
    """The ε that the two worlds' statistics prove, 97.5% for each kind of error."""
    threshold = (present.mean() + absent.mean()) / 2
    missed, false = (present < threshold).sum(), (absent >= threshold).sum()
    most = [beta.ppf(0.975, errors + 1, TRIALS - errors) for errors in (missed, false)]
    separation = norm.isf(most[0]) + norm.isf(most[1])
    return analytic_gaussian.epsilon(1 / separation, delta=DELTA)


def moment_sum(value, *, noise, source):
    """A step of DP-SGD at rate 1: one gradient of norm ``value · CLIP`` after clipping."""
    total = np.array([value * CLIP])
    return release(total, deviation=noise * CLIP, stream=source.stream("noise"))[0]


def cohort_sum(value, *, noise, source):
    mechanism = CohortGaussian(
        sampling=CappedPoissonSampling(devices=1, rate=1.0, cap=1),
        noise_multiplier=noise,
        clip=CLIP,
        delta=DELTA,
    )
    sent = [np.float32([value * 50])]
    return protected_mean(sent, mechanism, size=1, source=source).value[0]


def own_update(value, *, noise, source):
    """Two libraries whose updates point in opposite directions: 2 · CLIP apart."""
    terms = replace(TERMS, update_noise=2 * noise)
    return protected(np.float32([50 if value else -50]), terms=terms, source=source)[0]


def adaptive_sum(value, *, noise, source):
    """Half of the budget on the vote: the update and the vote together, weighed by their noise.

    A device in the cohort adds its update and ½; the divisor keeps the share within 0 and 1.
    """
    devices = 1000
    mechanism = AdaptiveGaussian(
        sampling=CappedPoissonSampling(devices=devices, rate=1.0, cap=devices),
        noise_multiplier=noise,
        clip=CLIP,
        delta=DELTA,
        quantile=0.5,
        lr=0.2,
        share=0.5,
    )
    sent = [np.float32([value * CLIP])] if value else []
    mean = adaptive_mean(sent, mechanism, clip=CLIP, size=1, source=source)
    update = devices * mean.value[0] / CLIP
    votes = devices * (mean.released["unclipped"] - 0.5)
    return update / mechanism.update_noise**2 + 0.5 * votes / mechanism.count_noise**2


MECHANISMS = [moment_sum, cohort_sum, own_update, adaptive_sum]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 3.0, 4.0), (0.8, 4.0, 5.5)])
def test_an_attack_proves_most_of_the_claim_and_no_more(mechanism, share, least, most):
    """With a fifth of the noise missing it proves the claim wrong."""
    worlds = []
    for world, value in enumerate([1.0, 0.0]):
        source = Endless(SeededSource(world))
        trials = [mechanism(value, noise=share * NOISE, source=source) for _ in range(TRIALS)]
        worlds.append(np.array(trials))
    assert least <= lower_bound(*worlds) <= most


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 3.0, 4.0), (0.8, 4.0, 5.5)])
def test_integers_hide_a_device(share, least, most):
    """Every coordinate of an empty cohort is a trial; the canary's integers join it."""
    mechanism = IntegerGaussian(
        sampling=CappedPoissonSampling(devices=1, rate=1.0, cap=1),
        noise_multiplier=share * NOISE,
        clip=CLIP,
        delta=DELTA,
    )
    worlds = [
        integer_mean([], mechanism, size=TRIALS, source=SeededSource(world)).value
        for world in range(2)
    ]
    grid = mechanism.grid
    (canary,) = grid.values(grid.integers(np.float32([50])))
    assert least <= lower_bound(worlds[0] + canary, worlds[1]) <= most


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 3.0, 4.0), (0.8, 4.0, 5.5)])
def test_integers_hide_a_moment(share, least, most):
    """A step at rate 1, every coordinate a trial; one gradient of any length joins it."""
    grid = IntegerGrid(clip=CLIP)
    canary, _ = grid.integers_of_rows(np.float32([[50]]))
    worlds = []
    for world, own in enumerate([canary[0], 0]):
        stream = SeededSource(world).stream("noise")
        total = np.full(TRIALS, own)
        deviation = grid.deviation(share * NOISE)
        worlds.append(integer_release(total, grid, deviation=deviation, stream=stream))
    assert least <= lower_bound(*worlds) <= most


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 3.0, 4.0), (0.8, 4.0, 5.5)])
def test_correlated_noise_hides_a_device_in_all_its_rounds(share, least, most):
    """The matched filter over all rounds: C applied to what was released, against C x."""
    coefficients = optimal(ROUNDS, BANDS)
    reach = sensitivity(coefficients, ROUNDS, separation=BANDS, participations=2)
    strategy = np.array(
        [
            [coefficients[i - j] if 0 <= i - j < BANDS else 0 for j in range(ROUNDS)]
            for i in range(ROUNDS)
        ]
    )
    took_part = np.zeros(ROUNDS)
    took_part[[0, BANDS]] = CLIP
    filter_ = strategy @ took_part
    noise = CorrelatedNoise(BandedRecurrence(coefficients=tuple(coefficients)), size=2 * TRIALS)
    rows = np.stack([noise.draw(SeededSource(5).stream(r)) for r in range(ROUNDS)])
    released = share * NOISE * reach * CLIP * rows
    released[:, :TRIALS] += took_part[:, None]
    seen = filter_ @ (strategy @ released)
    assert least <= lower_bound(seen[:TRIALS], seen[TRIALS:]) <= most
