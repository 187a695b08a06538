"""Lines, cells and numbers of a text table, and what of it is counted."""

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.folder.table_lines import LONGEST_LINE
from photos.sets import table as module
from photos.sets.skips import SetSkip
from photos.sets.table import lines, number, table, whole


def written(tmp_path, text: bytes):
    path = tmp_path / "table.csv"
    path.write_bytes(text)
    return path


def test_lines_come_without_marks_ends_and_blank_ones(tmp_path):
    skipped = Counter()
    path = written(tmp_path, b"\xef\xbb\xbf one \r\n\n\t\ntwo\rthree")
    assert list(lines(path, skipped)) == ["one", "two", "three"]
    assert not skipped


def test_a_line_that_cannot_be_read_is_counted_once_and_costs_no_other(tmp_path):
    skipped = Counter()
    long = b"a" * (2 * LONGEST_LINE + 5)
    path = written(tmp_path, b"one\n" + long + b"\n\xff\ntwo\n" + long)
    assert list(lines(path, skipped)) == ["one", "two"]
    # The last piece of the last line is shorter than the longest line, and not a line.
    assert skipped == {SetSkip.BAD_ROW: 3}


def test_a_table_that_is_too_long_is_read_to_its_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_TABLE", 8)
    skipped = Counter()
    assert list(lines(written(tmp_path, b"one\ntwo\nthree\n"), skipped)) == ["one", "two"]
    assert skipped == {SetSkip.LONG_TABLE: 1}


@pytest.mark.parametrize("kind", ["gone", "folder", "pipe"])
def test_what_is_no_file_has_no_line(tmp_path, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    assert list(lines(path, Counter())) == []


def test_cells_come_in_the_order_of_the_columns_asked_for(tmp_path):
    path = written(tmp_path, b' b, a ,"c,d"\n1, 2 ,"3,4"\n5,6\n7,8,9,\n7,8,9,10\n')
    skipped = Counter()
    rows = table(path, ("a", "b"), skipped)
    assert list(rows) == [("2", "1"), ("8", "7")]
    assert skipped == {SetSkip.BAD_ROW: 2}


@pytest.mark.parametrize("text", [b"", b"a,c\n1,2\n", b"a,b,b\n1,2,3\n", b'"a,b\n'])
def test_a_head_that_lacks_a_column_or_has_it_twice_names_it(tmp_path, text):
    assert table(written(tmp_path, text), ("a", "b"), Counter()) in ("a", "b")


@given(st.decimals(1, 5, places=2, allow_nan=False))
def test_any_number_in_its_range_is_read(value):
    assert number(str(value), low=1, high=5, skipped=Counter()) == float(value)


@pytest.mark.parametrize(
    "cell", ["", "x", "nan", "inf", "1e9", "0x1", "1_0", "1,5", "٣", "--1"]
)
def test_what_is_no_number_is_counted(cell):
    skipped = Counter()
    assert number(cell, low=0, high=5, skipped=skipped) is None
    assert whole(cell, low=0, high=5, skipped=skipped) is None
    assert skipped == {SetSkip.NO_NUMBER: 2}


@pytest.mark.parametrize("cell", ["-1", "6"])
def test_a_number_outside_its_range_is_counted(cell):
    skipped = Counter()
    assert number(cell, low=0, high=5, skipped=skipped) is None
    assert skipped == {SetSkip.OUT_OF_RANGE: 1}


def test_a_whole_number_has_no_fraction():
    skipped = Counter()
    assert whole("07", low=0, high=9, skipped=skipped) == 7
    assert whole("7.0", low=0, high=9, skipped=skipped) is None
    assert skipped == {SetSkip.NO_NUMBER: 1}
