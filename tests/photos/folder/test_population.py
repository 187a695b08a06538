import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photos.folder.population import FolderSource, moment_number
from photos.folder.settings import FolderPhotos
from photos.folder.skips import Skip
from photos.library import Feedback

PHOTOS = FolderPhotos(
    root="",
    devices=None,
    held_out_devices=0,
    held_out_share=0.25,
    side=16,
)


def _photo(path: Path, grey: int = 0, taken: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    Image.new("RGB", (20, 20), (grey, grey, grey)).save(path, exif=exif)
    return path


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """The one device of a root, with one sound moment of two photos."""
    folder = tmp_path / "root" / "phone"
    _photo(folder / "sound" / "a.png", 10)
    _photo(folder / "sound" / "b.png", 20)
    return folder


def _source(device: Path, **changes: object) -> FolderSource:
    return FolderSource(replace(PHOTOS, root=str(device.parent), **changes))


def _library(device: Path):
    return _source(device).library(0)


def _greys(moment) -> list[int]:
    return moment.photos[:, 8, 8, 0].tolist()


def test_a_moment_folder_is_one_moment_of_resized_photos(device):
    library = _library(device)
    (moment,) = library.moments
    assert moment.photos.shape == (2, 16, 16, 3)
    assert moment.photos.dtype == np.uint8
    assert moment.number == moment_number("sound")
    assert moment.expected_gain is None
    assert library.skipped == {}


def test_without_a_table_every_photo_is_its_own_burst_and_kept(device):
    (moment,) = _library(device).moments
    assert moment.bursts.tolist() == [0, 1]
    assert moment.feedback.tolist() == [Feedback.KEEP, Feedback.KEEP]


def test_bursts_and_feedback_come_from_the_table_inside_their_moment(device):
    _photo(device / "sound" / "c.png", 30)
    (device / "feedback.csv").write_text(
        "photo,burst,feedback\nsound/c.png,x,favourite\nsound/a.png,x,delete\n"
    )
    (moment,) = _library(device).moments
    assert moment.bursts.tolist() == [0, 1, 0]
    assert moment.feedback.tolist() == [Feedback.DELETE, Feedback.KEEP, Feedback.FAVOURITE]


def test_photos_are_in_the_order_of_their_exif_times_and_then_of_their_names(device):
    moment = device / "sound"
    _photo(moment / "Z.JPG", 100, "2026:01:01 00:00:01")
    _photo(moment / "Y.JPEG", 90, "2026:01:01 00:00:02")
    assert _greys(_library(device).moments[0]) == [100, 90, 10, 20]


def test_suffixes_count_in_any_case_and_other_files_are_counted(device):
    _photo(device / "sound" / "c.WebP", 30)
    (device / "sound" / "film.mov").touch()
    (device / "sound" / ".DS_Store").touch()
    library = _library(device)
    assert len(library.moments[0].photos) == 3
    assert library.skipped == {Skip.OTHER_FILE: 1}


def _bomb(device: Path) -> None:
    whole = bytearray((device / "sound" / "a.png").read_bytes())
    whole[16:24] = struct.pack(">II", 30_000, 30_000)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    (device / "sound" / "c.png").write_bytes(whole)


def _truncated(device: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = device / "sound" / "c.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:6000])


def _non_image(device: Path) -> None:
    (device / "sound" / "c.jpg").write_text("no photo")


def _link_out_of_the_root(device: Path) -> None:
    outside = _photo(device.parents[1] / "outside" / "c.png")
    (device / "sound" / "c.png").symlink_to(outside)


def _linked_moment(device: Path) -> None:
    (device / "twin").symlink_to(device / "sound")


def _link_to_itself(device: Path) -> None:
    (device / "sound" / "c.png").symlink_to(device / "sound" / "c.png")


def _moment_of_one_photo(device: Path) -> None:
    _photo(device / "lonely" / "a.png")


def _row_for_no_photo(device: Path) -> None:
    (device / "feedback.csv").write_text("photo,burst,feedback\nsound/z.png,,keep\n")


def _unknown_feedback(device: Path) -> None:
    (device / "feedback.csv").write_text("photo,burst,feedback\nsound/a.png,,superb\n")


def _loose_photo(device: Path) -> None:
    _photo(device / "a.png")


def _nested_folder(device: Path) -> None:
    _photo(device / "sound" / "deeper" / "a.png")


def _folder_named_like_a_photo(device: Path) -> None:
    (device / "sound" / "c.png").mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_bomb, Skip.TOO_LARGE),
        (_truncated, Skip.DAMAGED),
        (_non_image, Skip.NOT_A_PHOTO),
        (_link_out_of_the_root, Skip.LINK),
        (_linked_moment, Skip.LINK),
        (_link_to_itself, Skip.LINK),
        (_moment_of_one_photo, Skip.FEW_PHOTOS),
        (_row_for_no_photo, Skip.ROW_WITHOUT_PHOTO),
        (_unknown_feedback, Skip.UNKNOWN_FEEDBACK),
        (_loose_photo, Skip.MISPLACED),
        (_nested_folder, Skip.MISPLACED),
        (_folder_named_like_a_photo, Skip.MISPLACED),
    ],
)
def test_what_cannot_be_used_is_counted_by_reason_and_the_rest_is_read(device, spoil, reason):
    spoil(device)
    library = _library(device)
    assert library.skipped == {reason: 1}
    assert [_greys(moment) for moment in library.moments] == [[10, 20]]


