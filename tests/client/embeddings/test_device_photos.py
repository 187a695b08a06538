"""Libraries of photographs for a frozen encoder: the same with a cache, without, and again."""

import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch
from libraries import LIBRARY
from photo_files import photo

from client.embeddings import device_photos, photo_embedder
from client.embeddings.device_photos import DevicePhotos, examples_of
from client.embeddings.lru_cache import LruCache
from photos.folder import decoding
from photos.folder.settings import FolderPhotos
from photos.registry import open_source
from photos.split import held_out_moments, training_moments

TRAINING = partial(training_moments, seed=3, held_out_share=0.4)
HELD_OUT = partial(held_out_moments, seed=3, held_out_share=0.4)


class Shades(torch.nn.Module):
    """An encoder of two numbers: how bright a photo is, times a weight, and its corner."""

    width = 2

    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))
        self.seen = 0

    def forward(self, photos):
        self.seen += len(photos)
        flat = photos.flatten(1)
        return torch.stack([self.weight * flat.mean(1), flat[:, 0]], dim=1)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """What a new process remembers: nothing."""

    def forget():
        fresh = LruCache(weigh=lambda kept: kept.nbytes)
        monkeypatch.setattr(device_photos, "_remembered", fresh)

    forget()
    return forget


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded, by whichever way."""
    names, plain = [], decoding._decode

    def noted(content, name, side):
        names.append(name)
        return plain(content, name, side)

    monkeypatch.setattr(decoding, "_decode", noted)
    return names


@pytest.fixture(params=["folder", "library"])
def settings(request, tmp_path):
    """Two people's photographs of eight moments, a damaged one among them, and one too many."""
    root = tmp_path / "photos"
    for person in ("anna", "ben"):
        for number in range(8):
            for place in range(3):
                photo(
                    root / person / f"{number}" / f"{place}.jpg",
                    100 * len(person) + 10 * number + place,
                    taken=f"2024:01:{number + 1:02} 12:00:{place:02}",
                    exif={0x4746: 5} if place == 1 else {},
                )
        rows = "".join(f"{number}/1.jpg,favourite\n" for number in range(8))
        (root / person / "feedback.csv").write_text(f"photo,feedback\n{rows}")
    half = root / "anna" / "3" / "2.jpg"
    half.write_bytes(half.read_bytes()[:-300])
    changes = {"root": str(root), "held_out_devices": 0, "held_out_share": 0.4}
    if request.param == "library":
        return replace(LIBRARY, devices_by="folder", **changes)
    return FolderPhotos(devices=None, side=16, **changes)


def own(settings, encoder, **changes):
    named = {"digest": "a", "seed": 3, "cache": None, "limit": 2**20} | changes
    return DevicePhotos(encoder=encoder, photos=settings, **named)


def read(settings, encoder, choose=TRAINING, device=0, **changes):
    source = open_source(settings, seed=3)
    by = own(settings, encoder, **changes) if changes.pop("by", True) else None
    return examples_of(source, device, choose, encoder=encoder, own=by)


def equal(one, other):
    names = ("inputs", "gains", "where", "numbers")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("choose", [TRAINING, HELD_OUT], ids=["training", "held out"])
@pytest.mark.parametrize("device", [0, 1])
def test_examples_have_the_same_bits_as_those_of_pixels_with_and_without_a_cache(
    settings, tmp_path, forgotten, choose, device
):
    pixels = read(settings, Shades(), choose, device, by=False)
    assert equal(read(settings, Shades(), choose, device), pixels)
    for _ in range(2):
        forgotten()
        assert equal(read(settings, Shades(), choose, device, cache=str(tmp_path)), pixels)


def test_libraries_are_skipped_from_for_the_same_reasons_with_and_without_a_cache(
    settings, tmp_path, forgotten
):
    source = open_source(settings, seed=3)
    plain = source.library(0)
    assert plain.skipped["truncated or damaged"] == 1
    for _ in range(2):
        forgotten()
        with own(settings, Shades(), cache=str(tmp_path)).of(source, 0) as (library, _):
            assert library.skipped == plain.skipped
            assert library.rated == plain.rated
            for one, other in zip(library.moments, plain.moments, strict=True):
                assert one.number == other.number
                assert (one.bursts == other.bursts).all()
                assert (one.feedback == other.feedback).all()


