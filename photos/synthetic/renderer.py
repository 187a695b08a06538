"""Draws small photos from their attributes, many at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photos.synthetic.attributes import NAMES, Roll
from photos.synthetic.scenes import GROUND, ROUGHNESS, SKY

AT_ONCE = 32
"""Photos that are drawn at once. Measured at 48 pixels on one thread: 704 photos a second one
by one, 1,053 with 32, no more with 512. Another number draws other photos from the same
seed."""

EXTREME = 2.2
"""Standard deviations of an attribute, beyond which a photo looks no different: 2.8% of
attributes."""

COARSE = 9
"""Points on a side of the texture's pattern, between which it is interpolated."""

STOPS, OVER, UNDER = 1.5, 0.7, 1.2
"""Stops of the worst exposure, and the shares of them by which it is too bright or too dark."""

ASIDE, TILT = 0.17, 0.42
"""Shares of the side between the middle and a third, and radians of the steepest horizon."""

HALF_MOUTH = 0.52
"""Half the width of the mouth, in radii of the head."""

FAR = np.float32(12)
"""Deviations of a blur beyond which a pixel adds nothing: its weight, under 10⁻³¹, is lost in a
sum of float32. Smaller weights are subnormal numbers, with which products take ten times as
long."""

Images = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scenery:
    """What the photos of a moment share.

    Attributes:
        horizon: [moments] height of the horizon, 0 at the top.
        shade: [moments, 3] multiplies the scene's colours.
        texture: [moments, 9, 9] coarse pattern of the surroundings.
        skin: [moments, 3] colour of the head.
        clothes: [moments, 3] colour of the body.
    """

    horizon: Images
    shade: Images
    texture: Images
    skin: Images
    clothes: Images


