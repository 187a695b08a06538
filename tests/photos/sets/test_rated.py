"""PARA and FLICKR-AES from made copies: what both have in common."""

import codecs

import made_sets
import numpy as np
import pytest

from photos.folder.decoding import decode
from photos.library import Feedback
from photos.sets import rated
from photos.source import Sifted

KINDS = {"para": made_sets.para, "flickr_aes": made_sets.flickr_aes}
TABLES = {
    "para": "annotation/PARA-Images.csv",
    "flickr_aes": "FLICKR-AES_image_labeled_by_each_worker.csv",
}
FOLDERS = {"para": "imgs", "flickr_aes": "40K"}
PHOTOS = {"para": "imgs/session1/iaa_pub0_.jpg", "flickr_aes": "40K/farm0_1000_b.jpg"}
COLUMNS = {"para": "userId", "flickr_aes": "imagePair"}
CUT_OFF = "table row that is cut off, has too few cells or cannot be read"


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def root(kind, tmp_path):
    (tmp_path / "copy").mkdir()
    return KINDS[kind](tmp_path / "copy")


def row(kind, person, photo, rating):
    """A row of a table, of the photo k or of a photo of another name."""
    if kind == "para":
        name = f"iaa_pub{photo}_.jpg" if isinstance(photo, int) else photo
        session = f"session{1 + photo % 2}" if isinstance(photo, int) else "session1"
        return made_sets.para_row(session, name, person, rating)
    name = f"farm{photo}_{1000 + photo}_b.jpg" if isinstance(photo, int) else photo
    return f"{person}, {name},{rating}"


def add(kind, root, *rows):
    with (root / TABLES[kind]).open("a", errors="surrogateescape") as file:
        file.write("\n".join(rows) + "\n")


def same(one, other):
    assert [moment.number for moment in one] == [moment.number for moment in other]
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left.photos, right.photos)
        np.testing.assert_array_equal(left.feedback, right.feedback)
        np.testing.assert_array_equal(left.judgement.values, right.judgement.values)


def test_a_person_is_a_device_and_the_last_by_name_are_held_out(kind, root, opened):
    source = opened(kind, root, held_out_devices=2)
    assert (source.devices, source.held_out_devices) == (3, 2)
    assert source.skipped == {}
    fewer = opened(kind, root, held_out_devices=2, devices=1)
    assert (fewer.devices, fewer.held_out_devices) == (1, 2)
    same(fewer.library(1).moments, source.library(3).moments)


def test_photos_are_cut_into_moments_of_the_size_asked_for(kind, root, opened):
    source = opened(kind, root, moment_size=5)
    sizes = sorted(len(moment.photos) for moment in source.library(0).moments)
    assert sizes == [2, 5, 5]
    # Of twelve photos by eleven one is left, which has no order.
    left = opened(kind, root, moment_size=11).library(0)
    assert left.skipped == {"moment of fewer than 2 photos": 1}


def test_the_cut_follows_from_seed_and_device_and_from_no_other_device(kind, root, opened):
    source = opened(kind, root)
    before = source.library(0).moments
    same(before, opened(kind, root).library(0).moments)
    numbers = {moment.number for moment in before}
    assert numbers.isdisjoint(one.number for one in source.library(1).moments)
    assert numbers.isdisjoint(
        one.number for one in opened(kind, root, seed=1).library(0).moments
    )
    add(kind, root, row(kind, "AAA", 3, "2"), row(kind, "Z", 3, "2"))
    same(before, opened(kind, root).library(0).moments)


def test_feedback_is_of_the_photos_own_rating_alone(kind, root, opened):
    changes = {"favourite_from": 3.5, "delete_to": 2.5}
    for moment in opened(kind, root, **changes).library(1).moments:
        expected = [
            Feedback.FAVOURITE if rating >= 3.5 else Feedback(int(rating > 2.5))
            for rating in moment.judgement.values
        ]
        assert moment.judgement.metric == "Spearman"
        assert moment.feedback.tolist() == expected
        # The made copy's photo k is of shade 10 k.
        k = np.rint(moment.photos[:, 8, 8, 0] / 10).astype(int)
        rated = 1 + (k + 1) % 9 / 2 if kind == "para" else 1 + (k + 1) % 5
        np.testing.assert_array_equal(moment.judgement.values, rated)


def test_a_damaged_photo_costs_its_moment_that_photo_and_no_other_anything(kind, root, opened):
    before = opened(kind, root, moment_size=4).library(0)
    (root / PHOTOS[kind]).write_bytes(b"no photo")
    after = opened(kind, root, moment_size=4).library(0)
    assert after.skipped == {"not a JPEG, PNG, WebP, HEIC, AVIF or camera raw inside": 1}
    assert [len(one.photos) for one in after.moments].count(3) == 1
    pairs = list(zip(after.moments, before.moments, strict=True))
    assert [one.number for one, _ in pairs] == [other.number for _, other in pairs]
    sound = [(one, other) for one, other in pairs if len(one.photos) == 4]
    same(*zip(*sound, strict=True))


