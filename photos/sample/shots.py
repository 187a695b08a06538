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
# Most that a rare fault comes to: blur as a share of the side, grain as a share of white.
_MOST = 0.04


@dataclass(frozen=True, kw_only=True, slots=True)
class Shooting:
    """How much photos differ: of the moment's frames, and ``jolt`` between those of a burst.

    Attributes:
        tilt: Standard deviation, degrees.
        tilt_jolt: The same within a burst.
        exposure: Standard deviation, stops.
        exposure_jolt: The same within a burst.
        warmth: Standard deviation.
        warmth_jolt: The same within a burst.
        colour: Least and most.
        blur: Scale of the deviation of a photo's blur, as a share of its side.
        noise: Scale of the grain of a frame, as a share of white.
        noise_jolt: The same of what is added within a burst.
        rarity: Power of the exponential draws of blur and grain: at 1 most photos have some, at
            3 few have much.
    """

    tilt: float
    tilt_jolt: float
    exposure: float
    exposure_jolt: float
    warmth: float
    warmth_jolt: float
    colour: tuple[float, float]
    blur: float
    noise: float
    noise_jolt: float
    rarity: int


STRONG = Shooting(
    tilt=3,
    tilt_jolt=2,
    exposure=0.6,
    exposure_jolt=0.25,
    warmth=0.7,
    warmth_jolt=0.25,
    colour=(0.5, 1.4),
    blur=0.01,
    noise=0.03,
    noise_jolt=0.02,
    rarity=1,
)
"""Of the sample's first version: nearly every photo is blurred, grainy and off in colour."""

PHONE = Shooting(
    tilt=2,
    tilt_jolt=1,
    exposure=0.4,
    exposure_jolt=0.25,
    warmth=0.4,
    warmth_jolt=0.1,
    colour=(0.8, 1.2),
    blur=0.001,
    noise=0.0015,
    noise_jolt=0.0005,
    rarity=3,
)
"""As of a phone: half the photos have a blur of less than 0.04% of their side, one in ten more
than 1.2%; half the frames have a grain of less than 0.05% of white, one in ten more than 2%."""


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


def draw_shots(
    start: datetime, *, shooting: Shooting, rng: np.random.Generator
) -> tuple[Shot, ...]:
    """Draws a moment: bursts of nearby frames, each photo with faults of its own.

    Args:
        start: When it begins.
        shooting: How much the photos differ.
        rng: Draws everything.
    """
    count = min(_LARGEST_MOMENT, 2 + int(rng.exponential(3.5)))
    place = rng.uniform(0.2, 0.8, 2)
    shots: list[Shot] = []
    taken, burst, framed = start, -1, None
    for _ in range(count):
        if framed is None or rng.random() < _NEW_BURST:
            framed, burst = _frame(place, shooting, rng=rng), burst + 1
            taken += timedelta(seconds=rng.uniform(20, 120))
        taken += timedelta(milliseconds=int(rng.uniform(200, 900)))
        shots.append(Shot(capture=_jolted(framed, shooting, rng=rng), taken=taken, burst=burst))
    return tuple(shots)


def _frame(
    place: NDArray[np.float64], shooting: Shooting, *, rng: np.random.Generator
) -> Capture:
    across, down = place + rng.normal(0, 0.04, 2)
    return Capture(
        across=across,
        down=down,
        frame=rng.uniform(0.54, 0.84),
        tilt=rng.normal(0, shooting.tilt),
        exposure=rng.normal(0, shooting.exposure),
        warmth=rng.normal(0, shooting.warmth),
        colour=rng.uniform(*shooting.colour),
        blur=0.0,
        noise=_rare(shooting.noise, shooting, rng=rng),
    )


def _jolted(framed: Capture, shooting: Shooting, *, rng: np.random.Generator) -> Capture:
    return replace(
        framed,
        across=framed.across + rng.normal(0, 0.02),
        down=framed.down + rng.normal(0, 0.02),
        tilt=np.clip(framed.tilt + rng.normal(0, shooting.tilt_jolt), -_MOST_TILT, _MOST_TILT),
        exposure=framed.exposure + rng.normal(0, shooting.exposure_jolt),
        warmth=framed.warmth + rng.normal(0, shooting.warmth_jolt),
        blur=_rare(shooting.blur, shooting, rng=rng),
        noise=framed.noise + _rare(shooting.noise_jolt, shooting, rng=rng),
    )


def _rare(scale: float, shooting: Shooting, *, rng: np.random.Generator) -> float:
    """``scale`` times a power of an exponential draw, at most ``_MOST``."""
    if shooting.rarity == 1:
        return float(rng.exponential(scale))
    return min(_MOST, scale * float(rng.exponential()) ** shooting.rarity)
