"""What each step leaves on the disk."""

import os

import pytest

from privacy.ledger.disk import Disk


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "server.jsonl"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def synced(monkeypatch):
    """What was synced, by the inode of each descriptor, and the descriptors."""
    inodes, descriptors = [], []

    def fsync(descriptor):
        inodes.append(os.fstat(descriptor).st_ino)
        descriptors.append(descriptor)

    monkeypatch.setattr("privacy.ledger.disk.os.fsync", fsync)
    return inodes, descriptors


def test_bytes_are_appended_behind_the_last_one(file):
    Disk().append(file, b"two\n")
    Disk().append(file, b"three\n")
    assert file.read_bytes() == b"one\ntwo\nthree\n"


def test_nothing_is_appended_to_a_file_that_is_not_there(tmp_path):
    """It would begin a ledger without its terms."""
    with pytest.raises(FileNotFoundError):
        Disk().append(tmp_path / "server.jsonl", b"two\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_made_of_the_bytes_alone(file):
    Disk().write(file, b"2\n")
    assert file.read_bytes() == b"2\n"


def test_a_renamed_file_takes_the_place_of_another(file):
    new = file.with_name(".server.jsonl.new")
    new.write_bytes(b"two\n")
    Disk().rename(new, file)
    assert file.read_bytes() == b"two\n"
    assert not new.exists()


def test_a_file_and_a_folder_are_synced_each_as_itself(file, synced):
    Disk().sync(file)
    Disk().sync(file.parent)
    assert synced[0] == [file.stat().st_ino, file.parent.stat().st_ino]


def test_a_sync_leaves_no_descriptor_open_also_where_it_fails(file, synced, monkeypatch):
    Disk().sync(file)

    def fail(descriptor):
        synced[1].append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("privacy.ledger.disk.os.fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        Disk().sync(file)
    assert len(synced[1]) == 2
    for descriptor in synced[1]:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_folder_is_not_synced_where_the_system_cannot(file, synced, monkeypatch):
    monkeypatch.setattr("privacy.ledger.disk.sys.platform", "win32")
    Disk().sync(file.parent)
    Disk().sync(file)
    assert synced[0] == [file.stat().st_ino]
