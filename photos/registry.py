"""The photo sources by name: the settings of each, and how it is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from photos.folder.settings import FolderPhotos
from photos.owned.settings import LibraryPhotos
from photos.sets.settings import FlairPhotos, FlickrAesPhotos, ParaPhotos, PhotoTriagePhotos
from photos.settings import Photos
from photos.source import PhotoSource
from photos.synthetic.settings import SyntheticPhotos


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of photo source.

    Attributes:
        settings: The dataclass of its settings.
        opener: Opens a source from such settings and the run's seed; nothing is loaded yet.
    """

    settings: type[Photos]
    opener: Callable[[Any, int], PhotoSource]


def _synthetic(photos: SyntheticPhotos, seed: int) -> PhotoSource:
    from photos.synthetic.population import SyntheticSource

    return SyntheticSource(photos, seed)


def _folder(photos: FolderPhotos, _seed: int) -> PhotoSource:
    # Who only reads settings needs no decoder of photographs.
    from photos.folder.population import FolderSource

    return FolderSource(photos)


def _photo_triage(photos: PhotoTriagePhotos, _seed: int) -> PhotoSource:
    from photos.sets.photo_triage import PhotoTriageSource

    return PhotoTriageSource(photos)


def _para(photos: ParaPhotos, seed: int) -> PhotoSource:
    from photos.sets.para import open_para

    return open_para(photos, seed)


def _flickr_aes(photos: FlickrAesPhotos, seed: int) -> PhotoSource:
    from photos.sets.flickr_aes import open_flickr_aes

    return open_flickr_aes(photos, seed)


def _flair(photos: FlairPhotos, seed: int) -> PhotoSource:
    from photos.sets.flair.population import FlairSource

    return FlairSource(photos, seed)


def _library(photos: LibraryPhotos, _seed: int) -> PhotoSource:
    from photos.owned.population import LibrarySource

    return LibrarySource(photos)


KINDS: dict[str, Kind] = {
    "synthetic": Kind(SyntheticPhotos, _synthetic),
    "folder": Kind(FolderPhotos, _folder),
    "library": Kind(LibraryPhotos, _library),
    "photo_triage": Kind(PhotoTriagePhotos, _photo_triage),
    "para": Kind(ParaPhotos, _para),
    "flickr_aes": Kind(FlickrAesPhotos, _flickr_aes),
    "flair": Kind(FlairPhotos, _flair),
}
"""Every kind by its name: the value of ``photos.source``, and of ``photos=`` when typed."""

SETTINGS: dict[str, type[Photos]] = {name: kind.settings for name, kind in KINDS.items()}
"""The dataclass of each kind's settings."""


def open_source(photos: Photos, *, seed: int) -> PhotoSource:
    """Opens the population that ``photos`` describe; nothing is loaded yet.

    Raises:
        ValueError: The source holds no libraries.
    """
    return KINDS[photos.source].opener(photos, seed)
