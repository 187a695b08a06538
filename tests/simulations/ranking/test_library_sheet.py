"""The sheet of a library shows moments in the order of capture, as they would be read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from libraries import LIBRARY
from PIL import Image

from photos.library import Feedback
from photos.owned.index import IndexedPhoto
from photos.owned.metadata.capture_time import CaptureTime, TimeSource
from photos.owned.metadata.ratings import Rating, RatingSource
from simulations.ranking import library_sheet
from simulations.ranking.library_sheet import Together, write_sheet


@pytest.fixture
def photos(tmp_path):
    return replace(LIBRARY, root=str(tmp_path), zone="UTC", burst_distance=0)


def indexed(name, *, favourite=False, source=TimeSource.EXIF):
    given = Rating(feedback=Feedback.FAVOURITE, source=RatingSource.EXIF, disputed=False)
    return IndexedPhoto(
        name=name,
        format="PNG",
        size=1,
        taken=CaptureTime(utc=datetime(2024, 1, 31, 12, 5, tzinfo=UTC), source=source),
        rating=given if favourite else None,
    )


@pytest.fixture
def rows(monkeypatch):
    """The rows that are drawn."""
    drawn = []

    def contact_sheet(rows, *, title, subtitle):
        drawn.extend(rows)
        return Image.new("RGB", (8, 8))

    monkeypatch.setattr(library_sheet, "contact_sheet", contact_sheet)
    return drawn


def test_a_row_has_stars_badges_and_the_time_of_its_first_photo(photos, rows, photo, tmp_path):
    for name, seed in (("a.png", 1), ("b.png", 2), ("c.png", 1)):
        photo(tmp_path / "trip" / name, seed)
    starred = indexed("trip/b.png", favourite=True)
    moment = (indexed("trip/a.png"), starred, indexed("trip/c.png"))
    one = Together(folder=tmp_path, photos=moment)
    write_sheet([one], photos, tmp_path / "s.png", of=1)
    (row,) = rows
    assert row.label == "trip/2024-01-31 12:05 UTC"
    assert [each.favourite for each in row.thumbnails] == [False, True, False]
    assert [each.duplicate for each in row.thumbnails] == [False, False, True]
    assert {each.pixels.shape for each in row.thumbnails} == {(136, 136, 3)}


def test_of_a_day_alone_no_time_is_said(photos, rows, photo, tmp_path):
    photo(tmp_path / "a.png")
    alone = indexed("a.png", source=TimeSource.NAMED_DAY)
    write_sheet([Together(folder=tmp_path, photos=(alone,))], photos, tmp_path / "s.png", of=1)
    assert rows[0].label == "/2024-01-31"


def test_where_nothing_can_be_shown_nothing_is_written(photos, rows, tmp_path):
    gone = Together(folder=tmp_path, photos=(indexed("gone.png"),))
    assert write_sheet([gone], photos, tmp_path / "s.png", of=1) is None
    assert not list(tmp_path.iterdir())


def test_a_sheet_that_fails_leaves_nothing(photos, rows, photo, tmp_path, monkeypatch):
    photo(tmp_path / "in" / "a.png")
    one = Together(folder=tmp_path / "in", photos=(indexed("a.png"),))

    def full(self, path, *_):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(ValueError, match=r"cannot be written: No space left on device\.$"):
        write_sheet([one], photos, tmp_path / "s.png", of=1)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
