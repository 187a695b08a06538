"""Pages of ranked photos, as a parser reads them."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from simulations.ranking import page as page_module
from simulations.ranking.contact_sheet import Thumbnail
from simulations.ranking.page import (
    Heading,
    PagePhoto,
    PageRow,
    named,
    page_name,
    page_numbers,
    pages,
)
from simulations.ranking.page_style import STYLE

HEADING = Heading(title="album", notes=("Ranked by a run.",), warnings=("Beware.",))
HOSTILE = (
    "<script>alert(1)</script>",
    '" onerror="alert(1)',
    "' onload='x",
    "a&amp;b",
    "--><!--",
    "</section></main>",
    "a\nb\x00c\x7f",
    "\u202egpj.exe",
    "\udcff.jpg",
    "]]>",
)


class Outline(HTMLParser):
    """The tags, the attributes and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def photo(name="IMG_1.JPG", score=0.5, *, colour=(200, 10, 10), side=160, **marks):
    pixels = np.full((side, side, 3), colour, dtype=np.uint8)
    thumbnail = Thumbnail(
        pixels=pixels,
        favourite=marks.get("favourite", False),
        duplicate=marks.get("duplicate", False),
    )
    return PagePhoto(name=name, score=score, thumbnail=thumbnail)


def made(*rows, heading=HEADING):
    lengths = [len(row.photos) for row in rows]
    return dict(pages(iter(rows), lengths=lengths, heading=heading))


def page(*rows, heading=HEADING):
    (text,) = made(*rows, heading=heading).values()
    return text


def test_a_page_has_a_row_for_each_moment_and_its_photos_in_order():
    first = PageRow(label="beach", photos=(photo("b.jpg", 1.25), photo("a.jpg", -0.5)))
    outline = Outline(page(first, PageRow(label="party", photos=(photo("c.jpg"),))))
    assert outline.open == []
    assert [outline.tags.count(tag) for tag in ("section", "h2", "ol", "li", "img")] == [
        *(2, 2, 2, 3, 3)
    ]
    values = dict(outline.attributes[::-1])
    assert values["lang"] == "en"
    assert [text for name, text in outline.attributes if name == "alt"] == [
        *("b.jpg", "a.jpg", "c.jpg")
    ]
    assert [text for name, text in outline.attributes if name == "value"] == [
        *("1.2500", "-0.5000", "0.5000")
    ]
    assert {"Beware.", "Ranked by a run.", "beach", "party"} <= set(outline.texts)


def test_a_page_needs_nothing_beside_itself():
    text = page(PageRow(label="a", photos=(photo(), photo())))
    outline = Outline(text)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    sources = [value for name, value in outline.attributes if name in ("src", "href")]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "//" not in re.sub(r"data:[^\"]*", "", text)
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [value for name, value in outline.attributes if "default-src" in (value or "")]
    assert policy.startswith("default-src 'none'; img-src data:; style-src")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_and_nothing_else(name):
    plain = Outline(page(PageRow(label="a", photos=(photo("a"),))))
    row = PageRow(label=name, photos=(photo(name),))
    heading = Heading(title=name, notes=(f"Ranked by {name}.",), warnings=("Beware.",))
    outline = Outline(page(row, heading=heading))
    assert (outline.tags, outline.open) == (plain.tags, [])
    assert [name for name, _ in outline.attributes] == [name for name, _ in plain.attributes]


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_any_name_leaves_the_page_as_it_is_and_can_be_written(name):
    text = page(PageRow(label=name, photos=(photo(name, side=8),)))
    assert Outline(text).open == []
    text.encode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)


def test_a_name_is_read_back_as_it_is_and_one_that_is_unseen_by_its_code():
    assert named("Ferien & <Söhne> 北京") == "Ferien &amp; &lt;Söhne&gt; 北京"
    assert named("a\nb\x7f\udcff") == "a␊b␡\\udcff"
    assert named("\u200b") == "[200B]"
    assert named("  ") == "[0020 0020]"


def test_favourites_and_near_duplicates_are_said():
    row = PageRow(label="a", photos=(photo(favourite=True), photo(duplicate=True), photo()))
    texts = Outline(page(row)).texts
    assert texts.count("your favourite") == 1
    assert texts.count("same burst as a better one") == 1


@pytest.mark.parametrize("side", [16, 160, 224])
def test_a_thumbnail_is_a_small_picture_of_the_photo_whatever_was_decoded(side):
    text = page(PageRow(label="a", photos=(photo(side=side),)))
    (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', text)
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (160, 160))
        colour = np.asarray(picture.convert("RGB"), dtype=int)
    assert abs(colour - (200, 10, 10)).max() < 8


def test_a_page_of_500_photos_of_noise_alone_has_fewer_than_15_million_characters():
    noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    thumbnail = Thumbnail(pixels=noise, favourite=False, duplicate=False)
    one = PagePhoto(name="n" * 255, score=0.0, thumbnail=thumbnail)
    text = page(PageRow(label="a", photos=(one,)))
    assert 500 * len(text) < 15e6


@pytest.mark.parametrize(
    ("lengths", "numbers"),
    [
        ([2], [1]),
        ([250, 250], [1, 1]),
        ([250, 251], [1, 2]),
        ([600, 2, 499], [1, 2, 3]),
        ([12] * 84, [1] * 41 + [2] * 41 + [3] * 2),
    ],
)
def test_moments_fill_pages_of_500_photos_in_order(lengths, numbers):
    assert page_numbers(lengths) == numbers


@pytest.fixture
def short_pages(monkeypatch):
    """Pages of at most 4 photos."""
    monkeypatch.setattr(page_module, "PAGE", 4)


@pytest.mark.usefixtures("short_pages")
def test_pages_link_to_each_other_and_number_moments_through():
    row = PageRow(label="a", photos=(photo(side=8),) * 2)
    found = made(*[row] * 5)
    assert list(found) == ["ranking.html", "ranking-2.html", "ranking-3.html"]
    for number, text in enumerate(found.values(), start=1):
        outline = Outline(text)
        links = [value for name, value in outline.attributes if name == "href"]
        others = [page_name(other) for other in (1, 2, 3) if other != number]
        assert links == others * 2
        assert f"album, ranked ({number} of 3)" in outline.texts
    assert [re.findall(r'id="moment-(\d+)"', text)[0] for text in found.values()] == [
        *("1", "3", "5")
    ]


@pytest.mark.usefixtures("short_pages")
def test_only_the_photos_of_one_page_are_taken_at_a_time():
    taken = []

    def rows():
        for number in range(5):
            taken.append(number)
            yield PageRow(label="a", photos=(photo(side=8),) * 2)

    each = pages(rows(), lengths=[2] * 5, heading=HEADING)
    next(each)
    assert taken == [0, 1, 2]  # the third is looked at to know that it is another page's


def _colours(style: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]+)", style))


def _luminance(colour: str) -> float:
    """Relative luminance of WCAG 2: linear light, weighted by what the eye makes of it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_is_readable_by_day_by_night_and_on_paper():
    assert "prefers-color-scheme: dark" in STYLE
    assert "@media print" in STYLE
    day, rest = STYLE.split("@media (prefers-color-scheme: dark)")
    night, paper = rest.split("@media print")
    for colours in (_colours(day), _colours(night), _colours(paper)):
        for text in ("ink", "pale", "gold"):
            low, high = sorted((_luminance(colours[text]), _luminance(colours["paper"])))
            assert (high + 0.05) / (low + 0.05) >= 4.5
