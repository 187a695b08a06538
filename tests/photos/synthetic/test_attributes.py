"""The latent facts of a synthetic device's photos."""

import numpy as np
import pytest

from photos.synthetic.attributes import LARGEST_LIBRARY, NAMES, SCENES, Roll, draw_roll


@pytest.fixture(scope="module")
def rolls() -> list[Roll]:
    return [draw_roll(np.random.default_rng(seed)) for seed in range(400)]


def test_a_device_has_a_median_of_20_moments_and_at_most_400(rolls):
    moments = np.array([roll.moments for roll in rolls])
    assert 18 <= np.median(moments) <= 22
    # Log-normal with s = 0.6: log-quartiles are 0.674 * 0.6 = 0.405 away from the median.
    assert np.diff(np.log(np.quantile(moments, [0.25, 0.75]))) == pytest.approx(0.81, abs=0.12)
    assert moments.min() >= 1
    assert moments.max() <= LARGEST_LIBRARY


def test_however_far_devices_differ_they_have_1_to_400_moments(monkeypatch):
    monkeypatch.setattr("photos.synthetic.attributes.MOMENTS_SPREAD", 6)
    moments = [draw_roll(np.random.default_rng(seed)).moments for seed in range(40)]
    assert (min(moments), max(moments)) == (1, 400)


def test_a_moment_has_2_to_12_photos_and_5_on_average(rolls):
    sizes = np.concatenate([np.bincount(roll.moment_of) for roll in rolls])
    assert sizes.min() == 2
    assert sizes.max() == 12
    # 2 + floor of an exponential of mean 4, cut at 10: sum of e^{-k/4} for k = 1 … 10.
    assert sizes.mean() == pytest.approx(2 + np.exp(-np.arange(1, 11) / 4).sum(), abs=0.05)


def test_attributes_are_standardised_over_the_population(rolls):
    attributes = np.concatenate([roll.attributes for roll in rolls])
    assert attributes.shape[1] == len(NAMES) == 10
    np.testing.assert_allclose(attributes.mean(0), 0, atol=0.06)
    np.testing.assert_allclose(attributes.std(0), 1, atol=0.05)


def test_photos_are_near_duplicates_in_a_burst_alike_in_a_moment_and_else_apart(rolls):
    apart = np.concatenate([np.diff(roll.attributes, axis=0) for roll in rolls])
    moment = np.concatenate([np.diff(roll.moment_of) == 0 for roll in rolls])
    burst = moment & np.concatenate([np.diff(roll.bursts) == 0 for roll in rolls])
    # Variances: photo 0.25, burst 0.3844, moment 0.36, camera 0.0625; in all 1.0569.
    assert apart[burst].var() == pytest.approx(2 * 0.25 / 1.0569, rel=0.03)
    assert apart[moment & ~burst].var() == pytest.approx(2 * 0.6344 / 1.0569, rel=0.03)
    assert apart[~moment].var() == pytest.approx(2 * 0.9944 / 1.0569, rel=0.03)


def test_bursts_are_numbered_from_0_in_each_moment_in_the_order_of_capture(rolls):
    for roll in rolls[:20]:
        for moment in range(roll.moments):
            bursts = roll.bursts[roll.moment_of == moment]
            assert bursts[0] == 0
            assert set(np.diff(bursts)) <= {0, 1}


def test_every_scene_occurs_and_devices_prefer_some(rolls):
    counts = np.array([np.bincount(roll.scenes, minlength=SCENES) for roll in rolls])
    np.testing.assert_allclose(counts.sum(0) / counts.sum(), 1 / SCENES, atol=0.03)
    assert np.median(counts.max(1) / counts.sum(1)) > 0.35


def test_within_moments_takes_each_moments_own_mean_away():
    roll = Roll(
        moment_of=np.array([0, 0, 1, 1]),
        bursts=np.zeros(4, np.int64),
        scenes=np.array([0, 0]),
        attributes=np.zeros((4, 10)),
    )
    values = np.array([[1.0, 0.0], [3.0, 0.0], [10.0, 5.0], [20.0, 7.0]])
    np.testing.assert_allclose(roll.within_moments(values), [[-1, 0], [1, 0], [-5, -1], [5, 1]])