def test_no_reason_tells_a_name(device):
    for spoil in (_truncated, _moment_of_one_photo, _row_for_no_photo, _linked_moment):
        spoil(device)
    reasons = " ".join(_library(device).skipped)
    assert not any(name in reasons for name in ("phone", "sound", "lonely", "twin", "c.png"))


def test_a_moment_of_more_than_twelve_photos_keeps_the_first_twelve(device):
    for number in range(14):
        _photo(device / "party" / f"{number:02}.png", number)
    library = _library(device)
    (party,) = (m for m in library.moments if m.number == moment_number("party"))
    assert _greys(party) == list(range(12))
    assert library.skipped == {Skip.MANY_PHOTOS: 2}


def test_a_moment_depends_on_no_other_moment(device):
    before = _library(device).moments[0]
    for name in ("aaa", "zzz"):
        _photo(device / name / "a.png", 1)
        _photo(device / name / "b.png", 2)
    (after,) = (m for m in _library(device).moments if m.number == before.number)
    assert (after.photos == before.photos).all()
    assert after.bursts.tolist() == before.bursts.tolist()


def test_moments_are_in_the_order_of_their_63_bit_numbers(device):
    for name in "abcdefgh":
        _photo(device / name / "a.png")
        _photo(device / name / "b.png")
    numbers = [moment.number for moment in _library(device).moments]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 9
    assert all(0 <= number < 2**63 for number in numbers)


def test_the_number_of_a_moment_is_the_head_of_its_names_sha256():
    assert moment_number("") == 0xE3B0C44298FC1C14 >> 1


def test_an_empty_device_folder_is_a_device_without_moments(device):
    (device.parent / "tablet").mkdir()
    source = _source(device)
    assert source.devices == 2
    assert source.library(1).moments == ()
    assert source.library(1).skipped == {Skip.EMPTY_DEVICE: 1}


def test_held_out_devices_are_the_last_by_name_and_numbered_last(device):
    for name in ("a", "b", "y", "z"):
        _photo(device.parent / name / "m" / "a.png")
    source = _source(device, devices=2, held_out_devices=2)
    assert (source.devices, source.held_out_devices) == (2, 2)
    assert [source.name(number) for number in range(4)] == ["a", "b", "y", "z"]
    assert _source(device, held_out_devices=2).devices == 3


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("missing", r"photos.root=missing is not a folder .*\(No such file or directory\)"),
        (__file__, r"is not a folder that can be listed \(Not a directory\)"),
        ("x" * 300, r"is not a folder that can be listed \(File name too long\)"),
        ("a\0b", r"is not a folder that can be listed \(it is no name of a folder\)"),
        ("~no-such-user/x", r"photos.root=~no-such-user/x is not a folder"),
    ],
)
def test_a_root_that_is_no_folder_is_one_sentence(root, words):
    with pytest.raises(ValueError, match=words) as error:
        FolderSource(replace(PHOTOS, root=root))
    assert "darkroom photos sample DIR" in str(error.value)


def test_a_population_without_a_root_is_not_the_working_directory():
    with pytest.raises(ValueError, match=r"photos\.root is empty .* add photos\.root=DIR\."):
        FolderSource(PHOTOS)


def test_owners_of_real_photographs_have_no_named_orders(device):
    assert _source(device).orders(0) == {}


@pytest.mark.parametrize("layout", ["", "phone", "phone/moment", "a.png", "phone/a.png"])
def test_a_root_without_a_photo_says_the_layout(tmp_path, layout):
    path = tmp_path / layout
    if path.suffix:
        _photo(path)
    else:
        path.mkdir(parents=True, exist_ok=True)
    with pytest.raises(ValueError, match=r"holds no device folder with photos: the layout is"):
        FolderSource(replace(PHOTOS, root=str(tmp_path)))


@pytest.mark.parametrize(("devices", "held_out"), [(2, 0), (1, 1), (None, 1), (None, 5)])
def test_more_devices_than_folders_are_refused_with_both_settings(device, devices, held_out):
    with pytest.raises(ValueError, match=r"photos.devices=.*photos.held_out_devices=.*lower"):
        _source(device, devices=devices, held_out_devices=held_out)
