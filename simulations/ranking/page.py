"""Ranked photos as web pages: one row a moment, complete in themselves, without a script."""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simulations.display.transliteration import in_ascii
from simulations.ranking.contact_sheet import Thumbnail
from simulations.ranking.page_style import STYLE

SIDE = 160
"""Pixels of a photo's side. With the quality it keeps a photo near 8,000 characters."""
QUALITY = 70
"""JPEG's quality, of 95: what is lost is seen beside the original, not alone."""
PAGE = 500
"""Photos of a page at most: some 4 million characters, which a phone still opens. Without it
the page of 10,000 photos has 80 million."""

# Control characters have pictures of their own from here on; that of DEL is the 33rd after it.
_PICTURES = 0x2400
_SHOWN = {code: _PICTURES + code for code in range(32)} | {127: _PICTURES + 33}
# Nothing is loaded, run or sent, whatever a name holds.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PagePhoto:
    """One photo of a row.

    Attributes:
        name: Its file's.
        score: What the model gave it.
        thumbnail: What it looks like.
    """

    name: str
    score: float
    thumbnail: Thumbnail


@dataclass(frozen=True, kw_only=True, slots=True)
class PageRow:
    """One moment, its photos best first."""

    label: str
    photos: tuple[PagePhoto, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """What stands above the rows of each page.

    Attributes:
        title: Name of the photos' folder.
        notes: Sentences: which model, and what its scores are worth.
        warnings: Sentences that are not to be overlooked.
    """

    title: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def page_name(number: int) -> str:
    """Returns the file of a page, counted from 1."""
    return "ranking.html" if number == 1 else f"ranking-{number}.html"


def page_numbers(lengths: Sequence[int]) -> list[int]:
    """Returns the page of each moment, from 1, by how many photos the moments have.

    A moment stays on one page, and a page has at most 500 photos unless one moment has more.
    """
    numbers: list[int] = []
    number, photos = 1, 0
    for length in lengths:
        if photos and photos + length > PAGE:
            number, photos = number + 1, 0
        photos += length
        numbers.append(number)
    return numbers


def pages(
    rows: Iterator[PageRow], *, lengths: Sequence[int], heading: Heading
) -> Iterator[tuple[str, str]]:
    """Yields the name and the text of each page; only one page's photos are held at a time.

    Args:
        rows: The moments, in order; taken as they are needed.
        lengths: How many photos each of them has.
        heading: Stands on each page.
    """
    numbers = page_numbers(lengths)
    last = numbers[-1]
    moments = count(1)
    for number, own in groupby(zip(numbers, rows, strict=True), key=lambda pair: pair[0]):
        body = "\n".join(_row(row, next(moments)) for _, row in own)
        yield page_name(number), _page(body, number=number, last=last, heading=heading)


def _page(body: str, *, number: int, last: int, heading: Heading) -> str:
    title = named(heading.title)
    turning = _turning(number, last)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Darkroom">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{title}, ranked{f" ({number} of {last})" if last > 1 else ""}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1><bdi>{title}</bdi></h1>
{_paragraphs(heading.warnings, "warning")}{_paragraphs(heading.notes, "note")}</header>
{turning}<main>
{body}
</main>
{turning}</body>
</html>
"""


def _paragraphs(sentences: Sequence[str], kind: str) -> str:
    return "".join(f'<p class="{kind}">{named(one)}</p>\n' for one in sentences)


def _turning(number: int, last: int) -> str:
    """Links to the other pages; nothing where there is one page."""
    if last == 1:
        return ""
    links = (
        f'<b aria-current="page">{other}</b>'
        if other == number
        else f'<a href="{page_name(other)}">{other}</a>'
        for other in range(1, last + 1)
    )
    return f'<nav aria-label="pages">Page {" ".join(links)}</nav>\n'


def _row(row: PageRow, number: int) -> str:
    photos = "\n".join(_photo(photo, place) for place, photo in enumerate(row.photos, start=1))
    return f"""<section id="moment-{number}">
<h2><bdi>{named(row.label)}</bdi> <small>{len(row.photos)} photos</small></h2>
<ol>
{photos}
</ol>
</section>"""


def _photo(photo: PagePhoto, place: int) -> str:
    name = named(photo.name)
    marks = [
        *(["<b>your favourite</b>"] if photo.thumbnail.favourite else []),
        *(["<i>same burst as a better one</i>"] if photo.thumbnail.duplicate else []),
    ]
    return (
        f'<li><img src="{_data(photo.thumbnail.pixels)}" width="{SIDE}" height="{SIDE}" '
        f'alt="{name}" loading="lazy">'
        f"<p><span>{place}</span> <bdi>{name}</bdi> "
        f'<data value="{photo.score:.4f}">{photo.score:.2f}</data> {" ".join(marks)}</p></li>'
    )


def named(name: str) -> str:
    """Returns a name as text of a page: nothing in it is markup, and what is unseen is seen."""
    if not any(letter.isprintable() and not letter.isspace() for letter in name):
        return in_ascii(name)
    readable = name.encode("utf-8", "backslashreplace").decode()
    return escape(readable.translate(_SHOWN))


def _data(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels)
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
