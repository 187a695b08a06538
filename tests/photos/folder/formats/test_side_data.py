"""Side data of any file is read or not, and never raises."""

import os

import pytest
from photo_files import packet, photo

from photos.folder.formats.side_data import SideData, read_side_data


def test_what_cannot_be_opened_says_nothing(tmp_path):
    photo(tmp_path / "a.jpg")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "b.jpg").write_text("text")
    for name in ("link.jpg", "pipe.jpg", "gone.jpg", "b.jpg", "."):
        assert read_side_data(tmp_path / name) == SideData()


@pytest.mark.parametrize("suffix", ["heic", "avif", "jpg", "nef"])
def test_a_file_that_is_cut_anywhere_says_what_is_left_of_it(tmp_path, suffix):
    whole = photo(tmp_path / "a.jpg", taken="2024:01:31 12:00:00", xmp=packet()).read_bytes()
    head = {"heic": b"\0\0\0\x18ftypheic", "avif": b"\0\0\0\x18ftypavif"}.get(suffix, b"")
    for cut in range(0, len(whole), 61):
        (tmp_path / f"b.{suffix}").write_bytes(head + whole[:cut])
        assert isinstance(read_side_data(tmp_path / f"b.{suffix}"), SideData)
