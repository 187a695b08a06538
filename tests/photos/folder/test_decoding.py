import os
import struct
import zlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from exif_blocks import ORIENTATION, RATIO, RUBBISH, TAKEN, TEXT, block, short, text
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_files import photo
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from spoilt_pictures import picture

from photos.folder import decoding
from photos.folder.decoding import decode, glance
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip

RED, BLUE = (255, 0, 0), (0, 0, 255)


def _decoded(path: Path, side: int = 8) -> Photograph:
    photo = decode(path, side=side)
    assert isinstance(photo, Photograph)
    return photo


def _saved(image: Image.Image, path: Path, **options) -> Path:
    image.save(path, **options)
    return path


def _exif(**tags: object) -> Image.Exif:
    exif = Image.Exif()
    if "orientation" in tags:
        exif[0x0112] = tags["orientation"]
    exif.get_ifd(0x8769).update(
        {0x9003 if key == "taken" else 0x9291: value
         for key, value in tags.items() if key != "orientation"}
    )  # fmt: skip
    return exif


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("I;16", 100 * 256 + 7, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("LA", (100, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
    ],
)
def test_every_png_mode_becomes_rgb_and_transparency_is_laid_on_white(
    tmp_path, mode, colour, expected
):
    path = _saved(Image.new(mode, (20, 20), colour), tmp_path / "a.png")
    assert (_decoded(path).pixels == expected).all()


def test_a_palette_with_a_transparent_entry_is_laid_on_white(tmp_path):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([*RED, *BLUE])
    path = _saved(image, tmp_path / "a.png", transparency=0)
    assert (_decoded(path).pixels == 255).all()


def test_a_cmyk_jpeg_becomes_rgb(tmp_path):
    path = _saved(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), tmp_path / "a.jpg")
    assert np.abs(_decoded(path).pixels.astype(int) - RED).max() < 20


def test_a_webp_and_a_many_picture_jpeg_are_photographs(tmp_path):
    red, blue = Image.new("RGB", (20, 20), RED), Image.new("RGB", (20, 20), BLUE)
    webp = _saved(red, tmp_path / "a.webp", lossless=True)
    several = _saved(red, tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[blue])
    assert (_decoded(webp).pixels == RED).all()
    assert np.abs(_decoded(several).pixels.astype(int) - RED).max() < 5


@pytest.mark.parametrize(("width", "height"), [(40, 20), (20, 40), (31, 20), (20, 20)])
def test_the_centre_square_is_kept_and_resized(tmp_path, width, height):
    image = Image.new("RGB", (width, height), RED)
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    image.paste(BLUE, (left, top, left + short, top + short))
    pixels = _decoded(_saved(image, tmp_path / "a.png")).pixels
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[2:-2, 2:-2].astype(int) - BLUE).max() < 10


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (7, 7), (7, 3000)])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_picture_that_is_too_small_to_be_a_photo_is_skipped(tmp_path, size, suffix):
    path = _saved(Image.new("RGB", size, RED), tmp_path / f"a.{suffix}")
    assert decode(path, side=8) == Skip.TOO_SMALL


@pytest.mark.parametrize("size", [(8, 8), (8, 500), (500, 8)])
def test_a_small_or_thin_photo_is_a_square_too(tmp_path, size):
    path = _saved(Image.new("RGB", size, RED), tmp_path / "a.png")
    assert (_decoded(path).pixels == RED).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("turned", [1, 6])
def test_a_panorama_is_seen_from_end_to_end(tmp_path, suffix, turned):
    image = Image.new("RGB", (1200, 100), (0, 255, 0))
    image.paste(RED, (0, 0, 100, 100))
    image.paste(BLUE, (1100, 0, 1200, 100))
    exif = _exif(orientation=turned)
    path = _saved(image, tmp_path / f"a.{suffix}", exif=exif, quality=95)
    pixels = _decoded(path, side=48).pixels.astype(int)
    ends = pixels[24, [1, 24, -2]] if turned == 1 else pixels[[1, 24, -2], 24]
    assert np.abs(ends - [RED, (0, 255, 0), BLUE]).max() < 25


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_set_upright(tmp_path, suffix, orientation):
    upright = np.zeros((32, 32, 3), dtype=np.uint8)
    upright[:16, :16], upright[:16, 16:], upright[16:, :16] = 255, RED, BLUE
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    path = _saved(
        Image.fromarray(np.ascontiguousarray(stored)),
        tmp_path / f"a.{suffix}",
        exif=_exif(orientation=orientation),
        quality=95,
    )
    corners = _decoded(path, side=32).pixels[[8, 8, 24, 24], [8, 24, 8, 24]].astype(int)
    assert np.abs(corners - [(255, 255, 255), RED, BLUE, (0, 0, 0)]).max() < 30


