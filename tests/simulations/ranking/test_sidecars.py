"""Ratings as sidecars: one for each photo, that any reader of XML reads."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from photos.folder.feedback_file import NO_ROW
from photos.folder.photograph import Photograph
from simulations.ranking.own_photographs import PhotoList
from simulations.ranking.scored_list import ScoredList
from simulations.ranking.sidecars import former, rating, sidecar, write_sidecars

NAMES = (
    "IMG_1.JPG",
    "IMG_1.png",
    "<&>\"'.jpg",
    "北京.jpg",
    "a\nb.jpg",
    "\udcff.jpg",
    "x y.webp",
)


def stars(path: Path) -> int:
    """The rating, as an independent parser finds it."""
    root = ElementTree.parse(path).getroot()
    (found,) = root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return int(found.attrib["{http://ns.adobe.com/xap/1.0/}Rating"])


def listed(folder: Path, *names: str) -> ScoredList:
    """A list of which the first photo is the best."""
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    photographs = tuple(Photograph(name=name, taken=None, pixels=pixels) for name in names)
    photos = PhotoList(
        label="a", folder=folder, photographs=photographs, rows=(NO_ROW,) * len(names)
    )
    return ScoredList(photos=photos, scores=-np.arange(len(names), dtype=np.float32))


@pytest.mark.parametrize("count", range(2, 40))
def test_the_best_alone_has_five_stars_and_the_last_one(count):
    ratings = [rating(place, count=count) for place in range(count)]
    assert (ratings[0], ratings[-1], ratings.count(5)) == (5, 1, 1)
    assert all(better >= worse for better, worse in pairwise(ratings))


def test_a_moment_of_five_has_each_number_of_stars_once():
    assert [rating(place, count=5) for place in range(5)] == [5, 4, 3, 2, 1]


def test_each_photo_has_a_sidecar_of_its_name_where_it_is_itself(tmp_path):
    photos, into = tmp_path / "album", tmp_path / "xmp"
    lists = [listed(photos / "phone" / "beach", *NAMES), listed(photos, "a.png", "b.png")]
    assert write_sidecars(lists, photos=photos, into=into) == 0
    found = {path.relative_to(into): stars(path) for path in into.rglob("*.xmp")}
    names = (*(f"phone/beach/{name}.xmp" for name in NAMES), "a.png.xmp", "b.png.xmp")
    # Of seven photos, ceil(4 × place / 6) stars fewer than five.
    assert found == dict(zip(map(Path, names), (5, 4, 3, 3, 2, 1, 1, 5, 1), strict=True))


def test_a_name_that_is_too_long_for_four_more_letters_is_counted(tmp_path):
    names = ("x" * 251 + ".jpg", "y" * 247 + ".jpg")
    assert write_sidecars([listed(tmp_path / "a", *names)], photos=tmp_path, into=tmp_path) == 1
    assert len(list(tmp_path.rglob("*.xmp"))) == 1


def test_a_sidecar_is_never_written_over_a_file(tmp_path):
    (tmp_path / "a.png.xmp").write_text("mine")
    with pytest.raises(FileExistsError):
        write_sidecars([listed(tmp_path, "a.png", "b.png")], photos=tmp_path, into=tmp_path)
    assert (tmp_path / "a.png.xmp").read_text() == "mine"


def test_only_sidecars_of_ours_are_former_results(tmp_path):
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.png.xmp").write_text(sidecar(3))
    assert former(tmp_path / "phone")
    mine = sidecar(3).replace("Darkroom", "Another program")
    (tmp_path / "phone" / "b.png.xmp").write_text(mine)
    assert not former(tmp_path / "phone")
    assert not former(tmp_path / "phone" / "b.png.xmp")
    (tmp_path / "notes.txt").write_text(sidecar(3))
    assert not former(tmp_path / "notes.txt")
    (tmp_path / "link.xmp").symlink_to(tmp_path / "phone" / "a.png.xmp")
    assert not former(tmp_path / "link.xmp")
