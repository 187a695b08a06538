"""A library of all kinds of files, and the settings that read it."""

from dataclasses import replace
from pathlib import Path

import pytest
from library_kinds import write_library

from photos.owned.settings import LibraryPhotos

PHOTOS = LibraryPhotos(
    root="",
    devices=None,
    held_out_devices=0,
    held_out_share=0.25,
    side=16,
    devices_by="whole",
    gap=30,
    zone="Europe/Berlin",
    burst_gap=5,
    burst_distance=14,
    favourite_from=4,
)


@pytest.fixture(scope="session")
def settings():
    """Settings of a library, with changes: ``settings(root, gap=60)``."""
    return lambda root, **changes: replace(PHOTOS, root=str(root), **changes)


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """A library of all kinds of files."""
    return write_library(tmp_path_factory.mktemp("library"))
