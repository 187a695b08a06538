"""What a photo is like: ten attributes, drawn for the moments of one device.

A device has a camera, a moment a scene, a place and a subject, a burst a pose, a photo its own
small accidents: photos of a burst are near duplicates, photos of a moment resemble each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT

NAMES = (
    "sharp",
    "still",
    "exposure",
    "clean",
    "colour",
    "size",
    "thirds",
    "level",
    "smile",
    "eyes",
)
# The numbers are made, as the population is. Another one is another population, on which the
# public ranker was not trained and of which docs/results.md says nothing. Measured on 400
# public devices.
SCENES = 8
"""As many as ``scenes.NAMES``."""

MEDIAN_MOMENTS, MOMENTS_SPREAD = 20, 0.6
"""Moments of a device: their median, and the standard deviation of their logarithm. 95% of
devices have 6 to 70."""

LARGEST_LIBRARY = 400
"""Moments of a device at most: the default of ``training.largest_library``, by which the server
bounds the norm of an update. It may refuse that of a larger library."""

EXTRA_PHOTOS = 4.0
"""Mean of the exponential that is added to two photos of a moment, before it is cut at twelve:
a moment has 5.2 photos on average."""

NEW_BURST = 0.4
"""Probability that a photo opens a burst: a burst has 1.9 photos on average."""

SCENE_CONCENTRATION = 0.5
"""Parameter of the Dirichlet distribution of a device's scenes: the median device has 45% of
its moments in one. At 1 and more devices prefer less."""

MOMENT_SPREAD, BURST_SPREAD, PHOTO_SPREAD, CAMERA_SPREAD = 0.6, 0.62, 0.5, 0.25
"""Standard deviations of what the moment, the burst, the photo and the device's camera add to
an attribute, before their sum is standardised: 34%, 36%, 24% and 6% of its variance."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Roll:
    """The latent facts of one device's photos, one after another.

    Attributes:
        moment_of: [photos] int64 index of each photo's moment.
        bursts: [photos] int64 burst inside the moment.
        scenes: [moments] int64 scene of each moment.
        attributes: [photos, 10] standardised: mean 0 and variance 1 over the population; the
            larger, the more of it.
    """

    moment_of: NDArray[np.int64]
    bursts: NDArray[np.int64]
    scenes: NDArray[np.int64]
    attributes: Floats

    @property
    def moments(self) -> int:
        """Number of moments."""
        return len(self.scenes)

    def within_moments(self, values: Floats) -> Floats:
        """[photos, facts] ``values`` less their moment's mean: all that an order can use."""
        sums = np.zeros((self.moments, values.shape[1]))
        np.add.at(sums, self.moment_of, values)
        counts = np.bincount(self.moment_of)
        return np.asarray(values - (sums / counts[:, None])[self.moment_of])


def draw_roll(generator: np.random.Generator) -> Roll:
    """Draws the photos of one device."""
    size = MEDIAN_MOMENTS * np.exp(MOMENTS_SPREAD * generator.standard_normal())
    moments = int(np.clip(np.rint(size), 1, LARGEST_LIBRARY))
    sizes = SMALLEST_MOMENT + generator.exponential(EXTRA_PHOTOS, moments)
    counts = np.minimum(sizes, LARGEST_MOMENT).astype(np.int64)
    moment_of = np.repeat(np.arange(moments), counts)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    opens = generator.uniform(size=len(moment_of)) < NEW_BURST
    opens[first] = True
    burst_of = np.cumsum(opens) - 1
    mix = generator.dirichlet(np.full(SCENES, SCENE_CONCENTRATION))
    return Roll(
        moment_of=moment_of,
        bursts=burst_of - burst_of[first][moment_of],
        scenes=generator.choice(SCENES, moments, p=mix),
        attributes=_attributes(generator, moment_of, burst_of),
    )


def _attributes(
    generator: np.random.Generator,
    moment_of: NDArray[np.int64],
    burst_of: NDArray[np.int64],
) -> Floats:
    """[photos, 10] sums of what device, moment, burst and photo contribute."""
    width = len(NAMES)
    camera = CAMERA_SPREAD * generator.standard_normal(width)
    moment = MOMENT_SPREAD * generator.standard_normal((moment_of[-1] + 1, width))
    burst = BURST_SPREAD * generator.standard_normal((burst_of[-1] + 1, width))
    photo = PHOTO_SPREAD * generator.standard_normal((len(moment_of), width))
    spread = np.sqrt(CAMERA_SPREAD**2 + MOMENT_SPREAD**2 + BURST_SPREAD**2 + PHOTO_SPREAD**2)
    return np.asarray((camera + moment[moment_of] + burst[burst_of] + photo) / spread)
