"""Which photo a name means."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.folder.spelling import Spellings

COMPOSED, APART = "caf\u00e9/\u00e9t\u00e9.jpg", "cafe\u0301/e\u0301te\u0301.jpg"


@pytest.mark.parametrize(
    ("photo", "name"),
    [
        ("m/a.jpg", "m/a.jpg"),
        (COMPOSED, APART),
        (APART, COMPOSED),
        ("\u212b/a.jpg", "A\u030a/a.jpg"),
        ("m/a.jpg", "./m/a.jpg"),
        ("m/a.jpg", "m/./a.jpg"),
        ("m/a.jpg", "m//a.jpg"),
        ("m/a.jpg", " m/a.jpg "),
        (" m /a.jpg", "m/a.jpg"),
        ("m/ a.jpg", "m/a.jpg"),
        ("m/a.jpg", "m\\a.jpg"),
        ("m/a.jpg", ".\\m\\a.jpg"),
        ("m/a\\b.jpg", "m/a\\b.jpg"),
        ("m/a\\b.jpg", "./m/a\\b.jpg"),
        ("m/a\nb.jpg", "m/a\r\nb.jpg"),
        ("m/a\rb.jpg", "m/a\nb.jpg"),
        (APART, "./" + COMPOSED.replace("/", "\\") + " "),
    ],
)
def test_a_photo_is_meant_by_every_spelling_of_its_path(photo, name):
    assert Spellings({photo, "other/a.jpg"}).meant(name) == (photo,)


@pytest.mark.parametrize("name", ["", "a.jpg", "../m/a.jpg", "/n/a.jpg", "M/A.JPG", "m/a", "."])
def test_another_name_means_no_photo(name):
    assert Spellings({"m/a.jpg"}).meant(name) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [(COMPOSED, APART), ("m/a.jpg", " m/a.jpg"), ("m/a.jpg", "m /a.jpg"),
     ("m/a\nb.jpg", "m/a\rb.jpg"), ("m\\a.jpg", "m/a.jpg")],
)  # fmt: skip
def test_of_two_photos_that_look_alike_each_is_meant_by_its_letters(one, other):
    spellings = Spellings({one, other})
    assert spellings.meant(one) == (one,)
    assert spellings.meant(other) == (other,)


def test_a_name_that_is_neither_of_two_to_the_letter_means_both():
    half = unicodedata.normalize("NFC", "caf\u00e9") + "/" + APART.partition("/")[2]
    assert sorted(Spellings([COMPOSED, APART]).meant(half)) == sorted([COMPOSED, APART])


def test_of_two_readings_the_more_literal_comes_first():
    assert Spellings({" a.jpg", "a.jpg"}).meant(" a.jpg", "a.jpg") == (" a.jpg",)
    assert Spellings({"a.jpg"}).meant(" a.jpg", "a.jpg") == ("a.jpg",)


NAMES = st.text(st.sampled_from("ae\u0301\u00e9/\\ .\n\r\udce9"), min_size=1, max_size=6)


@given(st.sets(NAMES, min_size=1, max_size=5), st.data())
def test_a_photo_is_always_meant_by_its_own_letters(photos, data):
    photo = data.draw(st.sampled_from(sorted(photos)))
    assert Spellings(photos).meant(photo) == (photo,)
