"""The versions of the sample: how its photos are taken, of what, and what owners like."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from photos.sample.owner import Owners, merits, phone_merits
from photos.sample.shots import PHONE, STRONG, Shooting
from photos.sample.source_pictures import MORE_PICTURES, PICTURES, SourcePicture


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One sample.

    Attributes:
        shooting: How much its photos differ.
        owners: What their owners have in common.
        pictures: What is photographed.
    """

    shooting: Shooting
    owners: Owners
    pictures: tuple[SourcePicture, ...]


VERSIONS: Mapping[int, Version] = MappingProxyType(
    {
        # Sharp, level, clean, bright, warm, colourful, wide: unlike the public ranker's owners,
        # these want bright and warm photos, and grain is all the same to them. An owner's own
        # part is 0.53 long in all, beside 2.15 of the common.
        1: Version(
            shooting=STRONG,
            owners=Owners(
                merits=merits, common=(0.8, 0.4, 0.0, 1.5, 1.2, 0.2, 0.3), own=(0.2,) * 7
            ),
            pictures=PICTURES,
        ),
        # Sharp, level, clean and rightly exposed photos are what people want; these owners want
        # them moody, warm and tight besides, each to a degree of their own: 1.03 long in all,
        # beside 2.04 of the common.
        2: Version(
            shooting=PHONE,
            owners=Owners(
                merits=phone_merits,
                common=(1.2, 0.4, 0.6, 0.8, -0.5, 0.8, 0.3, -0.7),
                own=(0.15,) * 4 + (0.5,) * 4,
            ),
            pictures=(*PICTURES, *MORE_PICTURES),
        ),
    }
)
"""The versions by their numbers."""

USUAL = 1
"""What is written where no version is named: the one that most figures are of."""
