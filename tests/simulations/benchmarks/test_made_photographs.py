"""Photographs for measuring: large, no two the same, and a library."""

import pytest
from PIL import Image

from photos.folder.decoding import decode
from photos.folder.photograph import Photograph
from simulations.benchmarks import made_photographs
from simulations.benchmarks.made_photographs import make


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Pictures of few pixels: those of twelve million take seconds to make."""
    monkeypatch.setattr(made_photographs, "WIDTH", 80)
    monkeypatch.setattr(made_photographs, "HEIGHT", 60)
    monkeypatch.setattr(made_photographs, "DEVICE", 24)


@pytest.mark.parametrize("grain", [False, True])
def test_files_are_photographs_of_devices_and_moments_and_no_two_are_the_same(tmp_path, grain):
    paths = make(tmp_path, count=50, grain=grain)
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names[:2] == ["000/00/00.jpg", "000/00/01.jpg"]
    assert (names[12], names[24], names[49]) == (
        "000/01/00.jpg",
        "001/00/00.jpg",
        "002/00/01.jpg",
    )
    assert len({path.read_bytes() for path in paths}) == 50
    assert all(isinstance(decode(path, side=16), Photograph) for path in paths)
    with Image.open(paths[0]) as image:
        assert image.size == (80, 60)


def test_what_would_not_fit_the_disk_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"^--photographs 1000000000 needs .* take fewer\.$"):
        make(tmp_path, count=10**9, grain=False)
    assert not list(tmp_path.iterdir())
