"""One press of the shutter: which part of a scene is taken, and how well."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

# Exponent from the screen's values to light, about that of sRGB: without it a stop of exposure
# doubles what the screen shows and not the light.
_GAMMA = 2.2
# Share of light that a warmth of 1 adds to red and takes from blue.
_TINT = 0.35
# Pixels of a grain's side: finer grain would vanish where the photo is resized.
_GRAIN = 3
# Of 255: the grain's mean and standard deviation, for Pillow resizes bytes. 3.2 deviations fit.
_MIDDLE, _SPREAD = np.float32(128), np.float32(40)


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """The framing and the faults of one photo.

    Attributes:
        across: Centre of the frame, as a share of the scene's width.
        down: The same of its height.
        frame: Side of the square frame as a share of the scene's shorter side.
        tilt: Degrees by which the horizon leans.
        exposure: Stops above a right exposure.
        warmth: 0 is neutral, 1 reddish, -1 bluish.
        colour: 1 is neutral, 0 is grey.
        blur: Standard deviation of the blur, as a share of the photo's side.
        noise: Standard deviation of the grain, as a share of white.
    """

    across: float
    down: float
    frame: float
    tilt: float
    exposure: float
    warmth: float
    colour: float
    blur: float
    noise: float


def take(
    scene: Image.Image, capture: Capture, *, side: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Returns [side, side, 3] uint8 RGB: the scene as this capture shows it.

    The frame is moved as far as needed to lie inside the scene, so no border is ever seen.

    Args:
        scene: RGB picture.
        capture: Framing and faults.
        side: Pixels of the photo's side.
        rng: Draws the grain.
    """
    framed = scene.transform(
        (side, side),
        Image.Transform.AFFINE,
        data=_frame(scene.size, capture, side=side),
        resample=Image.Resampling.BICUBIC,
    )
    blurred = framed.filter(ImageFilter.GaussianBlur(capture.blur * side))
    developed = _develop(np.asarray(blurred, dtype=np.float32) / np.float32(255), capture)
    grainy = developed + np.float32(capture.noise) * _grain(side, rng=rng)
    return np.round(255 * grainy.clip(0, 1)).astype(np.uint8)


def _frame(size: tuple[int, int], capture: Capture, *, side: int) -> tuple[float, ...]:
    """Affine coefficients that map the photo's pixels into the scene's."""
    cos, sin = (f(math.radians(capture.tilt)) for f in (math.cos, math.sin))
    reach = capture.frame * min(size) / 2 * (abs(cos) + abs(sin))
    across, down = (
        min(max(share * length, reach), length - reach)
        for share, length in zip((capture.across, capture.down), size, strict=True)
    )
    a, b = (capture.frame * min(size) / side * f for f in (cos, sin))
    half = side / 2
    return (a, -b, across - (a - b) * half, b, a, down - (a + b) * half)


def _develop(pixels: NDArray[np.float32], capture: Capture) -> NDArray[np.float32]:
    """Exposes and tints: a gain in linear light is a gain's root on the screen."""
    tint = _TINT * capture.warmth
    tints = np.array([1 + tint, 1, 1 - tint], dtype=np.float32).clip(0, None)
    gains = 2**capture.exposure * tints
    shown = (pixels * gains ** (1 / _GAMMA)).clip(0, 1)
    grey = shown.mean(axis=-1, keepdims=True)
    developed: NDArray[np.float32] = grey + np.float32(capture.colour) * (shown - grey)
    return developed


def _grain(side: int, *, rng: np.random.Generator) -> NDArray[np.float32]:
    """[side, side, 3] coarse grain, as a phone's denoiser leaves it; it survives resizing."""
    grains = -(-side // _GRAIN)
    coarse = rng.normal(_MIDDLE, _SPREAD, (grains, grains, 3)).clip(0, 255).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    grain: NDArray[np.float32] = (np.asarray(smooth, dtype=np.float32) - _MIDDLE) / _SPREAD
    return grain
