"""A photograph is decoded and embedded once, and read as ``decode`` would read it."""

import os
from hashlib import sha256

import numpy as np
import pytest
import torch
from photo_files import photo
from raw_reader import made_up_reader
from spoilt_pictures import encoded, picture

from client.embeddings import file_stamp, photo_embedder
from client.embeddings.examples import PHOTOS_AT_ONCE
from client.embeddings.kept_photos import KeptPhotos
from client.embeddings.photo_embedder import PhotoEmbedder
from photos.folder.decoding import decode, decode_content
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip

SIDE = 16


class Encoder:
    """Two numbers a photo, its mean and its upper left corner; it notes how many it saw."""

    def __init__(self):
        self.seen = []

    def __call__(self, photos):
        self.seen.append(len(photos))
        flat = photos.reshape(len(photos), -1)
        return torch.tensor(np.stack([flat.mean(axis=1), flat[:, 0]], axis=1)).float()


@pytest.fixture
def encoder():
    return Encoder()


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded."""
    names = []

    def noted(content, *, name, side):
        names.append(name)
        return decode_content(content, name=name, side=side)

    monkeypatch.setattr(photo_embedder, "decode_content", noted)
    return names


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that were opened."""
    names, plain = [], photo_embedder.content_of
    monkeypatch.setattr(
        photo_embedder, "content_of", lambda path: names.append(path.name) or plain(path)
    )
    return names


@pytest.fixture
def later(monkeypatch):
    """Hours after the files of a test were written."""
    now = file_stamp.time.time_ns
    monkeypatch.setattr(file_stamp.time, "time_ns", lambda: now() + 10**13)


def read(encoder, paths, kept=None):
    """Reads files after ``kept``; their photographs, their embeddings and what is kept then."""
    own = PhotoEmbedder(encoder, kept or KeptPhotos.nothing(2))
    found = [own.read(path, side=SIDE) for path in paths]
    photos = [one for one in found if isinstance(one, Photograph)]
    rows = own.rows(np.stack([one.pixels for one in photos])) if photos else torch.empty(0, 2)
    return found, rows, own.kept(whole=True)


def album(folder, count):
    return [
        photo(folder / f"{number:02}.jpg", number, taken=f"2024:01:31 12:00:{number:02}")
        for number in range(count)
    ]


@pytest.mark.parametrize("again", [False, True])
def test_a_photo_is_what_decode_says_but_for_its_pixels(tmp_path, encoder, again):
    paths = album(tmp_path, 3)
    kept = read(encoder, paths)[2] if again else None
    found, rows, _ = read(encoder, paths, kept)
    for path, one, row in zip(paths, found, rows, strict=True):
        plain = decode(path, side=SIDE)
        assert (one.name, one.taken) == (plain.name, plain.taken)
        assert (one.likeness == plain.likeness).all()
        assert one.pixels.tobytes() == sha256(path.read_bytes()).digest()
        assert torch.equal(row, Encoder()(plain.pixels[None])[0])


def test_photos_are_embedded_in_few_calls_and_few_pixels_are_there_at_once(tmp_path, encoder):
    own = PhotoEmbedder(encoder, KeptPhotos.nothing(2))
    most = 0
    for path in album(tmp_path, 2 * PHOTOS_AT_ONCE + 3):
        own.read(path, side=SIDE)
        most = max(most, len(own._waiting))
    assert most < PHOTOS_AT_ONCE
    own.embed_waiting()
    assert encoder.seen == [PHOTOS_AT_ONCE, PHOTOS_AT_ONCE, 3]


def test_a_second_reading_decodes_and_embeds_nothing(tmp_path, encoder, decoded):
    paths = album(tmp_path, 5)
    _, first, kept = read(encoder, paths)
    _, again, same = read(encoder, paths[::-1], kept)
    assert len(decoded) == 5
    assert encoder.seen == [5]
    assert torch.equal(again, first.flip(0))
    assert same is kept


def test_files_that_did_not_change_are_not_even_opened(tmp_path, encoder, opened, later):
    paths = album(tmp_path, 3)
    _, first, kept = read(encoder, paths)
    os.utime(paths[1])
    _, again, changed = read(encoder, paths, kept)
    assert opened == ["00.jpg", "01.jpg", "02.jpg", "01.jpg"]
    assert torch.equal(first, again)
    assert encoder.seen == [3]
    assert changed.places == kept.places
    assert read(encoder, paths, changed)[2] is changed


def test_files_that_are_young_are_hashed_each_time(tmp_path, encoder, opened):
    """A photo that is replaced at once, in the same size, is another photo."""
    (path,) = album(tmp_path, 1)
    kept = read(encoder, [path])[2]
    content = bytearray(path.read_bytes())
    other = photo(tmp_path / "other.jpg", 7).read_bytes()
    path.write_bytes(other.ljust(len(content), b"\0")[: max(len(content), len(other))])
    _, rows, _ = read(encoder, [path], kept)
    assert torch.equal(rows[0], Encoder()(decode(path, side=SIDE).pixels[None])[0])
    assert opened == ["00.jpg", "00.jpg"]


