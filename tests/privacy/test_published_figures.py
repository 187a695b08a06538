"""Figures that others have published, found again by our accounting."""

import math

import numpy as np
import pytest

from privacy.accounting import analytic_gaussian, pld, rdp, renyi_conversion
from privacy.correlation.buffered_toeplitz import BufferedToeplitz

ORDERS = (*(1 + tenth / 10 for tenth in range(1, 100)), *map(float, range(12, 64)))


def classic(*, rate, noise_multiplier, steps, delta):
    """The conversion of Mironov 2017, over the orders that TensorFlow Privacy takes."""
    costs = {order: steps * rdp.step_rdp(rate, noise_multiplier, order) for order in ORDERS}
    return min(cost + math.log(1 / delta) / (order - 1) for order, cost in costs.items())


@pytest.mark.parametrize(
    ("examples", "batch", "noise_multiplier", "epochs", "delta", "published"),
    [
        (60_000, 150, 1.3, 15, 1e-5, 0.7242234026),
        (100_000, 100, 1.0, 30, 1e-7, 1.4154988495),
    ],
)
def test_renyi_accounting_gives_the_figures_of_the_tests_of_tensorflow_privacy(
    examples, batch, noise_multiplier, epochs, delta, published
):
    steps = {
        "rate": batch / examples,
        "noise_multiplier": noise_multiplier,
        "steps": epochs * examples // batch,
        "delta": delta,
    }
    assert rdp.epsilon(**steps) == pytest.approx(published, rel=1e-8)
    assert pld.epsilon(**steps) < published


@pytest.mark.parametrize(
    ("rate", "noise_multiplier", "steps", "published"),
    [
        # TensorFlow Privacy's table of MNIST: batches of 256 of 60,000, 15, 60 and 45 epochs.
        (256 / 60_000, 1.3, 15 * 60_000 // 256, 1.19),
        (256 / 60_000, 1.1, 60 * 60_000 // 256, 3.01),
        (256 / 60_000, 0.7, 45 * 60_000 // 256, 7.10),
        # Abadi et al. 2016, section 3.2.
        (0.01, 4.0, 10_000, 1.26),
    ],
)
def test_older_tables_follow_from_the_classic_conversion_and_ours_are_below_them(
    rate, noise_multiplier, steps, published
):
    run = {
        "rate": rate,
        "noise_multiplier": noise_multiplier,
        "steps": steps,
        "delta": 1e-5,
    }
    assert classic(**run) == pytest.approx(published, abs=0.005)
    assert pld.epsilon(**run) < rdp.epsilon(**run) < published


def test_the_budget_of_gboard_is_that_of_its_zero_concentrated_privacy():
    # ρ = 0.81 at δ = 1e-10: 8.92 by Rényi divergences α ρ, as Xu et al. 2023 say it.
    divergences = {order: 0.81 * order for order in np.arange(1.1, 20, 0.01).tolist()}
    assert renyi_conversion.epsilon(divergences, delta=1e-10) == pytest.approx(8.92, abs=0.01)
    # A Gaussian mechanism of the same ρ = 1 / 2σ² costs less than all that have this ρ.
    assert analytic_gaussian.epsilon(1 / math.sqrt(2 * 0.81), delta=1e-10) < 8.92


def test_the_two_buffers_of_jax_privacys_test_come_near_the_square_root():
    rounds = 100_000
    buffers = BufferedToeplitz(
        output=(0.0122853238, 0.1878393665), decay=(0.9999528892, 0.9857068667)
    )
    column = buffers.coefficients(rounds)
    impulse = np.zeros(rounds)
    impulse[0] = 1
    prefix = np.cumsum(buffers.divided(impulse))
    largest = math.sqrt(prefix @ prefix * (column @ column))
    # The square root's, with a sensitivity and a largest error of Σ (C(2k, k) / 4^k)² each.
    ratios = np.arange(1, 2 * rounds - 2, 2) / np.arange(2, 2 * rounds - 1, 2)
    root = float(np.square(np.cumprod([1.0, *ratios])).sum())
    assert root == pytest.approx((math.log(16 * rounds) + 0.57722) / math.pi, abs=1e-4)
    assert root < largest < 1.12 * root
