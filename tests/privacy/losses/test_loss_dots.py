"""Losses given to dots: by hand, and δ nowhere below the exact one, of one step and of two."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_deltas import delta_of
from scipy.special import ndtr
from scipy.stats import norm

from privacy.losses.loss_dots import between, on_dots
from privacy.losses.step_losses import of_step

shares = st.lists(st.floats(1e-6, 1), min_size=2, max_size=6)


def test_what_lies_between_two_dots_keeps_its_probability_under_both():
    """Dots at 0 and ln 2, and 0.3 of P and 0.2 of Q between them: 0.1 below and 0.2 above.

    0.1 + 0.2 is 0.3 of P, and 0.1 + 0.2 / 2 is 0.2 of Q. Above the last dot Q has 0.1, so that
    0.2 of P has its loss and 0.1 an infinite one; all that is below the first is rounded up.
    """
    width = math.log(2)
    found = on_dots(
        np.array([0.4, 0.3, 0.3]),
        np.array([0.5, 0.2, 0.1]),
        np.array([0.0, width]),
        interval=width,
    )
    assert np.exp(found.logarithms) == pytest.approx([0.4 + 0.1, 0.2 + 0.2])
    assert found.infinite == pytest.approx(0.1)


def exact(p, q, epsilon):
    return float(np.maximum(p - math.exp(epsilon) * q, 0).sum())


def given_to_dots(p, q, *, interval):
    """The losses of two finite distributions, binned to dots that hold all but the ends."""
    losses = np.log(p / q)
    first = math.floor(losses.min() / interval) + 1
    dots = np.arange(first, max(first, math.ceil(losses.max() / interval) - 1) + 1) * interval
    bins = np.searchsorted(dots, losses, side="right")
    of_p, of_q = (np.bincount(bins, weights=one, minlength=len(dots) + 1) for one in (p, q))
    return on_dots(of_p, of_q, dots, interval=interval)


@given(shares, shares, st.floats(0.05, 2))
@settings(deadline=None)
def test_delta_is_nowhere_lower_on_the_dots_of_one_step_and_of_two(left, right, interval):
    size = min(len(left), len(right))
    p, q = (np.array(one[:size]) / sum(one[:size]) for one in (left, right))
    found = given_to_dots(p, q, interval=interval)
    assert found.infinite + np.exp(found.logarithms).sum() == pytest.approx(1)
    masses = np.exp(found.logarithms)
    sums = (found.losses[:, None] + found.losses).ravel()
    both = np.outer(masses, masses).ravel()
    twice_p, twice_q = np.outer(p, p).ravel(), np.outer(q, q).ravel()
    for epsilon in np.linspace(-4, 4, 9):
        assert delta_of(found, epsilon) >= exact(p, q, epsilon) - 1e-12
        finite = both @ np.maximum(-np.expm1(epsilon - sums), 0)
        of_two = finite + 1 - (1 - found.infinite) ** 2
        assert of_two >= exact(twice_p, twice_q, epsilon) - 1e-12


@pytest.mark.parametrize(("rate", "noise"), [(0.01, 0.6), (0.3, 2.0), (1.0, 5.0), (1e-4, 0.4)])
@pytest.mark.parametrize("interval", [0.3, 0.01])
def test_delta_of_a_step_is_exact_on_the_dots_and_nowhere_below_between(rate, noise, interval):
    removed, added = of_step(rate, noise, interval=interval)
    points = np.arange(-8, 9) * interval / 4

    def outputs(loss):
        return 0.5 + noise**2 * np.log(np.maximum(np.expm1(loss) / rate + 1, 1e-300))

    def present(x):
        return (1 - rate) * ndtr(x / noise) + rate * ndtr((x - 1) / noise)

    above = outputs(points)
    of_removed = 1 - present(above) - np.exp(points) * ndtr(-above / noise)
    below = outputs(-points)
    of_added = ndtr(below / noise) - np.exp(points) * present(below)
    for losses, exact in ((removed, of_removed), (added, of_added)):
        found = np.array([delta_of(losses, point) for point in points])
        assert (found >= exact - 1e-13).all()
        assert found[::4] == pytest.approx(exact[::4], abs=1e-13)
        assert losses.infinite + np.exp(losses.logarithms).sum() == pytest.approx(1)


def test_far_tails_keep_their_digits():
    """Between 9 and 10, and below -9: differences of survival functions, not of their rests."""
    found = between(np.array([-9.0, 0.0, 9.0, 10.0]))
    expected = [
        norm.sf(9),
        0.5 - norm.sf(9),
        0.5 - norm.sf(9),
        norm.sf(9) - norm.sf(10),
        norm.sf(10),
    ]
    assert found == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.floats(-12, 12), min_size=1, max_size=9).map(sorted))
def test_probabilities_between_borders_are_none_below_zero_and_one_together(borders):
    found = between(np.array([-math.inf, *borders]))
    assert (found >= 0).all()
    assert found[0] == 0
    assert math.fsum(found) == pytest.approx(1, abs=1e-15)
