"""Which moments train."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photos.library import Library, Moment
from photos.split import held_out_moments, training_moments, trains


def _moment(number: int) -> Moment:
    return Moment(
        number=number,
        photos=np.zeros((2, 16, 16, 3), np.uint8),
        bursts=np.arange(2),
        feedback=np.ones(2, np.int64),
        expected_gain=None,
    )


def _library(numbers, device=7) -> Library:
    return Library(device=device, moments=tuple(map(_moment, numbers)), skipped={})


def _numbers(moments) -> list[int]:
    return [moment.number for moment in moments]


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_about_the_share_is_held_out_of_every_device(share):
    for device in range(3):
        held_out = [
            not trains(number, seed=1, device=device, held_out_share=share)
            for number in range(4000)
        ]
        assert np.mean(held_out) == pytest.approx(share, abs=0.03)


def test_with_a_share_of_0_every_moment_trains():
    library = _library(range(50))
    assert training_moments(library, seed=0, held_out_share=0) == library.moments
    assert held_out_moments(library, seed=0, held_out_share=0) == ()


@given(st.sets(st.integers(0, 2**63 - 1), min_size=2, max_size=20), st.data())
@settings(deadline=None, max_examples=50)
def test_removing_a_moment_moves_no_other_across_the_split(numbers, data):
    removed = data.draw(st.sampled_from(sorted(numbers)))
    whole, rest = _library(sorted(numbers)), _library(sorted(numbers - {removed}))
    for side in (training_moments, held_out_moments):
        before = _numbers(side(whole, seed=3, held_out_share=0.4))
        after = _numbers(side(rest, seed=3, held_out_share=0.4))
        assert [number for number in before if number != removed] == after


def test_both_sides_together_are_the_library_in_order():
    library = _library(range(100))
    training = _numbers(training_moments(library, seed=5, held_out_share=0.3))
    held_out = _numbers(held_out_moments(library, seed=5, held_out_share=0.3))
    assert sorted(training + held_out) == list(range(100))
    assert training == sorted(training)
    assert held_out == sorted(held_out)


def test_the_split_differs_between_seeds_and_devices():
    def split(seed, device):
        return [trains(n, seed=seed, device=device, held_out_share=0.5) for n in range(64)]

    assert split(0, 0) == split(0, 0)
    assert split(0, 0) != split(1, 0)
    assert split(0, 0) != split(0, 1)
    assert split(0, 1) != split(1, 0)


def test_a_larger_share_only_adds_held_out_moments():
    for number in range(500):
        if not trains(number, seed=2, device=1, held_out_share=0.1):
            assert not trains(number, seed=2, device=1, held_out_share=0.3)
