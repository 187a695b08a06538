"""The settings of downloaded public sets: what they have in common, then each set's own."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from annotated_types import Interval

from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT
from photos.settings import Photos

LOWEST_RATING, HIGHEST_RATING = 1, 5
"""The scale of PARA and of FLICKR-AES. A number outside it is no rating, and its row is left
out: averaged in, a 0 or a 10 would turn orders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadedPhotos(Photos):
    """A public set in a folder of the user's; ``devices`` null takes all not held out.

    Attributes:
        root: The folder of the downloaded copy; ~ is the user's own. Nothing is ever fetched.
    """

    root: str

    def flaw(self) -> str:
        """Returns the sentence that asks for a root, or "" where there is one."""
        if self.root:
            return ""
        return f"photos.root is empty but photos={self.source}; add photos.root=DIR."

    def identity(self, *, seed: int) -> dict[str, Any]:
        """Returns source, folder and what else the moments follow from."""
        return {
            "photos.source": self.source,
            "photos.root": str(self.folder().resolve()),
            **self.cut(seed=seed),
        }

    def cut(self, *, seed: int) -> dict[str, Any]:
        """Returns by full name what says which photos make a device's moments.

        A moment is what ε is said of: runs that cut photos otherwise protect other moments.
        """
        return {}

    def absolute(self) -> Self:
        """Returns the same settings with the root's absolute path."""
        return replace(self, root=str(self.folder().absolute()))

    def folder(self) -> Path:
        """Returns where the root is; as it stands for a user unknown."""
        try:
            return Path(self.root).expanduser()
        except RuntimeError:
            return Path(self.root)


@dataclass(frozen=True, kw_only=True, slots=True)
class CutPhotos(DownloadedPhotos):
    """A public set without moments of its own, in which each person's photos are cut into some.

    Attributes:
        moment_size: Photos of a moment. They are drawn without replacement by the run's seed.
    """

    moment_size: Annotated[int, Interval(ge=SMALLEST_MOMENT, le=LARGEST_MOMENT)]

    def cut(self, *, seed: int) -> dict[str, Any]:
        """Returns size and seed of the moments."""
        return {"photos.moment_size": self.moment_size, "seed": seed}


@dataclass(frozen=True, kw_only=True, slots=True)
class RatedPhotos(CutPhotos):
    """A public set in which people rated photos from 1 to 5.

    Attributes:
        favourite_from: Ratings from it on make a favourite.
        delete_to: Ratings up to it make a deleted photo; those between are kept.
    """

    favourite_from: Annotated[float, Interval(ge=LOWEST_RATING, le=HIGHEST_RATING)]
    delete_to: Annotated[float, Interval(ge=LOWEST_RATING, le=HIGHEST_RATING)]

    def flaw(self) -> str:
        """Returns the sentence that refuses these settings, or ""."""
        if not self.delete_to < self.favourite_from:
            return (
                f"photos.delete_to={self.delete_to:g} is not below photos.favourite_from="
                f"{self.favourite_from:g}; lower the first or raise the second."
            )
        return CutPhotos.flaw(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParaPhotos(RatedPhotos):
    """PARA: a device is one subject.

    Attributes:
        rating: The column that counts as a subject's rating.
    """

    source: Literal["para"] = "para"
    rating: Literal["aestheticScore", "contentPreference", "willingnessToShare"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FlickrAesPhotos(RatedPhotos):
    """FLICKR-AES: a device is one worker."""

    source: Literal["flickr_aes"] = "flickr_aes"


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoTriagePhotos(DownloadedPhotos):
    """Photo Triage: a moment is one series, and a device some numbers of series in a row.

    Attributes:
        device_series: Numbers of series of one device: it has the series from k times as many
            up to k + 1 times, those that there are.
    """

    source: Literal["photo_triage"] = "photo_triage"
    device_series: Annotated[int, Interval(ge=1, le=100_000)]

    def cut(self, *, seed: int) -> dict[str, Any]:
        """Returns which series make a device."""
        return {"photos.device_series": self.device_series}


@dataclass(frozen=True, kw_only=True, slots=True)
class FlairPhotos(CutPhotos):
    """FLAIR: a device is one user, with a simulated taste.

    Attributes:
        held_out: The part whose users never train; those who do are of ``train``.
        heterogeneity: Standard deviation of owners' simulated weights of labels around the
            common ones, whose own is 1; 0 gives all owners one taste.
    """

    source: Literal["flair"] = "flair"
    held_out: Literal["val", "test"]
    heterogeneity: Annotated[float, Interval(ge=0, le=10)]

    def cut(self, *, seed: int) -> dict[str, Any]:
        """Returns what the moments and their simulated feedback follow from."""
        simulated = {"photos.heterogeneity": self.heterogeneity}
        return {**CutPhotos.cut(self, seed=seed), **simulated}
