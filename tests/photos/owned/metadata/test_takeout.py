"""Which file of Takeout's belongs to which photo, and what it says."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.owned.metadata.takeout import Takeout, companion_names, is_of, key, read_takeout

LONG = "a-name-that-is-so-long-that-it-must-be-cut-by-takeout.jpg"


@pytest.mark.parametrize(
    ("photo", "name", "cut"),
    [
        ("IMG.JPG", "IMG.JPG.json", False),
        ("IMG.JPG", "IMG.JPG.supplemental-metadata.json", False),
        ("IMG.JPG", "IMG.JPG.s.json", False),
        ("IMG(1).JPG", "IMG.JPG(1).json", False),
        ("IMG(1).JPG", "IMG.JPG.supplemental-metadata(1).json", False),
        ("IMG(1).JPG", "IMG(1).JPG.json", False),
        ("IMG-edited.JPG", "IMG.JPG.json", False),
        ("IMG-edited(2).JPG", "IMG-edited.JPG(2).json", False),
        (LONG, f"{LONG[:46]}.json", True),
        (LONG, f"{LONG[:51]}.json", True),
        ("x" * 43 + ".jpg", "x" * 43 + ".jp.json", True),
        ("x" * 43 + ".jpg", "x" * 43 + ".jpg.supp.json", False),
    ],
)
def test_the_names_that_takeout_gives_are_tried(photo, name, cut):
    assert dict(reversed(list(companion_names(photo))))[name] is cut


@pytest.mark.parametrize(
    ("photo", "name"),
    [
        ("IMG.JPG", "IMG.json"),
        ("IMG.JPG", "IMG.JPG(1).json"),
        ("IMG(1).JPG", "IMG.JPG.json"),
        ("IMG_10.JPG", "IMG_1.JPG.json"),
        (LONG, f"{LONG[:39]}.json"),
    ],
)
def test_names_of_other_photos_are_not(photo, name):
    assert name not in dict(companion_names(photo))


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=80))
def test_any_name_has_few_candidates_and_its_own_first(photo):
    names = [name for name, _ in companion_names(photo)]
    assert names[0] == f"{photo}.json"
    assert len(names) <= 3 * 70


@pytest.mark.parametrize(
    ("title", "photo", "same"),
    [
        ("portrait-of-my-dog-COVER.jpg", "portrait-of-my-dog-COV.jpg", True),
        ("a&b's dog.jpg", "a_b_s dog.jpg", True),
        ("dog.jpg", "dog(1).jpg", True),
        ("dog.jpg", "dog-edited.jpg", True),
        ("cat.jpg", "dog.jpg", False),
        ("", "dog.jpg", False),
    ],
)
def test_the_title_says_whose_a_cut_name_is(title, photo, same):
    said = Takeout(title=title, taken=None, favourite=False, trashed=False)
    assert is_of(said, photo) is same


def read(**plain):
    return read_takeout(json.dumps(plain).encode())


def test_a_file_says_title_time_and_marks():
    found = read(
        title="IMG.JPG", photoTakenTime={"timestamp": "1700000000"}, favorited=True, other=[1]
    )
    assert found == Takeout(
        title="IMG.JPG",
        taken=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        favourite=True,
        trashed=False,
    )


@pytest.mark.parametrize(
    "time",
    [None, [], "now", {}, {"timestamp": []}, {"timestamp": "x"}, {"timestamp": "9" * 9999}],
)
def test_a_time_that_is_none_is_none(time):
    found = read(title="IMG.JPG", photoTakenTime=time, trashed=True)
    assert found is not None
    assert (found.taken, found.trashed) == (None, True)


def test_marks_are_true_or_nothing():
    found = read(title=7, favorited="true", trashed=1)
    assert found == Takeout(title="", taken=None, favourite=False, trashed=False)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"3", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"name": "album"}', b"NaN"],
)
def test_what_is_no_photos_file_is_none(content):
    assert read_takeout(content) is None


def test_names_are_compared_without_case_and_with_accents_in_one_form():
    assert key("GRU\u0308N.JPG") == key("grün.jpg")
