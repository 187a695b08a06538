"""A stamp changes whenever a file does, and a file that changed just now has none."""

import os

import pytest

from client.embeddings import file_stamp
from client.embeddings.file_stamp import stamp_of

LATER = 10**13


@pytest.fixture
def later(monkeypatch):
    """Hours after the files of a test were written."""
    now = file_stamp.time.time_ns
    monkeypatch.setattr(file_stamp.time, "time_ns", lambda: now() + LATER)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"12345")
    return path


def test_a_file_that_changed_just_now_has_no_stamp(path, monkeypatch):
    assert stamp_of(path) is None
    now = file_stamp.time.time_ns()
    monkeypatch.setattr(file_stamp.time, "time_ns", lambda: now + 3 * 10**9)
    assert len(stamp_of(path)) == 16
    # The time that a program sets is not the one that counts.
    os.utime(path, (1, 1))
    monkeypatch.setattr(file_stamp.time, "time_ns", lambda: now + 10**9)
    assert stamp_of(path) is None


def replaced(path):
    """Another file of the same content in its place."""
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"12346"),
        lambda path: path.write_bytes(b"123456"),
        lambda path: os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns)),
        replaced,
    ],
)  # fmt: skip
def test_a_stamp_changes_with_a_file_whatever_time_it_is_given(path, later, change):
    before = stamp_of(path)
    assert stamp_of(path) == before
    change(path)
    assert stamp_of(path) not in (None, before)


def test_the_same_file_under_a_name_of_camera_raw_has_another(path, later):
    os.link(path, path.with_suffix(".NEF"))
    stamps = {stamp_of(path), stamp_of(path.with_suffix(".NEF"))}
    assert len(stamps) == 2
    assert None not in stamps


def test_what_is_no_regular_file_has_none(path, tmp_path, later):
    (tmp_path / "link.jpg").symlink_to(path)
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("link.jpg", "pipe.jpg", "gone.jpg", ".", "nul\0.jpg"):
        assert stamp_of(tmp_path / name) is None