def test_a_process_decodes_and_embeds_each_photo_once_for_training_and_judging(
    settings, decoded
):
    encoder = Shades()
    for choose in (TRAINING, HELD_OUT, TRAINING):
        read(settings, encoder, choose)
    sound = [name for name in decoded if name != "2.jpg"]
    assert len(sound) == 16
    # 23 sound photos in two calls of sixteen
    assert encoder.seen == 32


def test_a_second_process_decodes_no_sound_photo_and_embeds_none(
    settings, tmp_path, forgotten, decoded
):
    """The damaged one is decoded again, for the reason."""
    encoder = Shades()
    read(settings, encoder, cache=str(tmp_path))
    assert len(decoded) == 24
    forgotten()
    decoded.clear()
    read(settings, encoder, cache=str(tmp_path))
    assert decoded == ["2.jpg"]
    assert encoder.seen == 32


@pytest.mark.parametrize("other", [{"digest": "b"}, {"device": 1}])
def test_another_encoder_or_device_shares_nothing(
    settings, tmp_path, forgotten, decoded, other
):
    for changes in ({}, other):
        forgotten()
        decoded.clear()
        read(settings, Shades(), cache=str(tmp_path), **changes)
        assert len(decoded) == 24


def test_another_side_or_decoder_shares_nothing(
    settings, tmp_path, forgotten, decoded, monkeypatch
):
    read(settings, Shades(), cache=str(tmp_path))
    forgotten()
    read(replace(settings, side=24), Shades(), cache=str(tmp_path))
    forgotten()
    monkeypatch.setattr(device_photos, "decoders", lambda: ["another"])
    read(settings, Shades(), cache=str(tmp_path))
    assert len(decoded) == 3 * 24


def test_how_moments_are_made_changes_no_embedding(settings, tmp_path, forgotten, decoded):
    read(settings, Shades(), cache=str(tmp_path))
    forgotten()
    decoded.clear()
    changed = replace(settings, held_out_share=0.2)
    read(changed, Shades(), cache=str(tmp_path))
    assert decoded == ["2.jpg"]


def test_a_photo_that_changed_is_embedded_anew_and_one_that_went_is_forgotten(
    settings, tmp_path, forgotten, decoded
):
    folder = settings.folder() / "anna"
    cache = str(tmp_path / "cache")
    read(settings, Shades(), cache=cache)
    size = cached(tmp_path).stat().st_size
    photo(folder / "0" / "0.jpg", 77, taken="2024:01:01 12:00:00")
    shutil.rmtree(folder / "1")
    forgotten()
    decoded.clear()
    found = read(settings, Shades(), cache=cache)
    assert sorted(decoded) == ["0.jpg", "2.jpg"]
    assert equal(found, read(settings, Shades(), by=False))
    assert cached(tmp_path).stat().st_size < size


def cached(folder):
    (file,) = (folder / "cache").rglob("*.safetensors")
    return file


def test_what_was_embedded_is_kept_where_the_work_is_broken_off(
    settings, tmp_path, forgotten, decoded, monkeypatch
):
    encoder, source = Shades(), open_source(settings, seed=3)
    by = own(settings, encoder, cache=str(tmp_path / "cache"))

    def broken(content, *, name, side):
        if len(decoded) == 20:
            raise KeyboardInterrupt
        return decoding.decode_content(content, name=name, side=side)

    with monkeypatch.context() as patched:
        patched.setattr(photo_embedder, "decode_content", broken)
        with pytest.raises(KeyboardInterrupt), by.of(source, 0):
            pass
    forgotten()
    decoded.clear()
    read(settings, encoder, cache=str(tmp_path / "cache"))
    # 16 of the first 20 were embedded, and the damaged one is looked at again.
    assert len(decoded) == 24 - 16


def test_little_memory_forgets_other_devices_and_changes_nothing(settings, decoded):
    plain = read(settings, Shades(), by=False)
    decoded.clear()
    for device in (0, 1, 0):
        found = read(settings, Shades(), device=device, limit=1)
    assert len(decoded) == 24 + 24 + 24
    assert equal(found, plain)
