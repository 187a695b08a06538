"""Who is asked, and what of it leaves, for every mechanism of the server."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import kstest
from some_updates import updates

from privacy.correlation.noise import BandedRecurrence, CorrelatedNoise
from privacy.mechanisms.correlated.banded_gaussian import BandedGaussian, BandedRelease
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian, SeparatedRelease
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveGaussian, AdaptiveRelease
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, IndependentRelease
from privacy.mechanisms.independent.integer_gaussian import IntegerGaussian, IntegerRelease
from privacy.noise import SeededSource
from privacy.sampling.capped import CappedPoissonSampling

SIZE, CLIP, DEVICES = 5, 0.5, 30
COLUMN = (0.8, 0.6)
SAMPLING = CappedPoissonSampling(devices=DEVICES, rate=0.2, cap=20)
HALVES = CappedPoissonSampling(devices=DEVICES // 2, rate=0.4, cap=15)
COMMON = {"clip": CLIP, "delta": 1e-3}


def independent(noise=0.0, layers=()):
    mechanism = CohortGaussian(sampling=SAMPLING, noise_multiplier=noise, **COMMON)
    return IndependentRelease(mechanism, size=SIZE, layers=layers)


def adaptive(noise=0.0, layers=()):
    mechanism = AdaptiveGaussian(
        sampling=SAMPLING, noise_multiplier=noise, quantile=0.5, lr=0.2, share=0.1, **COMMON
    )
    return AdaptiveRelease(mechanism, size=SIZE, layers=layers)


def separated(noise=0.0, layers=(), rounds=12):
    mechanism = SeparatedGaussian(
        noise_multiplier=noise,
        coefficients=COLUMN,
        rounds=rounds,
        separation=5,
        participations=2,
        **COMMON,
    )
    rows = CorrelatedNoise(BandedRecurrence(coefficients=COLUMN), size=SIZE)
    return SeparatedRelease(mechanism, rows, cohort=6, devices=DEVICES, layers=layers)


def banded(noise=0.0, layers=()):
    mechanism = BandedGaussian(
        sampling=HALVES, bands=2, coefficients=COLUMN, noise_multiplier=noise, **COMMON
    )
    rows = CorrelatedNoise(BandedRecurrence(coefficients=COLUMN), size=SIZE)
    return BandedRelease(mechanism, rows, devices=DEVICES, layers=layers)


def integers(noise=0.0, layers=()):
    mechanism = IntegerGaussian(sampling=SAMPLING, noise_multiplier=noise, **COMMON)
    return IntegerRelease(mechanism, size=SIZE)


EVERY = [independent, integers, adaptive, separated, banded]
LAYERED = [independent, adaptive, separated, banded]


def source(number):
    return SeededSource(9, "round", number)


def released(build, deltas, *, rounds=1, **settings):
    release = build(**settings)
    return [release.mean(deltas, source=source(number)).value for number in range(rounds)]


@pytest.mark.parametrize("build", EVERY)
@pytest.mark.parametrize("layers", [(), (2, 3)])
@pytest.mark.parametrize("noise", [0.0, 1.3])
def test_a_device_more_moves_a_release_by_no_more_than_the_clip(build, layers, noise):
    for seed in range(20):
        deltas = updates(seed, 4, size=SIZE)
        (more,) = released(build, deltas, noise=noise, layers=layers)
        (less,) = released(build, deltas[:-1], noise=noise, layers=layers)
        assert np.linalg.norm(more - less) * 6 <= CLIP * (1 + 1e-9)


@pytest.mark.parametrize("build", EVERY)
def test_an_update_of_nothing_finite_changes_no_bit(build):
    broken = np.full(SIZE, np.nan, np.float32)
    whole = updates(3, 3, size=SIZE)
    (with_it,) = released(build, [*whole, broken], noise=0.0)
    (without,) = released(build, whole, noise=0.0)
    assert (with_it == without).all()


@pytest.mark.parametrize("build", EVERY)
def test_noise_does_not_depend_on_who_came(build):
    empty = np.array(released(build, [], rounds=3, noise=2.0))
    if build is adaptive:
        empty = empty[:1]
    full = np.array(released(build, updates(1, 4, size=SIZE), rounds=len(empty), noise=2.0))
    sums = np.array(released(build, updates(1, 4, size=SIZE), rounds=len(empty), noise=0.0))
    assert np.allclose(full - sums, empty, atol=1e-12)
    assert (empty != 0).all()


@pytest.mark.parametrize("build", EVERY)
def test_rounds_draw_apart_and_a_seed_repeats_them(build):
    first, second = released(build, [], rounds=2, noise=1.0)
    assert not np.array_equal(first, second)
    assert (first == released(build, [], noise=1.0)[0]).all()


@pytest.mark.parametrize("build", LAYERED)
def test_layers_are_clipped_alone(build):
    long = np.float32([30, 40, 0.1, 0, 0])
    (whole,) = released(build, [long])
    (alone,) = released(build, [long], layers=(2, 3))
    assert np.linalg.norm(whole) * 6 == pytest.approx(CLIP)
    each = CLIP / np.sqrt(2)
    assert alone * 6 == pytest.approx(np.float32([0.6 * each, 0.8 * each, 0.1, 0, 0]))


def test_the_noise_of_an_adaptive_round_is_in_units_of_its_clip():
    """Twice the clip, twice the noise: 1.3 / √(1 − .1) on every coordinate."""
    mechanism = AdaptiveGaussian(
        sampling=SAMPLING, noise_multiplier=1.3, quantile=0.5, lr=0.2, share=0.1, **COMMON
    )
    size = 4000
    for clip in (CLIP, 2 * CLIP):
        chosen = dataclasses.replace(mechanism, clip=clip)
        release = AdaptiveRelease(chosen, size=size)
        draws = 6 * release.mean([], source=source(0)).value
        deviation = 1.3 / np.sqrt(0.9) * clip
        assert kstest(draws / deviation, "norm").pvalue > 1e-3
        assert kstest(draws / deviation * 1.5, "norm").pvalue < 1e-6
        assert kstest(draws / deviation / 1.5, "norm").pvalue < 1e-6


def test_a_clip_that_all_updates_pass_grows_and_is_reported_with_its_share():
    release = adaptive()
    long = [np.float32([3, 0, 0, 0, 0])] * 6
    first, second = (release.mean(long, source=source(number)) for number in range(2))
    assert first.released == {"clip": CLIP, "unclipped": 0.0}
    assert second.released["clip"] == pytest.approx(CLIP * np.exp(0.1))
    assert second.value[0] == pytest.approx(CLIP * np.exp(0.1))


def test_what_is_reported_of_the_clip_is_a_noisy_count():
    shares = [
        adaptive(noise=0.5).mean([], source=source(n)).released["unclipped"] for n in (1, 2)
    ]
    assert 0.5 not in shares
    assert shares[0] != shares[1]


def test_a_device_that_took_part_rests_and_comes_twice_at_most():
    release = separated()
    cohorts = [release.cohort(source(number)).tolist() for number in range(10)]
    assert [len(cohort) for cohort in cohorts] == [6] * 10
    for device in range(DEVICES):
        rounds = [number for number, cohort in enumerate(cohorts) if device in cohort]
        assert len(rounds) == 2
        assert rounds[1] - rounds[0] >= 5


def test_nobody_is_asked_when_all_have_had_their_rounds():
    release = separated()
    cohorts = [release.cohort(source(number)) for number in range(11)]
    assert cohorts[10].tolist() == []
    assert (release.mean([], source=source(10)).value == 0).all()


def test_bands_take_turns_and_each_device_has_its_own_coin():
    release = banded()
    cohorts = [release.cohort(source(number)) for number in range(600)]
    assert all((cohort % 2 == number % 2).all() for number, cohort in enumerate(cohorts))
    sizes = np.array([len(cohort) for cohort in cohorts])
    assert sizes.mean() == pytest.approx(6, abs=0.25)
    assert sizes.var() == pytest.approx(15 * 0.4 * 0.6, rel=0.2)


def test_a_smaller_band_leaves_a_place_of_the_largest_empty():
    mechanism = BandedGaussian(
        sampling=CappedPoissonSampling(devices=2, rate=1.0, cap=2),
        bands=2,
        coefficients=COLUMN,
        noise_multiplier=0.0,
        **COMMON,
    )
    rows = CorrelatedNoise(BandedRecurrence(coefficients=COLUMN), size=SIZE)
    release = BandedRelease(mechanism, rows, devices=3)
    assert [release.cohort(source(n)).tolist() for n in range(3)] == [[0, 2], [1], [0, 2]]


def test_the_noise_of_correlated_rounds_takes_back_that_of_those_before():
    """C times what was released is independent noise of the deviation that is accounted."""
    size = 3000
    for build, deviation in ((separated, 1.3), (banded, 1.3)):
        release = build(noise=deviation)
        release._noise = CorrelatedNoise(BandedRecurrence(coefficients=COLUMN), size=size)
        rows = [6 * release.mean([], source=source(number)).value for number in range(3)]
        seen = [COLUMN[0] * rows[0], *(0.8 * rows[n] + 0.6 * rows[n - 1] for n in (1, 2))]
        for row in seen:
            assert kstest(row / (deviation * CLIP), "norm").pvalue > 1e-3
            assert kstest(row / (1.5 * deviation * CLIP), "norm").pvalue < 1e-6
        assert abs(np.corrcoef(seen[1], seen[2])[0, 1]) < 4 / np.sqrt(size)
