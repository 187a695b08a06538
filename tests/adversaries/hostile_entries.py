"""What an entry of a folder of photographs may be: each is a function that makes one."""

import os
import stat
from pathlib import Path

import pytest
from PIL import Image


def _file(path: Path) -> None:
    path.write_bytes(b"\0 no photo")


def _two_photos(path: Path) -> None:
    """A folder, called by bytes, that is a moment itself."""
    path.mkdir()
    for number in range(2):
        with (path / f"{number}.png").open("wb") as file:
            Image.new("RGB", (20, 20)).save(file, "PNG")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _endless(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only root makes a device node")


def _huge(path: Path) -> None:
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWEBPVP8 ")
    os.truncate(path, 2**42)


ENTRIES = {
    "a link to a name that is too long": lambda path: path.symlink_to("x" * 300),
    "a link into nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "a link through a file": lambda path: path.symlink_to("/dev/null/x"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a moment": lambda path: path.symlink_to("m0"),
    "a link to the folder it is in": lambda path: path.symlink_to("."),
    "a file": _file,
    "an empty file": Path.touch,
    "an empty folder": Path.mkdir,
    "a folder of photos": _two_photos,
    "a pipe": _pipe,
    "a socket": _socket,
    "an endless device": _endless,
    "a file of four terabytes": _huge,
}