@pytest.mark.parametrize(
    ("rating", "photo", "reason"),
    [
        ("good", 1, "table row whose cell is no number"),
        ("", 1, "table row whose cell is no number"),
        ("nan", 1, "table row whose cell is no number"),
        ("inf", 1, "table row whose cell is no number"),
        ("1e0", 1, "table row whose cell is no number"),
        ("1_0", 1, "table row whose cell is no number"),
        ("0", 1, "table row whose number is outside its range"),
        ("5.5", 1, "table row whose number is outside its range"),
        ("3", 1, "table row for a photo or a pair that has one"),
        ("3", "gone.jpg", "table row for a photo that is not there"),
        ("3", "../session1/iaa_pub0_.jpg", "table row whose name would lead out of its folder"),
        ("3", "/etc/passwd", "table row whose name would lead out of its folder"),
        ("3", "C:\\a.jpg", "table row whose name would lead out of its folder"),
        ("3", "..", "table row whose name would lead out of its folder"),
        ("3", "", "table row whose name would lead out of its folder"),
        ("3", "\udcff.jpg", CUT_OFF),
        ("3", '"a', CUT_OFF),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_and_costs_no_other(
    kind, root, opened, rating, photo, reason
):
    before = opened(kind, root).library(0).moments
    add(kind, root, row(kind, "A0", photo, rating))
    source = opened(kind, root)
    assert source.skipped == {reason: 1}
    same(source.library(0).moments, before)


def test_a_row_of_nobody_is_counted(kind, root, opened):
    add(kind, root, row(kind, " ", 1, "3"))
    assert opened(kind, root).skipped == {"table row of nobody": 1}


def test_a_table_that_ends_in_a_row_keeps_the_rows_before(kind, root, opened):
    path = root / TABLES[kind]
    text = path.read_text().removesuffix("\n")
    path.write_text(text[: text.rindex(",")])
    assert opened(kind, root).skipped == {CUT_OFF: 1}


def test_a_photo_that_nobody_rated_is_counted_and_so_is_another_file(kind, root, opened):
    made_sets.write_photo((root / PHOTOS[kind]).with_name("more.jpg"), 9)
    (root / PHOTOS[kind]).with_name("notes.txt").touch()
    skipped = opened(kind, root).skipped
    assert skipped["photo without a row"] == 1
    assert sum(skipped.values()) == 2


@pytest.mark.parametrize(
    "written",
    [
        lambda text: codecs.BOM_UTF8 + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\n\n"),
        lambda text: text.removesuffix(b"\n"),
        lambda text: text.replace(b",", b" , "),
    ],
)
def test_marks_line_ends_and_blanks_change_nothing(kind, root, opened, written):
    before = opened(kind, root).library(0).moments
    path = root / TABLES[kind]
    path.write_bytes(written(path.read_bytes()))
    source = opened(kind, root)
    assert source.skipped == {}
    same(source.library(0).moments, before)


def test_a_wrong_layout_is_told_by_what_was_looked_for(kind, root, refusal):
    table, folder = root / TABLES[kind], root / FOLDERS[kind]
    text = table.read_text()
    table.write_text(text.replace(COLUMNS[kind], "other", 1))
    beginning = f"photos.root={root} has no"
    assert f"{beginning} column {COLUMNS[kind]} in {TABLES[kind]}; photos={kind} reads " in (
        refusal(kind, root)
    )
    table.write_text(text.partition("\n")[0])
    assert f"{beginning} row in {TABLES[kind]} that names a photo" in refusal(kind, root)
    table.write_text("")
    assert f"{beginning} column" in refusal(kind, root)
    folder.rename(root / "elsewhere")
    assert f"{beginning} folder {FOLDERS[kind]}; photos={kind} reads " in refusal(kind, root)
    table.unlink()
    assert f"{beginning} {TABLES[kind]}; photos={kind} reads " in refusal(kind, root)


def test_links_are_never_followed(kind, root, tmp_path, opened, refusal):
    photo = root / PHOTOS[kind]
    photo.rename(tmp_path / "outside.jpg")
    photo.symlink_to(tmp_path / "outside.jpg")
    skipped = opened(kind, root).skipped
    assert skipped == {"symbolic link": 1, "table row for a photo that is not there": 5}
    table = root / TABLES[kind]
    table.rename(tmp_path / "outside.csv")
    table.symlink_to(tmp_path / "outside.csv")
    assert f"has no {TABLES[kind]}" in refusal(kind, root)


def test_too_many_held_out_devices_are_refused(kind, root, refusal):
    assert refusal(kind, root, held_out_devices=5).startswith(
        "photos.devices=at least 1 and photos.held_out_devices=5 are more than"
    )


def test_feedback_without_a_middle_is_refused(kind, root, refusal):
    changes = {"favourite_from": 2.0, "delete_to": 2.0}
    assert refusal(kind, root, **changes).startswith("photos.delete_to=2 is not below ")


def test_a_part_has_the_moments_of_the_library_and_opens_no_photo_of_another(
    kind, root, opened, monkeypatch
):
    source, read = opened(kind, root, moment_size=4), []
    whole = source.library(1).moments
    wanted = {moment.number for moment in whole[::2]}
    monkeypatch.setattr(
        rated, "decode", lambda path, **how: read.append(path) or decode(path, **how)
    )
    found = source.part(1, wanted.__contains__).moments
    same(found, whole[::2])
    assert len(read) == sum(len(moment.photos) for moment in found) < 12
    assert isinstance(source, Sifted)