def test_one_changed_byte_is_another_photo_and_one_moved_is_the_same(
    tmp_path, encoder, decoded, later
):
    paths = album(tmp_path, 3)
    kept = read(encoder, paths)[2]
    paths[0].write_bytes(paths[0].read_bytes() + b"\0")
    paths[1] = paths[1].rename(tmp_path / "moved.jpg")
    _, _, after = read(encoder, paths, kept)
    assert decoded == ["00.jpg", "01.jpg", "02.jpg", "00.jpg"]
    assert len(after.places) == 3
    assert len(kept.places.keys() & after.places.keys()) == 2


def test_a_photo_goes_with_its_file_where_all_were_read_and_stays_where_not(tmp_path, encoder):
    paths = album(tmp_path, 3)
    kept = read(encoder, paths)[2]
    own = PhotoEmbedder(encoder, kept)
    own.read(paths[2], side=SIDE)
    assert len(own.kept(whole=True).places) == 1
    assert own.kept(whole=False) is kept


@pytest.mark.parametrize("again", [False, True])
def test_what_is_skipped_is_skipped_for_the_same_reason_each_time(
    tmp_path, encoder, decoded, later, again
):
    paths = album(tmp_path, 7)
    paths[1].write_text("text")
    paths[2].write_bytes(paths[2].read_bytes()[:-100])
    paths[3].unlink()
    paths[4].unlink()
    paths[4].symlink_to(paths[0])
    paths[5].write_bytes(encoded(picture(7, 16), "PNG"))
    kept = read(encoder, paths)[2] if again else None
    found, _, after = read(encoder, paths, kept)
    reasons = [one if isinstance(one, Skip) else None for one in found]
    assert reasons[1:6] == [
        Skip.NOT_A_PHOTO, Skip.DAMAGED, Skip.UNREADABLE, Skip.LINK, Skip.TOO_SMALL,
    ]  # fmt: skip
    plain = [decode(path, side=SIDE) for path in paths]
    assert reasons == [one if isinstance(one, Skip) else None for one in plain]
    assert len(after.places) == 2
    assert decoded.count("00.jpg") == 1


def test_a_file_that_cannot_be_opened_any_more_is_skipped_though_it_was_kept(
    tmp_path, encoder, later
):
    paths = album(tmp_path, 2)
    kept = read(encoder, paths)[2]
    paths[0].unlink()
    (tmp_path / "folder").mkdir()
    paths[0].symlink_to(paths[1])
    found, _, after = read(encoder, [*paths, tmp_path / "folder"], kept)
    assert found[0] == Skip.LINK
    assert found[2] == Skip.UNREADABLE
    assert len(after.places) == 1


def test_the_same_bytes_called_camera_raw_are_another_photo(
    tmp_path, encoder, monkeypatch, later
):
    """TIFF is read where a file is called camera raw, and nowhere else."""
    made_up_reader(monkeypatch)(encoded(picture(), "JPEG"))
    for name in ("a.nef", "a.jpg"):
        (tmp_path / name).write_bytes(b"II*\0" + bytes(99))
    kept = None
    for _ in range(2):
        found, _, kept = read(encoder, [tmp_path / "a.nef", tmp_path / "a.jpg"], kept)
        assert found[0].name == "a.nef"
        assert found[1] == Skip.NOT_A_PHOTO


def test_two_files_of_the_same_bytes_are_embedded_once(tmp_path, encoder, decoded):
    (path,) = album(tmp_path, 1)
    (tmp_path / "copy.jpg").write_bytes(path.read_bytes())
    found, rows, kept = read(encoder, [path, tmp_path / "copy.jpg"])
    assert [one.name for one in found] == ["00.jpg", "copy.jpg"]
    assert torch.equal(rows[0], rows[1])
    assert (decoded, encoder.seen, len(kept.places)) == (["00.jpg"], [1], 1)


def pictures(*shades):
    return np.stack([np.full((4, 4, 3), shade, np.uint8) for shade in shades])


def test_photos_of_pixels_are_known_by_these(encoder):
    own = PhotoEmbedder(encoder, KeptPhotos.nothing(2))
    first = own.rows(pictures(1, 2, 3))
    again = PhotoEmbedder(encoder, own.kept(whole=False))
    changed = pictures(3, 1, 1, 2)
    changed[3, 3, 3, 2] ^= 1
    rows = again.rows(changed)
    assert torch.equal(rows[:3], first[[2, 0, 0]])
    assert encoder.seen == [3, 1]
    assert len(again.kept(whole=False).places) == 4
    assert again.rows(pictures(1)[:0]).shape == (0, 2)
