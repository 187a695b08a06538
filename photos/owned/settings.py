"""The settings of one's own photo library: how moments, bursts and ratings are read."""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from annotated_types import Gt, Interval, Le

from photos.settings import Photos


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryPhotos(Photos):
    """A folder of photographs as people have it, with the ratings that lie in and beside them.

    Attributes:
        root: The folder; ~ is the user's own.
        devices_by: ``whole``: the folder is one device; ``folder``: each folder in it is one.
        gap: Minutes without a photo that end a moment.
        zone: Time zone of clocks that do not say theirs, such as Europe/Berlin.
        burst_gap: Seconds between two photos of a burst at most.
        burst_distance: Bits of 64 in which the difference hashes of two photos of a burst may
            differ.
        favourite_from: Stars that make a favourite; fewer keep the photo.
    """

    source: Literal["library"] = "library"
    root: str
    devices_by: Literal["whole", "folder"]
    gap: Annotated[float, Gt(0), Le(10_080)]
    zone: str
    burst_gap: Annotated[float, Interval(ge=0, le=3600)]
    burst_distance: Annotated[int, Interval(ge=0, le=64)]
    favourite_from: Annotated[int, Interval(ge=1, le=5)]

    def flaw(self) -> str:
        """Returns the sentence that refuses these settings, or "" where nothing is wrong."""
        if not self.root:
            return "photos.root is empty but photos=library; add photos.root=DIR."
        if self.devices_by == "whole" and (self.devices not in (None, 1)):
            return (
                f"photos.devices={self.devices} but photos.devices_by=whole is one device; "
                "leave it null, or take photos.devices_by=folder."
            )
        if self.devices_by == "whole" and self.held_out_devices:
            return (
                f"photos.held_out_devices={self.held_out_devices} but photos.devices_by=whole "
                "is one device; take 0, or photos.devices_by=folder."
            )
        return "" if _zone(self.zone) else _NO_ZONE.format(self.zone)

    def identity(self, *, seed: int) -> dict[str, Any]:
        """Returns source, folder under any of its names, and what in it is a device."""
        return {
            "photos.source": self.source,
            "photos.root": str(self.folder().resolve()),
            "photos.devices_by": self.devices_by,
        }

    def advice(self) -> str:
        """Returns how to give feedback that can be read here."""
        return (
            "rate or favourite some photos of a moment in your photo program and export them "
            "with it, then see `darkroom photos inspect DIR`"
        )

    def absolute(self) -> "LibraryPhotos":
        """Returns the same settings with the root's absolute path."""
        return replace(self, root=str(self.folder().absolute()))

    def folder(self) -> Path:
        """Returns where the root is; as it stands for a user unknown."""
        try:
            return Path(self.root).expanduser()
        except RuntimeError:
            return Path(self.root)

    def clock(self) -> tzinfo:
        """Returns the time zone of clocks that do not say theirs.

        Raises:
            ValueError: There is none of that name.
        """
        zone = _zone(self.zone)
        if zone is None:
            raise ValueError(_NO_ZONE.format(self.zone))
        return zone


_NO_ZONE = "photos.zone={} is no time zone; use a name such as Europe/Berlin, or UTC."


def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Of a folder of zones, such as Europe, the system says that it is no file.
        return None