def draw_scenery(moments: int, generator: np.random.Generator) -> Scenery:
    """Draws the surroundings of each moment."""
    depth = generator.uniform(0.35, 1.0, (moments, 1))
    tone = np.array([0.95, 0.76, 0.62]) * depth
    return Scenery(
        horizon=generator.uniform(0.4, 0.7, moments).astype(np.float32),
        shade=generator.uniform(0.85, 1.15, (moments, 3)).astype(np.float32),
        texture=generator.standard_normal((moments, COARSE, COARSE), np.float32),
        skin=tone.astype(np.float32),
        clothes=generator.uniform(0.1, 0.95, (moments, 3)).astype(np.float32),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pictures:
    """Photos, and which way their faults go.

    Attributes:
        photos: [photos, side, side, 3] uint8.
        signed: [photos, 3] float32 in [-1, 1], what an attribute leaves open: the horizon falls
            to the right or to the left, the subject stands right or left of the middle, the
            photo is too bright or too dark. An attribute is a function of the size alone.
    """

    photos: NDArray[np.uint8]
    signed: NDArray[np.float32]


def render(
    roll: Roll, scenery: Scenery, *, side: int, generator: np.random.Generator
) -> Pictures:
    """Returns the photos of ``roll``.

    Every attribute is visible: blur and motion as softness, exposure as brightness away from
    the middle, noise as grain, colour as saturation, size and thirds in the subject's ellipse,
    level in the horizon, smile and eyes in the face.
    """
    photos = np.empty((len(roll.moment_of), side, side, 3), np.uint8)
    signed = np.empty((len(photos), 3), np.float32)
    for start in range(0, len(photos), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        looks = _Looks.of(roll.attributes[rows], generator)
        image = _painted(looks, roll.moment_of[rows], roll.scenes, scenery, side)
        photos[rows] = _developed(image, looks, generator)
        signed[rows] = looks.signed()
    return Pictures(photos=photos, signed=signed)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Looks:
    """Every [photos]: what the attributes mean in pixels and stops, as shares of the side."""

    blur: Images
    motion: Images
    stops: Images
    grain: Images
    saturation: Images
    radius: Images
    x: Images
    tilt: Images
    smile: Images
    eyes: Images

    @classmethod
    def of(cls, attributes: Floats, generator: np.random.Generator) -> "_Looks":
        bounded = np.clip(attributes, -EXTREME, EXTREME) / EXTREME
        more = {name: (1 + bounded[:, i]) / 2 for i, name in enumerate(NAMES)}
        less = {name: 1 - share for name, share in more.items()}
        sign = generator.choice([-1.0, 1.0], (3, len(attributes)))
        values = {
            "blur": 0.006 + 0.036 * less["sharp"] ** 1.5,
            "motion": 0.14 * less["still"] ** 1.5,
            "stops": STOPS * less["exposure"] ** 1.5 * np.where(sign[0] > 0, OVER, -UNDER),
            "grain": 0.12 * less["clean"] ** 1.5,
            "saturation": 0.1 + 1.3 * more["colour"],
            "radius": 0.10 + 0.13 * more["size"],
            "x": 0.5 + sign[1] * (ASIDE - ASIDE * less["thirds"]),
            "tilt": TILT * less["level"] * sign[2],
            "smile": 2 * more["smile"] - 1,
            "eyes": more["eyes"],
        }
        return cls(**{name: value.astype(np.float32) for name, value in values.items()})

    def signed(self) -> Images:
        """[photos, 3] as in ``Pictures``."""
        away = self.stops / STOPS / np.where(self.stops > 0, OVER, UNDER)
        return np.stack([self.tilt / TILT, (self.x - 0.5) / ASIDE, away], 1)


def _painted(
    looks: _Looks,
    moment_of: NDArray[np.int64],
    scenes: NDArray[np.int64],
    scenery: Scenery,
    side: int,
) -> Images:
    """[photos, 3, side, side] before the camera's faults."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    x, y = axis[None, None, :], axis[None, :, None]
    scene = scenes[moment_of]
    edge = _each(scenery.horizon[moment_of]) + _each(np.tan(looks.tilt)) * (x - 0.5)
    ground = np.clip((y - edge) * side * 0.5 + 0.5, 0, 1)
    shade = scenery.shade[moment_of]
    sky, soil = SKY[scene] * shade, GROUND[scene] * shade
    rough = _each(ROUGHNESS[scene]) * _texture(scenery.texture[moment_of], side)
    light = (1 + rough * (0.35 + 0.65 * ground))[:, None]
    image = _blend(_fill(sky), _fill(soil), ground) * light
    return _with_person(image, looks, scenery, moment_of, x=x, y=y)


def _with_person(
    image: Images,
    looks: _Looks,
    scenery: Scenery,
    moment_of: NDArray[np.int64],
    *,
    x: Images,
    y: Images,
) -> Images:
    """Adds a body, a head, eyes and a mouth."""
    r = _each(looks.radius)
    across, down = (x - _each(looks.x)) / r, (y - np.float32(0.46)) / r
    skin = scenery.skin[moment_of]
    body = _ellipse(across / 1.5, (down - 3.0) / 2.2, softness=6)
    image = _blend(image, _fill(scenery.clothes[moment_of]), body)
    image = _blend(image, _fill(skin), _ellipse(across, down, softness=5))
    opening = 0.06 + 0.24 * _each(looks.eyes)
    eyes = _ellipse((np.abs(across) - 0.42) / 0.24, (down + 0.22) / opening, softness=2)
    curve = 0.5 + _each(looks.smile) * (0.22 - 0.9 * across * across)
    mouth = np.clip(1.6 - np.abs(down - curve) / 0.13, 0, 1) * (np.abs(across) < HALF_MOUTH)
    face = np.maximum(eyes, mouth)
    return _blend(image, _fill(skin * np.float32(0.12)), face)


def _developed(
    image: Images, looks: _Looks, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """[photos, side, side, 3] uint8 through lens and sensor."""
    side = image.shape[-1]
    grey = image.mean(1, keepdims=True)
    image = grey + looks.saturation[:, None, None, None] * (image - grey)
    lens = _kernel(looks.blur, np.zeros_like(looks.blur), side)
    shake = _kernel(looks.blur, looks.motion, side)
    image = lens[:, None] @ image @ shake[:, None].transpose(0, 1, 3, 2)
    image *= np.exp2(looks.stops)[:, None, None, None]
    grain = generator.standard_normal(image.shape, np.float32)
    grain *= looks.grain[:, None, None, None]
    image += grain
    np.clip(image, 0, 1, out=image)
    image *= 255
    return np.rint(image, out=image).astype(np.uint8).transpose(0, 2, 3, 1)


def _kernel(blur: Images, motion: Images, side: int) -> Images:
    """[photos, side, side] rows that average along one axis: Gaussian, widened by motion."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    apart = np.abs(axis[:, None] - axis[None, :])[None]
    beyond = np.maximum(apart - _each(motion) / 2, 0) / _each(blur)
    weights = np.exp(-0.5 * np.minimum(beyond, FAR) ** 2) * (beyond < FAR)
    return np.asarray(weights / weights.sum(-1, keepdims=True), np.float32)


def _texture(coarse: Images, side: int) -> Images:
    """[photos, side, side] the coarse pattern, interpolated linearly."""
    places = np.linspace(0, COARSE - 1, side, dtype=np.float32)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(COARSE, dtype=np.float32)))
    return np.asarray(weights @ coarse @ weights.T)


def _ellipse(across: Images, down: Images, *, softness: float) -> Images:
    return np.clip((1 - across * across - down * down) * softness, 0, 1)


def _each(values: Images) -> Images:
    return values[:, None, None]


def _fill(colours: Images) -> Images:
    return colours[:, :, None, None]


def _blend(under: Images, over: Images, mask: Images) -> Images:
    return under + mask[:, None] * (over - under)
