"""The photos that are taken of one scene, one after another: framed anew or held on to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from photos.sample.capture import Capture

# Photos: 17% of moments are cut to it.
_LARGEST_MOMENT = 8
# Probability that a photo opens a burst: 2.4 bursts a moment of 4.5 photos.
_NEW_BURST = 0.4
# The widest frame, leaning this much, still lies inside the scene: 0.84 (cos + sin) < 1.
_MOST_TILT = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One photo to be taken.

    Attributes:
        capture: Its framing and its faults.
        taken: When.
        burst: Its burst inside the moment.
    """

    capture: Capture
    taken: datetime
    burst: int


def draw_shots(start: datetime, *, rng: np.random.Generator) -> tuple[Shot, ...]:
    """Draws a moment: bursts of nearby frames, each photo with faults of its own.

    Args:
        start: When it begins.
        rng: Draws everything.
    """
    count = min(_LARGEST_MOMENT, 2 + int(rng.exponential(3.5)))
    place = rng.uniform(0.2, 0.8, 2)
    shots: list[Shot] = []
    taken, burst, framed = start, -1, None
    for _ in range(count):
        if framed is None or rng.random() < _NEW_BURST:
            framed, burst = _frame(place, rng=rng), burst + 1
            taken += timedelta(seconds=rng.uniform(20, 120))
        taken += timedelta(milliseconds=int(rng.uniform(200, 900)))
        shots.append(Shot(capture=_jolted(framed, rng=rng), taken=taken, burst=burst))
    return tuple(shots)


def _frame(place: NDArray[np.float64], *, rng: np.random.Generator) -> Capture:
    across, down = place + rng.normal(0, 0.04, 2)
    return Capture(
        across=across,
        down=down,
        frame=rng.uniform(0.54, 0.84),
        tilt=rng.normal(0, 3),
        exposure=rng.normal(0, 0.6),
        warmth=rng.normal(0, 0.7),
        colour=rng.uniform(0.5, 1.4),
        blur=0.0,
        noise=rng.exponential(0.03),
    )


def _jolted(framed: Capture, *, rng: np.random.Generator) -> Capture:
    return replace(
        framed,
        across=framed.across + rng.normal(0, 0.02),
        down=framed.down + rng.normal(0, 0.02),
        tilt=np.clip(framed.tilt + rng.normal(0, 2), -_MOST_TILT, _MOST_TILT),
        exposure=framed.exposure + rng.normal(0, 0.25),
        warmth=framed.warmth + rng.normal(0, 0.25),
        blur=rng.exponential(0.01),
        noise=framed.noise + rng.exponential(0.02),
    )
