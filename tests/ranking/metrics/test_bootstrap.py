"""Intervals against the closed form of the normal mean, and against their stated coverage."""

import numpy as np
import pytest

from ranking.metrics.bootstrap import device_mean, paired_difference


def test_the_interval_of_a_mean_is_about_two_standard_errors_on_either_side():
    values = np.random.default_rng(0).normal(3, 2, 400)
    estimate = device_mean(values, generator=np.random.default_rng(1))
    error = values.std() / 20
    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert estimate.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        estimate = device_mean(generator.exponential(1, 60), generator=generator)
        held += estimate.low <= 1 <= estimate.high
    assert 0.90 <= held / 300 <= 0.97


def test_the_crossed_interval_adds_the_variances_of_seeds_and_devices():
    seeds, devices = np.arange(-10.0, 11.0) / 10, np.arange(-50.0, 51.0) / 10
    differences = 1 + seeds[:, None] + devices[None]
    estimate = paired_difference(
        differences, np.zeros_like(differences), generator=np.random.default_rng(3)
    )
    error = np.sqrt(seeds.var() / 21 + devices.var() / 101)
    assert estimate.mean == pytest.approx(1)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_pairing_takes_away_what_both_arms_share():
    shared = np.random.default_rng(4).normal(0, 10, (5, 80))
    estimate = paired_difference(shared + 0.25, shared, generator=np.random.default_rng(5))
    assert (estimate.low, estimate.mean, estimate.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_device_without_signal_is_left_out():
    values = np.array([1.0, np.nan, 3.0])
    assert device_mean(values, generator=np.random.default_rng(6)).mean == 2
    pair = np.stack([values, [np.nan, 1.0, 5.0]])
    estimate = paired_difference(pair, np.zeros((2, 3)), generator=np.random.default_rng(7))
    assert (estimate.low, estimate.mean, estimate.high) == (3, 4, 5)


def test_the_same_generator_gives_the_same_interval():
    values = np.random.default_rng(8).normal(size=30)
    first = device_mean(values, generator=np.random.default_rng(9))
    assert device_mean(values, generator=np.random.default_rng(9)) == first


def test_no_value_and_unlike_shapes_are_refused():
    generator = np.random.default_rng(10)
    with pytest.raises(ValueError, match="no device has a value"):
        device_mean(np.array([np.nan]), generator=generator)
    with pytest.raises(ValueError, match="same seeds and devices"):
        paired_difference(np.zeros((2, 3)), np.zeros((2, 2)), generator=generator)
