"""What owners like: a common taste, personal deviations, and liking what stands out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photos.synthetic.attributes import NAMES, SCENES, Roll
from photos.synthetic.settings import SyntheticPhotos

# The numbers are made, as the population is.
STRENGTH = 1.0
"""Length of the common taste's ten weights: utility for each standard deviation along them."""

PERSONAL = 0.55
"""Root mean square length of an owner's own deviation from it. Owners of the public split have
a cosine of 0.88 with the common taste, on average over 200. At 0 all owners agree."""

SCENE_LIKING = 0.4
"""Standard deviation of an owner's liking of a scene, which moves the utility of all photos of
a moment alike."""

USUAL_DISTANCE = 1.9
"""About the mean of a photo's distance from its moment's mean: 1.87 on 400 devices. Without it
liking what stands out would raise all photos, and more would be kept."""

CONSTANT = 0xDA2C
"""Seed of the common tastes, the same for every run. Another one is another public and private
taste."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Taste:
    """How one population, or one owner, turns attributes into utility.

    Attributes:
        weights: [scenes, 10] weight of each attribute in each scene.
        scene_liking: [scenes] added to every photo of a scene.
        context: Weight of a photo's distance from its moment's other photos.
    """

    weights: Floats
    scene_liking: Floats
    context: float

    def utility(self, roll: Roll) -> Floats:
        """[photos] how much each photo is liked."""
        return self.own_utility(roll) + self.context * standing_out(roll)

    def own_utility(self, roll: Roll) -> Floats:
        """[photos] the part that a photo's own attributes explain."""
        scenes = roll.scenes[roll.moment_of]
        liked = (self.weights[scenes] * roll.attributes).sum(1)
        return np.asarray(liked + self.scene_liking[scenes])


def public_taste() -> Taste:
    """The common taste of the public split: the same for every seed."""
    return Taste(
        weights=np.tile(_public_weights(), (SCENES, 1)),
        scene_liking=np.zeros(SCENES),
        context=0.0,
    )


def private_taste(photos: SyntheticPhotos) -> Taste:
    """The common taste of the private population, as far from the public one as settings say.

    Cosine 1, no flips and no context preference give the public taste itself.
    """
    public = _public_weights()
    aside = _unit(_across(_constants(1, photos.taste).standard_normal(len(NAMES)), public))
    angle = np.arccos(photos.taste_cosine)
    weights = np.cos(angle) * public + np.sin(angle) * STRENGTH * aside
    return Taste(
        weights=np.where(_flipped(photos), -1, 1) * weights,
        scene_liking=np.zeros(SCENES),
        context=photos.context_preference,
    )


def personal(common: Taste, generator: np.random.Generator) -> Taste:
    """Draws one owner's taste around the common one."""
    deviation = generator.standard_normal(len(NAMES)) * PERSONAL / np.sqrt(len(NAMES))
    return Taste(
        weights=common.weights + deviation,
        scene_liking=common.scene_liking + SCENE_LIKING * generator.standard_normal(SCENES),
        context=common.context,
    )


def standing_out(roll: Roll) -> Floats:
    """[photos] Euclidean distance of a photo's attributes from their mean over its moment.

    Less what it is on average, so that liking it does not raise all photos.
    """
    apart = roll.within_moments(roll.attributes)
    return np.asarray(np.linalg.norm(apart, axis=1) - USUAL_DISTANCE)


def _public_weights() -> Floats:
    """[10] everybody likes sharp, well exposed photos of smiling people, more or less."""
    return STRENGTH * _unit(0.4 + _constants(0).uniform(size=len(NAMES)))


def _flipped(photos: SyntheticPhotos) -> NDArray[np.bool_]:
    """[scenes, 10] which weights the private population turns round."""
    order = _constants(2, photos.taste).permutation(SCENES * len(NAMES))
    flipped = np.zeros(SCENES * len(NAMES), bool)
    flipped[order[: photos.taste_flips]] = True
    return flipped.reshape(SCENES, len(NAMES))


def _constants(*purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([CONSTANT, *purpose]))


def _across(vector: Floats, direction: Floats) -> Floats:
    along = _unit(direction)
    return np.asarray(vector - (vector @ along) * along)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))
