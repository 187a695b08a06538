"""Embeddings of photographs on disk: sound ones come back, and nothing else does."""

import os
import stat
import struct
import threading
from datetime import datetime

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from client.embeddings.kept_photos import KeptPhoto, KeptPhotos
from client.embeddings.photo_cache import PhotoCache

WIDTH = 3


def cache(folder, *, name="name", device=5):
    return PhotoCache(folder, name=name, device=device)


def some(*numbers, width=WIDTH):
    """Photographs whose keys, times and embeddings follow from numbers."""
    photos = {
        bytes([number] * 32): KeptPhoto(
            taken=datetime(2024, 1, 1 + number) if number % 2 else None,
            likeness=np.arange(64) % (number + 1) == 0,
            embedding=torch.full((width,), number / 3),
        )
        for number in numbers
    }
    stamps = {bytes([number] * 16): bytes([number] * 32) for number in numbers}
    return KeptPhotos.of(photos, stamps=stamps, width=width)


def same(one, other):
    return (
        torch.equal(one.embeddings, other.embeddings)
        and (one.taken == other.taken).all()
        and (one.likeness == other.likeness).all()
        and dict(one.places) == dict(other.places)
        and dict(one.stamps) == dict(other.stamps)
    )


def file_of(folder):
    (file,) = folder.rglob("*.safetensors")
    return file


def test_what_was_kept_comes_back_in_every_bit(tmp_path):
    kept = some(1, 2, 3)
    cache(tmp_path).save(kept)
    assert same(cache(tmp_path).load(width=WIDTH), kept)
    assert cache(tmp_path).load(width=WIDTH).get(bytes([1] * 32)).taken == datetime(2024, 1, 2)
    cache(tmp_path).save(some(2))
    assert same(cache(tmp_path).load(width=WIDTH), some(2))


@pytest.mark.parametrize("other", [{"name": "b"}, {"device": 6}])
def test_another_device_or_encoder_has_a_file_of_its_own(tmp_path, other):
    cache(tmp_path).save(some(1))
    assert not cache(tmp_path, **other).load(width=WIDTH).places
    cache(tmp_path, **other).save(some(2))
    assert same(cache(tmp_path).load(width=WIDTH), some(1))


def test_of_no_photographs_there_is_no_file(tmp_path):
    cache(tmp_path).save(some(1))
    cache(tmp_path).save(KeptPhotos.nothing(WIDTH))
    assert not list(tmp_path.rglob("*.safetensors"))
    assert not cache(tmp_path).load(width=WIDTH).places


def test_nobody_but_the_owner_reads_it(tmp_path):
    cache(tmp_path / "deep" / "cache").save(some(1))
    file = file_of(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)] == [0o700, 0o600]
    assert [one.name for one in file.parent.iterdir()] == ["5.safetensors"]


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o770])
def test_what_others_could_have_written_is_not_read(tmp_path, mode):
    cache(tmp_path).save(some(1))
    file = file_of(tmp_path)
    file.parent.chmod(mode)
    assert not cache(tmp_path).load(width=WIDTH).places
    cache(tmp_path).save(some(1))
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert cache(tmp_path).load(width=WIDTH).places


def foreign(**changes):
    """A sound file of safetensors with some arrays changed, and the digest as it was."""

    def spoil(content):
        return save({**load(content), **changes})

    return spoil


SPOILT = {
    "cut": lambda content: content[:-1],
    "a bit": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "empty": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "another name": lambda content: content.replace(b'"keys"', b'"kyes"'),
    "another number of keys": foreign(keys=np.zeros((1, 32), np.uint8)),
    "other embeddings": foreign(embeddings=np.zeros((2, WIDTH), np.float32)),
    "another type": foreign(embeddings=np.zeros((2, WIDTH), np.float64)),
    "foreign": lambda _: save({"weight": np.zeros(9, np.float32)}),
    "a claim of much": lambda _: struct.pack("<Q", 2**60) + b"{}",
    "a pickle": lambda _: b"\x80\x04K\x01.",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_damaged_or_foreign_file_is_as_none_and_is_replaced(tmp_path, spoil):
    cache(tmp_path).save(some(1, 2))
    file = file_of(tmp_path)
    file.write_bytes(SPOILT[spoil](file.read_bytes()))
    assert not cache(tmp_path).load(width=WIDTH).places
    cache(tmp_path).save(some(1, 2))
    assert same(cache(tmp_path).load(width=WIDTH), some(1, 2))


@pytest.mark.parametrize("place", range(0, 900, 37))
def test_no_changed_byte_gives_another_embedding(tmp_path, place):
    cache(tmp_path).save(some(1, 2))
    file = file_of(tmp_path)
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 64
    file.write_bytes(content)
    found = cache(tmp_path).load(width=WIDTH)
    assert not found.places or same(found, some(1, 2))


def test_embeddings_of_another_width_are_none(tmp_path):
    cache(tmp_path).save(some(1, width=4))
    assert not cache(tmp_path).load(width=WIDTH).places


def test_a_file_that_claims_any_length_is_not_read(tmp_path):
    cache(tmp_path).save(some(1))
    os.truncate(file_of(tmp_path), 2**40)
    assert not cache(tmp_path).load(width=WIDTH).places
    cache(tmp_path).save(some(1))
    assert file_of(tmp_path).stat().st_size < 10_000


def test_a_link_in_the_files_place_is_replaced_and_what_it_points_to_is_left_alone(tmp_path):
    cache(tmp_path / "cache").save(some(1))
    file = file_of(tmp_path)
    target = file.rename(tmp_path / "target")
    content = target.read_bytes()
    file.symlink_to(target)
    assert not cache(tmp_path / "cache").load(width=WIDTH).places
    cache(tmp_path / "cache").save(some(2))
    assert not file.is_symlink()
    assert target.read_bytes() == content


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_or_a_file_in_the_folders_place_is_neither_followed_nor_changed(
    tmp_path, kind, caplog
):
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (tmp_path / "cache").mkdir()
    if kind == "link":
        (tmp_path / "cache" / "name").symlink_to(target)
    else:
        (tmp_path / "cache" / "name").touch()
    cache(tmp_path / "cache").save(some(1))
    assert "keeps nothing" in caplog.text
    assert list(target.iterdir()) == []
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    assert not cache(tmp_path / "cache").load(width=WIDTH).places


def test_a_folder_in_the_files_place_keeps_nothing_and_breaks_nothing(tmp_path, caplog):
    (tmp_path / "name" / "5.safetensors").mkdir(parents=True)
    cache(tmp_path).save(some(1))
    assert "keeps nothing" in caplog.text
    assert [one.name for one in (tmp_path / "name").iterdir()] == ["5.safetensors"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, caplog):
    (tmp_path / "file").touch()
    cache(tmp_path / "file").save(some(3))
    assert "keeps nothing" in caplog.text
    assert str(tmp_path) not in caplog.text


def test_of_many_that_write_at_once_one_stays_whole(tmp_path):
    """Who reads meanwhile finds one of them whole, or none."""
    kept = [some(number, number + 1) for number in range(8)]
    found = []

    def work(number):
        for _ in range(5):
            cache(tmp_path).save(kept[number])
            found.append(cache(tmp_path).load(width=WIDTH))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert all(any(same(one, other) for other in kept) for one in found)
    assert [one.name for one in (tmp_path / "name").iterdir()] == ["5.safetensors"]
