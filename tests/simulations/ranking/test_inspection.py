"""What `darkroom photos inspect` says of a library, and where it may write."""

from dataclasses import replace
from pathlib import Path

import pytest
from libraries import LIBRARY
from library_kinds import KINDS, write_library
from photo_files import packet
from photo_files import photo as write
from PIL import Image

from photos.folder.skips import Skip
from photos.owned.skips import Left
from simulations.ranking.inspection import inspect, printable

PHOTOS = replace(LIBRARY, devices_by="folder")


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """A library of all kinds of files, each kind a device."""
    return write_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def found(library):
    return inspect(replace(PHOTOS, root=str(library)), out=None)


def test_what_is_counted_is_the_sum_over_all_kinds(found):
    kinds = KINDS.values()
    photos = sum(len(moment) for kind in kinds for moment in kind.moments)
    assert found.devices == len(KINDS)
    assert found.formats.total() == found.times.total() == photos
    assert found.given.total() == found.sources.total() == sum(len(k.ratings) for k in kinds)
    moments = [moment for kind in kinds for moment in kind.moments if len(moment) > 1]
    assert (found.moments, found.orders) == (len(moments), sum(len(k.bursts) for k in kinds))
    bursts = [burst for kind in kinds for burst in kind.bursts]
    assert found.ranked == sum(map(len, bursts))
    assert found.bursts == sum(len(set(burst)) for burst in bursts)
    skipped = [reason for kind in kinds for reason in kind.skipped]
    assert set(found.skipped) == set(skipped)
    assert found.disputed == 2


def test_each_line_says_what_was_read_from_where(found, library):
    lines = found.lines()
    assert lines[0] == (
        f"{library}: {found.formats.total()} photos, {len(KINDS)} devices "
        "(photos.devices_by=folder)"
    )
    text = "\n".join(lines)
    for said in (
        "  formats   JPEG ",
        "  times     EXIF, with its offset from UTC 4 · EXIF, by the clock of photos.zone ",
        " · Takeout's photoTakenTime 3 · ",
        "  ratings   XMP sidecar ",
        "; of 2 a later source says otherwise and does not count",
        "  feedback  favourite ",
        " with an order: ",
        "  skipped   7 × rating out of range",
        f"    broken files/a.jpg: {Skip.NOT_A_PHOTO}",
        "--out FILE.png",
    ):
        assert said in text
    assert all(line.isprintable() for line in lines)
    assert len(lines) < 50


def test_a_library_without_ratings_says_how_to_give_some(tmp_path):
    for place in range(2):
        write(tmp_path / f"{place}.jpg", place, taken="2024:01:31 12:00:00")
    photos = replace(PHOTOS, root=str(tmp_path), devices_by="whole")
    assert inspect(photos, out=None).lines()[-1].startswith("Nothing to learn from yet: rate ")


@pytest.fixture
def album(tmp_path):
    """Two photos, one of them a favourite, and a rating that is none."""
    for place in range(2):
        write(tmp_path / "album" / f"{place}.jpg", place, taken="2024:01:31 12:00:00")
    (tmp_path / "album" / "0.xmp").write_text(packet(xmp_Rating=5))
    (tmp_path / "album" / "1.xmp").write_text(packet(xmp_Rating=9))
    return replace(PHOTOS, root=str(tmp_path / "album"), devices_by="whole")


def test_the_sheet_is_a_picture_and_is_never_written_over_unless_forced(album, tmp_path):
    out = tmp_path / "sheet.png"
    assert inspect(album, out=out).sheet == out
    with Image.open(out) as image:
        assert image.format == "PNG"
    before = out.read_bytes()
    with pytest.raises(ValueError, match=r"sheet\.png is there already; .* --force\.$"):
        inspect(album, out=out)
    assert out.read_bytes() == before
    out.write_text("old")
    inspect(album, out=out, force=True)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "sheet.png"]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "is a folder; name a file"),
        ("album/sheet.png", "would be one of the photos"),
        ("album/../album/x/sheet.png", "would be one of the photos"),
        ("nowhere/sheet.png", "its folder does not exist; make it first"),
        ("dangling.png", "is there already"),
    ],
)
def test_a_place_that_must_not_be_written_is_refused_before_anything_is_read(
    album, tmp_path, out, said, monkeypatch
):
    monkeypatch.setattr("simulations.ranking.inspection.LibrarySource", None)
    (tmp_path / "dangling.png").symlink_to("nothing")
    with pytest.raises(ValueError, match=f"^--out .*{said}"):
        inspect(album, out=tmp_path / out)
    assert (tmp_path / "dangling.png").is_symlink()


def test_photos_beside_the_devices_are_counted(album, tmp_path):
    write(tmp_path / "loose.jpg")
    found = inspect(replace(album, root=str(tmp_path), devices_by="folder"), out=None)
    assert found.skipped == {Left.LOOSE: 1, Left.BAD_RATING: 1}
    assert [one.name for one in found.remarks] == ["album/1.xmp"]


def test_names_of_any_letters_are_drawn_and_printed(tmp_path):
    names = ("a\nb", "\x1b[31m", "caf\udce9", "休暇")
    for name in names:
        folder = tmp_path / "album" / name
        for place in range(2):
            write(folder / f"{place}.jpg", place, taken="2024:01:31 12:00:00")
        (folder / "0.xmp").write_text("<a")
        (folder / "1.xmp").write_text(packet(xmp_Rating=5))
    photos = replace(PHOTOS, root=str(tmp_path / "album"))
    found = inspect(photos, out=tmp_path / "sheet.png")
    assert (found.orders, found.sheet) == (4, tmp_path / "sheet.png")
    assert all(line.isprintable() for line in found.lines())
    assert printable("a/ü.jpg") == "a/ü.jpg"


def test_the_command_reads_the_settings_of_a_run(darkroom, album, tmp_path):
    words = ("photos", "inspect", album.root, "photos.favourite_from=5", "photos.gap=7")
    status, out, err = darkroom(*words, "--out", "s.png")
    assert (status, err) == (0, "")
    assert "1 by pauses of 7 minutes, 1 with an order: 2 photos in 2 bursts" in out
    assert (tmp_path / "s.png").is_file()
    status, _, err = darkroom(*words, "--out", "s.png")
    assert (status, err.count("\n")) == (1, 1)
    status, _, err = darkroom("photos", "inspect", "gone")
    assert err.startswith("darkroom: photos.root=gone is not a folder that can be listed (No ")
    status, _, err = darkroom("photos", "inspect", album.root, "photos.gpa=7")
    assert err == "darkroom: 'photos.gpa' is not a setting. Did you mean 'photos.gap'?\n"
    status, _, err = darkroom("photos", "inspect", album.root, "photos=folder")
    assert status == 1
