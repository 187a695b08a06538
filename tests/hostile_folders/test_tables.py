"""Whatever the table of feedback is, and however long, the photos stay as they are."""

import errno
import os
from pathlib import Path

import pytest
from hostile_entries import ENTRIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photos.folder import device_folder, feedback_file, table_lines
from photos.folder.skips import LARGEST_BYTES, Skip


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_table_that_changes_while_it_is_opened_costs_the_feedback_alone(
    device, moments, side, monkeypatch, entry
):
    table, real = device / "feedback.csv", os.open

    def spoiled(path, *rest, **more):
        if Path(path) == table:
            table.unlink()
            ENTRIES[entry](table)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", spoiled)
    read = device_folder.read_device(device, side=side)
    monkeypatch.undo()
    assert [moment.name for moment in read.moments] == list(moments)
    assert read.skipped == {Skip.BAD_TABLE: 1}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_table_in_its_place_costs_the_feedback_alone(
    device, five, side, trained, entry
):
    before = {name: facts[:3] for name, facts in five[0].items()}
    (device / "feedback.csv").unlink()
    ENTRIES[entry](device / "feedback.csv")
    after = trained(device)
    assert {name: facts[:3] for name, facts in after.items()} == before
    assert {tuple(facts[4]) for facts in after.values()} == {(1, 1, 1)}
    assert device_folder.read_device(device, side=side).skipped.total() == 1


@given(line=st.binary(max_size=300), place=st.integers(1, 15))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_line_of_any_bytes_costs_no_other_line(device, line, place):
    path = device / "feedback.csv"
    rows = path.read_bytes().splitlines()
    names = {row.split(b",")[0].decode() for row in rows[1:]}
    before = feedback_file.read_feedback(path, photos=names).rows
    other = device / "other.csv"
    other.write_bytes(b"\n".join([*rows[:place], line, *rows[place:]]))
    assert feedback_file.read_feedback(other, photos=names).rows == before


def test_a_line_that_fills_no_memory_is_counted_once(device, moments):
    path, names = device / "feedback.csv", {f"{name}/0.png" for name in moments}
    before = feedback_file.read_feedback(path, photos=names).rows
    rows = path.read_bytes().splitlines(keepends=True)
    for length in (table_lines.LONGEST_LINE - 1, table_lines.LONGEST_LINE, 2**20):
        path.write_bytes(b"".join([rows[0], b"," * length + b"\n", *rows[1:], b"," * length]))
        found = feedback_file.read_feedback(path, photos=names)
        assert found.rows == before
        assert found.skipped[Skip.BAD_ROW] == 2 * (length >= table_lines.LONGEST_LINE)


def test_a_table_that_breaks_off_keeps_what_it_has_said(device, monkeypatch):
    class Broken:
        def __init__(self, parts: list[bytes]) -> None:
            self.parts, self.closed = parts, False

        def readable(self) -> bool:
            return True

        writable = seekable = lambda self: False
        close = flush = lambda self: None

        def read1(self, _: int) -> bytes:
            if not self.parts:
                raise OSError(errno.EIO, "Input/output error")
            return self.parts.pop()

        read = read1

    head = b"photo,feedback\nm0/0.png,delete\nm1/0.pn"
    monkeypatch.setattr(feedback_file, "open_regular", lambda *_, **__: Broken([head]))
    table = feedback_file.read_feedback(
        device / "feedback.csv", photos={"m0/0.png", "m1/0.png"}
    )
    assert list(table.rows) == ["m0/0.png"]
    assert table.skipped == {Skip.BAD_TABLE: 1}


def test_a_file_is_refused_by_its_size_before_it_is_read(device, side):
    path = device / "m2" / "z.webp"
    path.touch()
    for size, reason in (
        (LARGEST_BYTES, Skip.NOT_A_PHOTO),
        (LARGEST_BYTES + 1, Skip.LARGE_FILE),
    ):
        os.truncate(path, size)
        assert device_folder.read_device(device, side=side).skipped == {reason: 1}
