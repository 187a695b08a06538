"""Lines of a table, and the names whose line breaks join them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.folder.table_lines import LONGEST_LINE, lines

BROKEN = ["m/a\nb.jpg", "m/c\n\nd.jpg", 'm/"e"\nf.jpg', "m/caf\u00e9\ng.jpg", "m/a\nz.jpg"]


def _lines(text: str, broken: list[str] = BROKEN) -> list[str | None]:
    return list(lines(io.StringIO(text, newline=""), broken=broken))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_is_one_whatever_ends_it(end):
    assert _lines(f"a,b{end}{end}c{end}") == ["a,b", "", "c"]
    assert _lines(f"a{end}c") == ["a", "c"]


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("row", ["{},x,keep", "keep,{}", 'a,"b, c", {},x'])
def test_a_name_that_is_there_joins_the_lines_it_stands_on(name, row):
    quoted = '"' + name.replace('"', '""') + '"'
    text = row.format(quoted)
    assert _lines(f"head\n{text}\nafter\n") == ["head", text, "after"]


def test_a_name_joins_lines_in_another_unicode_form_and_with_other_line_breaks():
    text = '"m/cafe\u0301\r\ng.jpg",x'
    assert _lines(f"{text}\r\nafter") == [text, "after"]


@pytest.mark.parametrize(
    "text",
    ['"m/a', '"m/a\nc.jpg",x', '"m/a\nb.jpg', '"m/c\n\nz"', 'm/a"\nb.jpg"', '"x,keep\nm/a\n'],
)
def test_quotes_left_open_for_another_reason_join_nothing(text):
    assert _lines(f"{text}\nafter") == [*text.split("\n"), "after"]


def test_a_line_that_is_too_long_is_none_and_so_is_none_of_its_neighbours():
    text = f"a\n{'x' * LONGEST_LINE}\nb\n{'x' * (3 * LONGEST_LINE)}"
    assert _lines(text) == ["a", None, "b", None]


@given(st.lists(st.text(st.sampled_from('ab",/m \\'), max_size=8), max_size=8))
def test_without_broken_names_every_line_stays_as_it_is(rows):
    assert _lines("\n".join([*rows, ""]), ["m/a.jpg"]) == [*rows]


@given(st.lists(st.sampled_from([*BROKEN, "m/plain.jpg", 'm/q".jpg', "m/x,y.jpg"]), max_size=6))
def test_what_the_csv_module_writes_comes_back_row_by_row(names):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([(name, "x", "keep") for name in names])
    found = [next(csv.reader([line])) for line in _lines(text.getvalue())]
    assert found == [[name, "x", "keep"] for name in names]


def test_many_open_quotes_and_a_name_of_many_lines_are_read_in_one_go():
    name = "m/a" + "\nb" * 250 + ".jpg"
    text = ('"m/a\n' + "b\n" * 249) * 200
    assert len(_lines(text, [name])) == 250 * 200
