"""The learning rate rises for fifty steps, and falls to nothing."""

import pytest

from simulations.pretraining.schedule import WARM_UP, pace


@pytest.mark.parametrize(
    ("step", "steps", "share"),
    [
        (0, 10**9, 1 / 50),
        (24, 10**9, 25 / 50),
        (49, 10**9, 1),
        # Half a cosine is at its middle after half of the steps, and (1 + cos 45°) / 2 before.
        (500, 1000, 0.5),
        (250, 1000, 0.853553),
        (1000, 1000, 0),
        # Both at once: a fifth of the warm-up, 10 of 20 steps.
        (9, 18, 0.2 * 0.5),
    ],
)
def test_the_pace_is_worked_by_hand(step, steps, share):
    assert WARM_UP == 50
    assert pace(step, steps=steps) == pytest.approx(share, abs=1e-6)


def test_a_training_that_goes_on_after_its_plan_stands_still():
    assert pace(2_000, steps=1_000) == pytest.approx(0)


def test_after_the_warm_up_the_pace_never_rises():
    paces = [pace(step, steps=400) for step in range(WARM_UP, 400)]
    assert paces == sorted(paces, reverse=True)