def test_a_large_jpeg_is_sharp_after_decoding_at_a_reduced_scale(tmp_path):
    stripes = np.repeat(np.arange(16) % 2 * 255, 100).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(stripes[None, :, None], (1600, 1600, 3)).copy())
    pixels = _decoded(_saved(image, tmp_path / "a.jpg", quality=95), side=16).pixels
    assert np.abs(pixels[8, :, 0].astype(int) - np.arange(16) % 2 * 255).max() < 60


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"taken": "2026:05:14 10:20:30"}, datetime(2026, 5, 14, 10, 20, 30)),
        (
            {"taken": "2026:05:14 10:20:30", "fraction": "25"},
            datetime(2026, 5, 14, 10, 20, 30, 250_000),
        ),
        ({"taken": "0000:00:00 00:00:00"}, None),
        ({"taken": "yesterday", "fraction": "x"}, None),
        ({}, None),
    ],
)
def test_the_time_of_capture_is_read_with_its_fraction_or_is_none(tmp_path, tags, expected):
    path = _saved(Image.new("RGB", (9, 9)), tmp_path / "a.jpg", exif=_exif(**tags))
    assert _decoded(path).taken == expected


@pytest.mark.parametrize("rubbish", RUBBISH)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_that_is_rubbish_costs_only_the_time(tmp_path, suffix, rubbish):
    sound = _saved(picture(), tmp_path / f"a.{suffix}", dpi=(72, 72))
    path = _saved(picture(), tmp_path / f"b.{suffix}", dpi=(72, 72), exif=RUBBISH[rubbish])
    assert _decoded(path).taken is None
    assert (_decoded(path).pixels == _decoded(sound).pixels).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_photo_whose_exif_is_half_rubbish_is_turned_and_has_its_time(tmp_path, suffix):
    odd = [(0x0100, 99, 1, b"abcd"), (0x010F, TEXT, 2**32 - 1, b"\xff\xff\xff\xff")]
    late = [(0x9286, RATIO, 2**31, b"\xff\xff\xff\xff"), text(TAKEN, "2026:05:14 10:20:30")]
    exif = block([*odd, short(ORIENTATION, 6)], late)
    path = _saved(picture(), tmp_path / f"a.{suffix}", exif=exif, quality=100)
    upright = _saved(picture().transpose(Image.Transpose.ROTATE_270), tmp_path / "b.png")
    assert _decoded(path).taken == datetime(2026, 5, 14, 10, 20, 30)
    difference = _decoded(path).pixels.astype(int) - _decoded(upright).pixels
    assert np.abs(difference).mean() < 12


@pytest.mark.parametrize("fraction", ["25ms", "1e5", "-1", "0.25"])
def test_a_fraction_that_is_no_number_leaves_the_second(tmp_path, fraction):
    exif = _exif(taken="2026:05:14 10:20:30", fraction=fraction)
    path = _saved(Image.new("RGB", (9, 9)), tmp_path / "a.jpg", exif=exif)
    assert _decoded(path).taken == datetime(2026, 5, 14, 10, 20, 30)


