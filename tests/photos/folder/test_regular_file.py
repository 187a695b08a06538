"""What is opened in a file's place, and what is not."""

import os
import socket
from pathlib import Path

import pytest
from alarm import within

from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip


@pytest.fixture(autouse=True)
def in_time():
    """An opening that waits for a pipe fails its test instead of holding up all."""
    with within(10, what="opening"):
        yield


def test_a_file_is_opened_to_be_read_from_its_first_byte(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"\x1a\r\nab")
    with open_regular(path, largest=5) as file:
        assert file.read() == b"\x1a\r\nab"


@pytest.mark.parametrize(("size", "opened"), [(0, True), (8, True), (9, False)])
def test_a_file_is_opened_up_to_the_largest_size(tmp_path, size, opened):
    path = tmp_path / "a"
    path.write_bytes(bytes(size))
    file = open_regular(path, largest=8)
    assert (file != Skip.LARGE_FILE) == opened
    if opened:
        file.close()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize("make", [Path.mkdir, _pipe, _socket])
def test_what_is_no_file_cannot_be_opened_and_is_not_waited_for(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    make(Path("a"))
    assert open_regular(Path("a"), largest=8) == Skip.UNREADABLE


@pytest.mark.parametrize("target", ["real", "nowhere"])
def test_a_link_is_not_followed_wherever_it_points(tmp_path, target):
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "a").symlink_to(tmp_path / target)
    assert open_regular(tmp_path / "a", largest=8) == Skip.LINK


@pytest.mark.parametrize("name", ["missing", "x" * 300, "a\0b"])
def test_a_name_of_no_file_cannot_be_opened(tmp_path, name):
    assert open_regular(tmp_path / name, largest=8) == Skip.UNREADABLE


@pytest.mark.parametrize(
    ("swap", "skip"),
    [
        (lambda path: path.symlink_to("/dev/zero"), Skip.UNREADABLE),
        (_pipe, Skip.UNREADABLE),
        (lambda path: path.write_bytes(bytes(9)), Skip.LARGE_FILE),
    ],
    ids=["link", "pipe", "large"],
)
def test_what_takes_the_files_place_after_the_first_look_is_found_out(
    tmp_path, monkeypatch, swap, skip
):
    path, real = tmp_path / "a", os.open
    path.write_bytes(b"x")

    def swapped(name, *rest, **more):
        path.unlink()
        swap(path)
        return real(name, *rest, **more)

    monkeypatch.setattr(os, "open", swapped)
    assert open_regular(path, largest=8) == skip
