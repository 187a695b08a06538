"""Only moments that say an order are decoded, and what is lost then is counted."""

import numpy as np
import pytest
from photo_files import photo

from photos.folder.decoding import decode
from photos.folder.skips import Skip
from photos.library import Feedback
from photos.owned import reading
from photos.owned.companions import Remark
from photos.owned.index import index_device
from photos.owned.moments import moment_number
from photos.owned.reading import decode_moment, feedback, read_moment
from photos.owned.skips import Left


@pytest.fixture
def moment(settings, tmp_path):
    """Writes a moment of photos with these stars; returns its photos and their settings."""

    def moment(*stars):
        for place, given in enumerate(stars):
            tags = {} if given is None else {0x4746: given}
            taken = f"2024:01:31 12:00:{place:02}"
            photo(tmp_path / f"{place}.jpg", place, taken=taken, exif=tags)
        return index_device(tmp_path, settings(tmp_path)).photos, settings(tmp_path)

    return moment


def damage(path):
    path.write_bytes(path.read_bytes()[:-200])


def test_a_moment_is_its_pixels_its_feedback_and_its_bursts(moment, tmp_path):
    photos, settings = moment(5, None, 2)
    read = read_moment(tmp_path, photos, settings)
    assert read.moment is not None
    assert read.moment.number == moment_number(photos)
    expected = [decode(tmp_path / f"{place}.jpg", side=16).pixels for place in range(3)]
    np.testing.assert_array_equal(read.moment.photos, expected)
    assert read.moment.feedback.tolist() == [Feedback.FAVOURITE, Feedback.KEEP, Feedback.KEEP]
    assert read.moment.bursts.tolist() == [0, 1, 2]
    assert read.moment.expected_gain is None
    assert (read.skipped, read.lost) == ({}, ())


@pytest.mark.parametrize(
    ("stars", "reason"),
    [
        ((5,), Left.ALONE),
        ((None, None), Left.NO_ORDER),
        ((5, 4, 5), Left.NO_ORDER),
        ((1, None, 3), Left.NO_ORDER),
    ],
)
def test_what_says_no_order_is_counted_and_not_decoded(
    moment, tmp_path, stars, reason, monkeypatch
):
    photos, settings = moment(*stars)
    monkeypatch.setattr(reading, "decode", None)
    read = read_moment(tmp_path, photos, settings)
    assert (read.moment, read.skipped) == (None, {reason: 1})


def test_a_damaged_photo_leaves_the_number_and_the_others_as_they_are(moment, tmp_path):
    photos, settings = moment(5, None, 2)
    whole = read_moment(tmp_path, photos, settings).moment
    damage(tmp_path / "0.jpg")
    read = read_moment(tmp_path, photos, settings)
    assert (read.moment, read.skipped) == (None, {Skip.DAMAGED: 1, Left.NO_ORDER: 1})
    photos, settings = moment(None, 5, 2)
    damage(tmp_path / "0.jpg")
    read = read_moment(tmp_path, photos, settings)
    assert read.moment.number == whole.number
    np.testing.assert_array_equal(read.moment.photos[0], whole.photos[1])
    assert read.lost == (Remark(name="0.jpg", reason=Skip.DAMAGED),)


def test_bursts_of_a_moment_without_an_order_can_be_shown(moment, tmp_path):
    photos, settings = moment(None, None)
    found = decode_moment(tmp_path, photos, settings)
    assert (len(found.photos), found.bursts.tolist(), found.lost) == (2, [0, 1], ())
    assert [feedback(one) for one in found.photos] == [Feedback.KEEP, Feedback.KEEP]
