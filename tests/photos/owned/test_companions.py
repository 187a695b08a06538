"""Which files beside a photo are read, each once, and what is remembered of them."""

import pytest
from photo_files import packet, takeout

from photos.folder.skips import Skip
from photos.library import Feedback
from photos.owned.companions import Companions, Remark, Remarks
from photos.owned.metadata.ratings import RatingSource
from photos.owned.metadata.takeout import key
from photos.owned.skips import Left


@pytest.fixture
def beside(tmp_path):
    """Writes files, and gives them as the companions of a folder."""

    def beside(**contents):
        for name, content in contents.items():
            (tmp_path / name).write_text(content)
        names: dict[str, list[str]] = {}
        for path in sorted(tmp_path.iterdir()):
            names.setdefault(key(path.name), []).append(path.name)
        return Companions(
            folder=tmp_path, below="2024", names=names, favourite_from=4, remarks=Remarks()
        )

    return beside


def given(found, photo):
    return [said.feedback for said in found.sidecars(photo)]


def test_the_sidecar_of_the_whole_name_comes_before_that_of_the_stem(beside):
    found = beside(**{"a.xmp": packet(xmp_Rating=5), "A.JPG.xmp": packet(xmp_Rating=-1)})
    assert given(found, "a.jpg") == [Feedback.DELETE, Feedback.FAVOURITE]
    assert given(found, "a.png") == [Feedback.FAVOURITE]
    assert given(found, "b.jpg") == []
    assert found.left_over() == 0


def test_what_belongs_to_no_photo_is_left_over(beside, tmp_path):
    takeout(tmp_path / "a.jpg.json", favorited=True)
    takeout(tmp_path / "metadata.json", "An album")
    found = beside(**{"b.xmp": packet()})
    assert found.takeout("b.jpg") is None
    assert found.takeout("a.jpg").favourite
    assert found.left_over() == 2


def test_a_cut_name_belongs_to_the_photo_that_its_title_names(beside, tmp_path):
    name = "x" * 60
    takeout(tmp_path / f"{name[:46]}.json", f"{name}.jpg", favorited=True)
    found = beside()
    assert found.takeout(f"{name[:46]}y.jpg") is None
    assert found.left_over() == 1
    assert found.takeout(f"{name[:47]}.jpg").favourite
    assert found.left_over() == 0


def test_what_cannot_be_read_is_remembered_once_and_not_left_over(beside):
    found = beside(**{"a.xmp": "<a", "a.jpg.json": "{}", "b.xmp": packet(xmp_Rating=9)})
    for photo in ("a.jpg", "a.png", "b.jpg"):
        assert all(one is None for one in given(found, photo))
        assert found.takeout(photo) is None
    assert found.remarks.skipped == {Left.BAD_SIDECAR: 2, Left.BAD_RATING: 1}
    assert found.remarks.of == [
        Remark(name="2024/a.xmp", reason="XMP with no sound XML"),
        Remark(name="2024/a.jpg.json", reason="no file of Takeout's inside"),
        Remark(name="2024/b.xmp", reason="a rating of '9' is not within -1 to 5 stars"),
    ]
    assert found.left_over() == 0


def test_a_sidecar_that_a_link_replaced_is_not_followed(beside, tmp_path):
    found = beside(**{"a.xmp": packet(xmp_Rating=5)})
    (tmp_path / "a.xmp").unlink()
    (tmp_path / "a.xmp").symlink_to("/etc/passwd")
    assert given(found, "a.jpg") == []
    assert found.remarks.of == [Remark(name="2024/a.xmp", reason=Skip.LINK)]


def test_a_sidecar_of_holes_is_not_read(beside, tmp_path):
    found = beside(**{"a.xmp": ""})
    with (tmp_path / "a.xmp").open("wb") as holes:
        holes.truncate(2**30)
    assert given(found, "a.jpg") == []
    assert found.remarks.of[0].reason == "larger than any sidecar"


def test_a_packet_inside_a_photo_is_read_like_a_sidecar(beside):
    found = beside()
    said = found.packet("a.jpg", packet(xmp_Rating=5).encode(), source=RatingSource.EMBEDDED)
    assert (said.feedback, said.source) == (Feedback.FAVOURITE, RatingSource.EMBEDDED)
    assert found.packet("a.jpg", b"<a", source=RatingSource.EMBEDDED) is None
