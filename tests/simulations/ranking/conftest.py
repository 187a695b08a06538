"""Photographs of noise, as files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 16


@pytest.fixture(scope="session")
def side() -> int:
    """Pixels to which photographs are made smaller."""
    return SIDE


@pytest.fixture(scope="session")
def photo():
    """Writes one photograph, with the folders above it; returns its path."""

    def photo(path: Path, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return photo


@pytest.fixture(scope="session")
def photos(photo):
    """Fills a folder with some photographs, each another one."""

    def photos(folder: Path, count: int) -> None:
        for number in range(count):
            photo(folder / f"{number:03}.png", number)

    return photos
