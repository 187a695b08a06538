"""Names in ASCII: read roughly, never empty, and told apart by their marks."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.display.transliteration import in_ascii, mark

ANY = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("IMG_0412 (1 of 2).JPG", "IMG_0412 (1 of 2).JPG"),
        ("Gärten, Þór, smørbrød, Æble", "Garten, Thor, smorbrod, Aeble"),
        ("осень, Юг, Яблоко", "osen', Yugh, Yabloko"),
        ("θάλασσα", "thalassa"),
        ("שלום", "shlvm"),
        ("بحر", "bhr"),
        ("ทะเล", "thael"),
        ("ひらがな カタカナ", "hiragana katakana"),
        ("바다", "bada"),
        ("海辺", "[6D77 8FBA]"),
        ("📷🎂", "[camera][birthday cake]"),
        ("١٢٣ Ａｂｃ", "123 Abc"),
        ("“it’s” – so…", '"it"s" - so...'),
        ("a\nb\t\x00", "a[000A]b[0009 0000]"),
        ("\u202egpj.exe", "[202E]gpj.exe"),
        ("e" + "\u0301" * 200, "e"),
        ("\u200b", "[200B]"),
        ("\u0301", "[0301]"),
        ("  a   b ", "a b"),
        ("  ", "[0020 0020]"),
        ("\udcff\ud800", "[DCFF D800]"),
        ("", ""),
    ],
)
def test_a_name_is_written_as_it_sounds_or_by_what_it_is(name, written):
    assert in_ascii(name) == written


@settings(deadline=None)
@given(ANY)
def test_what_is_written_is_one_line_of_printable_ascii_and_empty_for_no_name_alone(name):
    written = in_ascii(name)
    assert written.isascii()
    assert written.isprintable() or not written
    assert bool(written) == bool(name)


@settings(deadline=None)
@given(ANY, ANY)
def test_marks_are_equal_for_equal_names_alone(one, other):
    assert (mark(one) == mark(other)) == (one == other)


def test_a_mark_is_the_beginning_of_the_names_hash():
    assert mark("ä") == hashlib.sha256(b"\xc3\xa4").hexdigest()[:6]