def _bomb(path: Path, side: int) -> Path:
    """A PNG that declares ``side`` × ``side`` pixels in a few bytes."""
    _saved(Image.new("1", (8, 8)), path)
    whole = bytearray(path.read_bytes())
    whole[16:24] = struct.pack(">II", side, side)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize("side", [8001, 12_000, 20_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, side):
    limit = Image.MAX_IMAGE_PIXELS
    assert decode(_bomb(tmp_path / "a.png", side), side=8) == Skip.TOO_LARGE
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_photo_of_the_largest_size_that_is_allowed_gets_as_far_as_its_pixels(tmp_path):
    assert decode(_bomb(tmp_path / "a.png", 8000), side=8) == Skip.DAMAGED


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_truncated_file_is_damaged_wherever_it_is_cut(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = _saved(Image.fromarray(noise), tmp_path / f"a.{suffix}").read_bytes()
    for cut in range(0, len(whole) - 200, 200):
        path = tmp_path / f"b.{suffix}"
        path.write_bytes(whole[:cut])
        assert decode(path, side=8) in (Skip.DAMAGED, Skip.NOT_A_PHOTO), cut


@pytest.mark.parametrize("content", [b"", b"not a photo", b"GIF89a", b"%PDF-1.7", b"\xff\xd8"])
def test_a_file_that_only_has_a_photos_name_is_not_a_photo(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert decode(path, side=8) == Skip.NOT_A_PHOTO


def test_a_tiff_under_a_photos_name_is_not_a_photo(tmp_path):
    path = _saved(Image.new("RGB", (9, 9)), tmp_path / "a.jpg", format="TIFF")
    assert decode(path, side=8) == Skip.NOT_A_PHOTO


def test_a_symbolic_link_is_not_followed(tmp_path):
    target = _saved(Image.new("RGB", (9, 9)), tmp_path / "a.jpg")
    link = tmp_path / "b.jpg"
    link.symlink_to(target)
    assert decode(link, side=8) == Skip.LINK


def test_a_missing_file_and_one_without_permission_cannot_be_opened(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    assert decode(tmp_path / "a.jpg", side=8) == Skip.UNREADABLE
    path = _saved(Image.new("RGB", (9, 9)), tmp_path / "a.jpg")
    monkeypatch.setattr(os, "open", refuse)
    assert decode(path, side=8) == Skip.UNREADABLE


def test_flipped_bytes_never_raise(tmp_path):
    rng = np.random.default_rng(0)
    for suffix in ("jpg", "png", "webp"):
        path = _saved(
            Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)),
            tmp_path / f"a.{suffix}",
            exif=_exif(orientation=6, taken="2026:05:14 10:20:30"),
        )
        whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        for _ in range(60):
            damaged = whole.copy()
            damaged[rng.integers(0, len(whole), 5)] = rng.integers(0, 256, 5)
            path.write_bytes(damaged.tobytes())
            assert isinstance(decode(path, side=8), Photograph | Skip)


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (1, 2, 3)), ("1", 0)])
def test_a_keyed_colour_is_laid_on_white_and_turned_with_the_photo(tmp_path, mode, colour):
    image = Image.new(mode, (20, 20), 0 if mode == "1" else colour)
    image.paste(1 if mode == "1" else 0, (0, 0, 20, 10))
    path = _saved(image, tmp_path / "a.png", transparency=colour, exif=_exif(orientation=3))
    pixels = _decoded(path, side=20).pixels
    assert (pixels[:9] == 255).all()
    assert (pixels[11:] == (255 if mode == "1" else 0)).all()


def test_a_keyed_colour_is_laid_on_white_before_the_photo_is_made_smaller(tmp_path):
    image = Image.new("L", (160, 160), 200)
    image.putdata([7 if (x + y) % 2 else 200 for y in range(160) for x in range(160)])
    pixels = _decoded(_saved(image, tmp_path / "a.png", transparency=7)).pixels
    assert np.abs(pixels.astype(int) - (255 + 200) / 2).max() <= 2


