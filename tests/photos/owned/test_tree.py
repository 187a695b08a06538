"""What is listed of a folder as people have it, and what is passed over."""

import os
from collections import Counter

import pytest
from photo_files import photo

from photos.folder.formats.detection import PHOTO_SUFFIXES
from photos.folder.listing import contents
from photos.folder.skips import Skip
from photos.owned.skips import Left
from photos.owned.tree import fingerprint, walk


def test_folders_are_walked_in_the_order_of_their_names_whatever_the_disks(tmp_path):
    for name in ("b/2.jpg", "a/z/1.JPG", "a/3.png", "0.webp"):
        photo(tmp_path / name)
    found = [
        (files.folder, [files.path(one) for one in files.photos]) for files in walk(tmp_path)
    ]
    assert found == [
        ("", ["0.webp"]),
        ("a", ["a/3.png"]),
        ("a/z", ["a/z/1.JPG"]),
        ("b", ["b/2.jpg"]),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *(("film.MOV", Left.FILM), ("IMG_1.MP4", Left.LIVE_FILM)),
        *(("a.gif", Left.OTHER_FILE), ("noise", Left.OTHER_FILE), ("x.AAE", Left.OTHER_FILE)),
        *(
            (".DS_Store", None),
            ("._IMG_1.jpg", None),
            ("Thumbs.db", None),
            ("desktop.ini", None),
        ),
    ],
)
def test_files_that_are_no_photos_are_counted_or_passed_over(tmp_path, name, reason):
    photo(tmp_path / "img_1.jpg")
    (tmp_path / name).touch()
    (files,) = walk(tmp_path)
    assert files.photos == ["img_1.jpg"]
    assert files.skipped == ({reason: 1} if reason else {})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((".thumbnails", None), ("@eaDir", None), ("#recycle", None), ("$RECYCLE.BIN", None)),
        *(("__MACOSX", None), ("Photos Library.photoslibrary", Left.PACKAGE)),
        ("Catalog Previews.lrdata", Left.PACKAGE),
    ],
)
def test_folders_of_systems_and_programs_are_not_walked(tmp_path, name, reason):
    photo(tmp_path / name / "a.jpg")
    (files,) = walk(tmp_path)
    assert (files.photos, files.skipped) == ([], {reason: 1} if reason else {})


def test_one_list_says_how_photos_are_called_in_every_source(tmp_path):
    for suffix in PHOTO_SUFFIXES:
        (tmp_path / f"a{suffix.upper()}").touch()
    (files,) = walk(tmp_path)
    assert len(files.photos) == len(PHOTO_SUFFIXES) == 23
    assert files.photos == [path.name for path in contents(tmp_path).photos]


def test_a_fingerprint_follows_from_photos_companions_and_folders(tmp_path):
    photo(tmp_path / "a" / "1.jpg")
    seen = [fingerprint(tmp_path)]
    assert fingerprint(tmp_path) == seen[0]
    for change in (
        lambda: photo(tmp_path / "a" / "2.jpg"),
        lambda: os.utime(tmp_path / "a" / "1.jpg", (1, 1)),
        lambda: (tmp_path / "a" / "1.xmp").touch(),
        lambda: (tmp_path / "a").rename(tmp_path / "b"),
        lambda: (tmp_path / "film.mov").touch(),
    ):
        change()
        seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == len(seen)
    (tmp_path / ".DS_Store").touch()
    assert fingerprint(tmp_path) == seen[-1]


def test_companions_are_found_by_any_case_and_accents(tmp_path):
    for name in ("Gru\u0308n.XMP", "grün.xmp", "IMG.JPG.json"):
        (tmp_path / name).touch()
    (files,) = walk(tmp_path)
    assert files.companions == {
        "grün.xmp": ["Gru\u0308n.XMP", "grün.xmp"],
        "img.jpg.json": ["IMG.JPG.json"],
    }


def test_links_pipes_and_closed_folders_are_counted_and_never_followed(tmp_path):
    photo(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "c.xmp").symlink_to("gone")
    (files,) = walk(tmp_path)
    assert files.skipped == {Skip.LINK: 3, Skip.UNREADABLE: 1}
    total: Counter[str] = sum((one.skipped for one in walk(tmp_path / "gone")), Counter())
    assert total == {Skip.UNREADABLE: 1}
