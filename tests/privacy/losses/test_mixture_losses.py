"""A step that several examples join: one of them as a plain step, and exact on the dots."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_deltas import delta_of
from scipy.stats import binom, norm

from privacy.losses import mixture_losses
from privacy.losses.mixture_losses import of_numbers
from privacy.losses.step_losses import of_step

WIDTH = 0.05


def binomial(moments, rate):
    return tuple(binom.pmf(np.arange(moments + 1), moments, rate).tolist())


def exact(likely, noise, point):
    """The δ of a step whose group is removed, and of one whose group is added."""
    numbers = np.arange(len(likely))
    x = np.linspace(-12 * noise, numbers[-1] + 12 * noise, 200_001)
    present = norm.pdf(x[:, None], numbers, noise) @ np.array(likely)
    absent = norm.pdf(x, 0, noise)
    growth = math.exp(point)
    width = x[1] - x[0]
    return (
        np.maximum(present - growth * absent, 0).sum() * width,
        np.maximum(absent - growth * present, 0).sum() * width,
    )


@pytest.mark.parametrize(
    ("moments", "rate", "noise"), [(2, 0.3, 1.0), (5, 0.1, 2.0), (12, 0.7, 6.0)]
)
def test_delta_is_exact_on_the_dots_and_nowhere_below_between(moments, rate, noise):
    likely = binomial(moments, rate)
    both = of_numbers(likely, noise, missing=0.0, interval=WIDTH)
    for quarter in (-6, -4, 0, 1, 2, 4, 7, 8):
        point = quarter * WIDTH / 4
        for losses, wanted in zip(both, exact(likely, noise, point), strict=True):
            found = delta_of(losses, point)
            assert found >= wanted - 1e-8
            if quarter % 4 == 0:
                assert found == pytest.approx(wanted, abs=1e-7)


@given(rate=st.floats(0.01, 0.99), noise=st.floats(0.5, 8), interval=st.floats(0.01, 0.5))
@settings(deadline=None, max_examples=40)
def test_one_example_is_a_plain_step(rate, noise, interval):
    mixture = of_numbers((1 - rate, rate), noise, missing=0.0, interval=interval)
    plain = of_step(rate, noise, interval=interval)
    for found, wanted in zip(mixture, plain, strict=True):
        for point in np.linspace(-1, 2, 7):
            assert delta_of(found, point) == pytest.approx(delta_of(wanted, point), abs=1e-10)


def test_a_group_that_comes_together_is_one_example_of_its_size():
    """All four or none: a plain step at a quarter of the noise."""
    likely = (0.8, 0.0, 0.0, 0.0, 0.2)
    mixture = of_numbers(likely, 8.0, missing=0.0, interval=WIDTH)
    plain = of_step(0.2, 2.0, interval=WIDTH)
    for found, wanted in zip(mixture, plain, strict=True):
        for point in np.linspace(-1, 2, 7):
            assert delta_of(found, point) == pytest.approx(delta_of(wanted, point), abs=1e-10)


def test_numbers_that_are_missing_count_as_an_infinite_loss_where_a_group_is_removed():
    likely = binomial(6, 0.2)
    removed, added = of_numbers(likely, 2.0, missing=0.0, interval=WIDTH)
    short = likely[:4]
    rest = math.fsum(likely[4:])
    cut, cut_added = of_numbers(short, 2.0, missing=rest, interval=WIDTH)
    total = cut.infinite + np.exp(cut.logarithms).sum()
    assert total == pytest.approx(1)
    assert cut.infinite >= rest
    for point in np.linspace(-1, 2, 7):
        assert delta_of(cut, point) >= delta_of(removed, point) - 1e-12
        assert delta_of(cut_added, point) >= delta_of(added, point) - 1e-12


def test_dots_are_the_same_in_blocks_and_at_once(monkeypatch):
    likely = binomial(4, 0.3)
    at_once = of_numbers.__wrapped__(likely, 2.0, missing=0.0, interval=WIDTH)
    monkeypatch.setattr(mixture_losses, "BLOCK", 7)
    in_blocks = of_numbers.__wrapped__(likely, 2.0, missing=0.0, interval=WIDTH)
    for one, other in zip(at_once, in_blocks, strict=True):
        assert one.losses.tolist() == other.losses.tolist()
        assert np.exp(one.logarithms) == pytest.approx(np.exp(other.logarithms), abs=1e-13)
