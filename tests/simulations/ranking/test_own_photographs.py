"""One's own photographs, as the lists that a model ranks."""

from pathlib import Path

import pytest
from raw_reader import made_up_reader
from spoilt_pictures import encoded, picture

from photos.folder.skips import Skip
from simulations.ranking.own_photographs import read_own


@pytest.fixture
def album(tmp_path):
    return tmp_path / "album"


def lengths(own):
    return {one.label: len(one.photographs) for one in own.lists}


@pytest.mark.parametrize(
    ("count", "lengths"), [(2, [2]), (12, [12]), (13, [6, 7]), (30, [10, 10, 10])]
)
def test_a_large_moment_is_cut_in_order_into_few_pieces_of_nearly_equal_length(
    album, photos, side, count, lengths
):
    photos(album, count)
    lists = read_own(album, side=side).lists
    assert [len(one.photographs) for one in lists] == lengths
    names = [photo.name for one in lists for photo in one.photographs]
    assert names == sorted(names)
    assert lists[-1].label == (
        "album" if len(lengths) == 1 else f"album ({len(lists)} of {len(lists)})"
    )


def test_photos_at_any_of_three_levels_are_moments_of_their_own(album, photos, side):
    photos(album, 2)
    photos(album / "phone", 3)
    photos(album / "phone" / "beach", 4)
    assert lengths(read_own(album, side=side)) == {
        "album": 2,
        "phone": 3,
        "phone/beach": 4,
    }


NESTED = ("2024/05/14", "2024/05/15/evening", "2025/Birthday", "2025/06")


@pytest.mark.parametrize("loose", [0, 1, 4])
@pytest.mark.parametrize("where", ["", "2024", "2024/05", "2025", "2026"])
def test_nested_years_are_read_whole_whatever_lies_loose(album, photos, side, where, loose):
    for name in NESTED:
        photos(album / name, 3)
    photos(album / where, loose)
    own = read_own(album, side=side)
    assert {name: lengths(own)[name] for name in NESTED} == dict.fromkeys(NESTED, 3)
    more = {where or "album": loose} if loose > 1 else {}
    assert lengths(own) == dict.fromkeys(NESTED, 3) | more
    assert own.skipped == ({Skip.FEW_PHOTOS: 1} if loose == 1 else {})


def test_lists_are_in_the_order_of_their_folders_each_before_those_inside_it(
    album, photos, side
):
    for name in ("b", "a/z", "a", "a b", ".", "a/c/d"):
        photos(album / name, 2)
    labels = [one.label for one in read_own(album, side=side).lists]
    assert labels == ["album", "a", "a/c/d", "a/z", "a b", "b"]


def test_folders_as_deep_as_a_path_can_be_are_read_and_deeper_ones_counted(
    album, photos, side, monkeypatch
):
    deep = album.joinpath(*["x" * 200] * 15)
    photos(deep, 2)
    monkeypatch.chdir(deep)
    Path(*["y" * 200] * 4).mkdir(parents=True)
    monkeypatch.chdir(Path(*["y" * 200] * 4))
    Path(*["z" * 200] * 4).mkdir(parents=True)
    own = read_own(album, side=side)
    assert lengths(own) == {"/".join(["x" * 200] * 15): 2}
    assert own.skipped == {Skip.UNREADABLE: 1}


def test_hidden_folders_and_links_are_not_entered(album, photos, side):
    photos(album / "a", 2)
    photos(album / ".thumbnails", 2)
    (album / "a" / "again").symlink_to(album)
    own = read_own(album, side=side)
    assert lengths(own) == {"a": 2}
    assert own.skipped == {Skip.LINK: 1}


@pytest.mark.parametrize("place", ["", "phone", "phone/beach"])
def test_a_table_speaks_of_the_photos_below_its_folder(album, photos, side, place):
    photos(album / "phone" / "beach", 2)
    photos(album / "phone", 2)
    names = [f"phone/beach/00{number}.png" for number in range(2)]
    names += ["phone/000.png"] * (place != "phone/beach")
    rows = [f"{name.removeprefix(place).lstrip('/')},favourite" for name in names]
    (album / place / "feedback.csv").write_text("\n".join(["photo,feedback", *rows, "x,keep"]))
    own = read_own(album, side=side)
    found = {
        f"{one.label}/{photo.name}"
        for one in own.lists
        for photo, row in zip(one.photographs, one.rows, strict=True)
        if row.feedback == 2
    }
    assert found == set(names)
    assert own.skipped == {Skip.ROW_WITHOUT_PHOTO: 1}


def test_a_moment_of_one_photo_is_no_list_and_is_counted(album, photos, side):
    photos(album / "one", 1)
    photos(album / "two", 2)
    own = read_own(album, side=side)
    assert lengths(own) == {"two": 2}
    assert own.skipped == {Skip.FEW_PHOTOS: 1}


def test_a_photo_of_a_list_is_found_in_the_folder_of_its_moment(album, photos, side):
    photos(album / "phone" / "beach", 2)
    (one,) = read_own(album, side=side).lists
    assert [one.path(place) for place in range(2)] == [
        album / "phone" / "beach" / f"00{number}.png" for number in range(2)
    ]


def test_each_photograph_has_its_row_of_the_feedback_also_in_a_moment_that_is_cut(
    album, photos, side
):
    photos(album / "beach", 13)
    rows = [f"beach/{number:03}.png,,favourite" for number in (0, 12)]
    (album / "feedback.csv").write_text("\n".join(["photo,burst,feedback", *rows]))
    first, second = read_own(album, side=side).lists
    assert [len(one.rows) for one in (first, second)] == [6, 7]
    favourites = [
        photo.name
        for one in (first, second)
        for photo, row in zip(one.photographs, one.rows, strict=True)
        if row.feedback == 2
    ]
    assert favourites == ["000.png", "012.png"]


def test_a_stray_photo_beside_devices_turns_no_folder_into_another_kind(
    album, photo, photos, side
):
    photos(album / "phone" / "beach", 2)
    photos(album / "tablet" / "beach", 2)
    before = lengths(read_own(album, side=side))
    photo(album / "stray.png")
    assert lengths(read_own(album, side=side)) == before


def test_what_holds_nothing_to_rank_says_why_or_what_to_put_there(album, photo, side):
    with pytest.raises(ValueError, match=r"album is not a folder that can be listed \(No such"):
        read_own(album, side=side)
    album.mkdir()
    with pytest.raises(ValueError, match=r"holds no photos to rank: put \.jpg"):
        read_own(album, side=side)
    photo(album / "a.png")
    (album / "b.jpg").write_text("no photo")
    reasons = f"1 × {Skip.FEW_PHOTOS}; 1 × {Skip.NOT_A_PHOTO}"
    with pytest.raises(ValueError, match=rf"holds no photos to rank: {reasons}\."):
        read_own(album, side=side)


def test_raw_beside_the_photo_of_its_shot_is_ranked_once_and_read_alone(
    album, photos, side, monkeypatch
):
    photos(album, 2)
    first = sorted(album.iterdir())[0]
    made_up_reader(monkeypatch)(encoded(picture(), "JPEG"))
    for name in (f"{first.stem}.CR2", "other.nef"):
        (album / name).write_bytes(b"raw")
    own = read_own(album, side=side)
    assert lengths(own) == {"album": 3}
    assert own.skipped == {Skip.RAW_TWIN: 1}
