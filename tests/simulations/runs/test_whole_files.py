"""A file that is written whole: the old one or the new one, never a part."""

import os
import stat

import pytest

from simulations.runs.whole_files import write_bytes, write_whole


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("write", [write_whole, write_bytes])
def test_a_failed_write_leaves_the_old_file_and_no_part_of_the_new(
    tmp_path, monkeypatch, step, write
):
    path = tmp_path / "summary.json"
    path.write_text("old")

    def full(*words, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space"):
        write(path, "new" if write is write_whole else b"new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


def test_a_file_name_in_an_older_code_is_written_readably(tmp_path):
    write_whole(tmp_path / "ranking.csv", "caf\udce9")
    assert (tmp_path / "ranking.csv").read_bytes() == rb"caf\udce9"


def test_bytes_are_for_their_owner_alone_and_text_for_whom_the_user_lets(tmp_path):
    before = os.umask(0o022)
    try:
        write_bytes(tmp_path / "secret", b"")
        write_whole(tmp_path / "text", "")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("secret", "text")]
    assert modes == [0o600, 0o644]