def _made(name: str, width: int, height: int) -> Image.Image:
    down, across = np.mgrid[:height, :width]
    rng = np.random.default_rng(0)
    if name == "clouds":
        few = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        return few.resize((width, height), Image.Resampling.BICUBIC)
    values = {
        "an edge": (across > width // 3) * 255,
        "squares": (across // 7 + down // 7) % 2 * 255,
        "noise": rng.integers(0, 256, (height, width)),
        "lines of one pixel": across % 2 * 255,
    }[name]
    return Image.fromarray(values.astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("size", [(800, 600), (777, 769), (1999, 260)])
@pytest.mark.parametrize(
    ("name", "most", "mean"),
    [
        ("clouds", 8, 1.0),
        ("an edge", 8, 1.0),
        ("squares", 8, 1.0),
        ("noise", 8, 1.0),
        # No photo has them: where the last block is not full, it mixes them with its own edge.
        ("lines of one pixel", 16, 1.0),
    ],
)
@pytest.mark.parametrize("side", [16, 48])
def test_a_jpeg_that_is_decoded_smaller_differs_by_little_from_the_whole_one(
    tmp_path, monkeypatch, name, most, mean, size, side
):
    path = _saved(_made(name, *size), tmp_path / "a.jpg", quality=90)
    small = _decoded(path, side=side).pixels.astype(int)
    monkeypatch.setattr(JpegImageFile, "draft", lambda *_: None)
    difference = np.abs(small - _decoded(path, side=side).pixels)
    assert difference.max() <= most
    assert difference.mean() <= mean


def test_a_jpeg_is_decoded_no_larger_than_it_is_needed(tmp_path, monkeypatch):
    sizes = []
    real = JpegImageFile.load
    monkeypatch.setattr(
        JpegImageFile, "load", lambda self: (sizes.append(self.size), real(self))[1]
    )
    for size in ((2000, 1500), (4000, 500)):
        _decoded(_saved(Image.new("RGB", size), tmp_path / "a.jpg"), side=16)
    assert set(sizes) == {(250, 188), (500, 63)}


def _jpeg_bomb(path: Path) -> Path:
    whole = bytearray(_saved(Image.new("L", (8, 8)), path).read_bytes())
    place = whole.index(b"\xff\xc0") + 5
    whole[place : place + 4] = struct.pack(">HH", 65_000, 65_000)
    path.write_bytes(whole)
    return path


def test_a_jpeg_that_claims_four_thousand_million_pixels_is_refused(tmp_path):
    assert decode(_jpeg_bomb(tmp_path / "a.jpg"), side=8) == Skip.TOO_LARGE


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_a_file_gives_the_same_pixels_whatever_was_read_before(files_of_every_kind, order):
    files, before = files_of_every_kind
    for number in order:
        found = decode(files[number], side=16)
        assert isinstance(found, type(before[number]))
        if isinstance(found, Photograph):
            assert found.pixels.tobytes() == before[number].pixels.tobytes()
            assert found.taken == before[number].taken


@pytest.fixture(scope="module")
def files_of_every_kind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    kinds = ("a.jpg", "b.png", "c.webp", "d.avif")
    files = [_saved(_made("clouds", 300, 200), folder / name) for name in kinds]
    files += [_jpeg_bomb(folder / "e.jpg"), _bomb(folder / "f.png", 8000)]
    return files, [decode(file, side=16) for file in files]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_at_a_glance_name_and_time_are_those_of_the_decoded_photo_and_nothing_is_decoded(
    tmp_path, monkeypatch, suffix
):
    path = photo(tmp_path / f"a.{suffix}", taken="2024:01:31 12:00:00", offset="+02:00")
    decoded = decode(path, side=16)
    monkeypatch.setattr(decoding, "_decode", None)
    found = glance(path, side=16)
    assert isinstance(found, Photograph)
    assert (found.name, found.taken) == (decoded.name, decoded.taken)
    assert found.pixels.shape == (0,)
    assert np.stack([found.pixels] * 3).shape == (3, 0)


def test_at_a_glance_what_holds_no_picture_is_skipped_for_the_reason_of_decoding(tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "c.jpg").symlink_to("a.jpg")
    names = ("a.jpg", "b.jpg", "c.jpg", "gone.jpg")
    reasons = [glance(tmp_path / name, side=16) for name in names]
    assert reasons == [Skip.NOT_A_PHOTO, Skip.DAMAGED, Skip.LINK, Skip.UNREADABLE]
    assert reasons == [decode(tmp_path / name, side=16) for name in names]


def test_half_a_download_goes_unseen_at_a_glance(tmp_path):
    path = photo(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes()[:-100])
    assert isinstance(glance(path, side=16), Photograph)
    assert decode(path, side=16) == Skip.DAMAGED
