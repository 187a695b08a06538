"""A picture of ranked photos: one row a moment, the best on the left."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from simulations.display.transliteration import in_ascii, mark

FIRST, OTHER = 136, 104
"""Pixels of a photo's side: of a row's first, and of the others."""

# Pixels round the sheet, between two photos and round the first one.
_MARGIN, _GAP, _FRAME = 28, 8, 4
# Pixels of the text at the left of a row, above all rows and below them.
_LABEL, _HEAD, _FOOT = 220, 96, 52
# Letters of a text that are measured: so many of the narrowest, 3 pixels wide, fill the widest
# sheet. Without it a name of a megabyte is drawn only to be shortened.
_LONGEST = 600
# Pixels from row to row: the first photo, its frame and the space between two rows.
_ROW = FIRST + 22
_PAPER = "#faf9f6"
_INK = "#22211f"
_PALE = "#8b8780"
_GOLD = "#e0a100"
_LINE = "#e4e1d9"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Thumbnail:
    """One photo on the sheet.

    Attributes:
        pixels: [side, side, 3] uint8 RGB, of any side.
        favourite: Whether the owner made it a favourite: it gets a star.
        duplicate: Whether a photo further left is of the same burst: it gets a badge.
    """

    pixels: NDArray[np.uint8]
    favourite: bool
    duplicate: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetRow:
    """One moment, the model's favourite first.

    Attributes:
        label: What the moment is called, by names of folders and a slash between two.
        thumbnails: Its photos.
    """

    label: str
    thumbnails: tuple[Thumbnail, ...]


def contact_sheet(rows: Sequence[SheetRow], *, title: str, subtitle: str) -> Image.Image:
    """Draws the sheet; the first photo of each row is larger and framed.

    Names are of any script and length, and the font has the letters of ASCII: what a label
    cannot show as it is, is written in these and shortened, and a mark beside it is another for
    each other name.

    Args:
        rows: At least one, each with at least one photo.
        title: Head line.
        subtitle: Line below it.
    """
    longest = max(len(row.thumbnails) for row in rows)
    width = 2 * _MARGIN + _LABEL + FIRST + _FRAME + (longest - 1) * (OTHER + _GAP)
    sheet = Image.new("RGB", (width, _HEAD + len(rows) * _ROW + _FOOT), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, 24), _fitted(title, 26, width - 2 * _MARGIN), _INK, _font(26))
    draw.text((_MARGIN, 60), _fitted(subtitle, 14, width - 2 * _MARGIN), _PALE, _font(14))
    for number, row in enumerate(rows):
        _draw_row(sheet, draw, row, top=_HEAD + number * _ROW)
    marked = any(_lines(row)[2] for row in rows)
    _draw_legend(draw, top=sheet.height - _FOOT + 8, marked=marked)
    return sheet


def _draw_row(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, row: SheetRow, *, top: int
) -> None:
    draw.line((_MARGIN, top, sheet.width - _MARGIN, top), _LINE)
    middle = top + _ROW // 2
    above, last, marked = _lines(row)
    draw.text((_MARGIN, middle - 20), above, _PALE, _font(12))
    draw.text((_MARGIN, middle - 4), last, _INK, _font(14))
    count = f"{len(row.thumbnails)} photos{marked}"
    draw.text((_MARGIN, middle + 16), count, _PALE, _font(12))
    left = _MARGIN + _LABEL
    for place, thumbnail in enumerate(row.thumbnails):
        side = OTHER if place else FIRST
        corner = (left, middle - side // 2)
        picture = Image.fromarray(thumbnail.pixels).resize(
            (side, side), Image.Resampling.LANCZOS
        )
        sheet.paste(picture, corner)
        _draw_marks(draw, thumbnail, corner=corner, side=side)
        if not place:
            _draw_frame(draw, corner=corner)
        left += side + _GAP + (0 if place else _FRAME)


def _lines(row: SheetRow) -> tuple[str, str, str]:
    """Folders, moment, and a mark where these two are not the label as it is."""
    *folders, moment = row.label.split("/")
    above = _fitted("/".join(folders), 12, _LABEL - 12)
    last = _fitted(moment, 14, _LABEL - 12)
    shown = "/".join([above, last] if folders else [last])
    return above, last, "" if shown == row.label else f" · #{mark(row.label)}"


def _draw_frame(draw: ImageDraw.ImageDraw, *, corner: tuple[int, int]) -> None:
    left, top = corner
    edges = (left - _FRAME, top - _FRAME, left + FIRST + _FRAME - 1, top + FIRST + _FRAME - 1)
    draw.rectangle(edges, outline=_INK, width=_FRAME)
    draw.rectangle((left, top, left + 19, top + 19), _INK)
    draw.text((left + 8, top + 8), "1", _PAPER, _font(15), anchor="mm")


def _draw_marks(
    draw: ImageDraw.ImageDraw, thumbnail: Thumbnail, *, corner: tuple[int, int], side: int
) -> None:
    left, top = corner
    if thumbnail.favourite:
        _draw_star(draw, centre=(left + side - 15, top + 15))
    if thumbnail.duplicate:
        _draw_badge(draw, corner=(left + side - 25, top + side - 21))


def _draw_star(draw: ImageDraw.ImageDraw, *, centre: tuple[int, int]) -> None:
    draw.polygon(_star(centre, 14), fill=_INK)
    draw.polygon(_star(centre, 10), fill=_GOLD)


def _star(centre: tuple[int, int], radius: float) -> list[tuple[float, float]]:
    points = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else 0.48 * radius
        angle = math.pi * (corner / 5 - 0.5)
        points.append(
            (centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle))
        )
    return points


def _draw_badge(draw: ImageDraw.ImageDraw, *, corner: tuple[int, int]) -> None:
    """Two overlapping cards, at the given upper left corner."""
    left, top = corner
    for shift in (6, 0):
        card = (left + shift, top + 6 - shift, left + shift + 14, top + 17 - shift)
        draw.rectangle(card, fill=_PAPER, outline=_INK, width=1)


def _draw_legend(draw: ImageDraw.ImageDraw, *, top: int, marked: bool) -> None:
    _draw_star(draw, centre=(_MARGIN + 12, top + 12))
    draw.text((_MARGIN + 32, top + 4), "owner's favourite", _PALE, _font(13))
    _draw_badge(draw, corner=(_MARGIN + 164, top + 3))
    draw.text((_MARGIN + 194, top + 4), "same burst as a photo further left", _PALE, _font(13))
    if marked:
        text = "#: a name in other letters than its own, or shortened"
        draw.text((_MARGIN, top + 25), text, _PALE, _font(13))


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fitted(name: str, size: int, width: int) -> str:
    """The name in the font's letters, its middle replaced by dots where it is too wide."""
    font = _font(size)
    text = in_ascii(name)
    if len(text) <= _LONGEST and font.getlength(text) <= width:
        return text
    kept = range(min(len(text), _LONGEST))
    first_too_long = bisect_right(
        kept,
        width,
        key=lambda letters: math.ceil(font.getlength(_without_middle(text, letters))),
    )
    return _without_middle(text, max(first_too_long - 1, 0))


def _without_middle(text: str, kept: int) -> str:
    end = kept // 2
    return f"{text[: kept - end]}…{text[len(text) - end :]}"
