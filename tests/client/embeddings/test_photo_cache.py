"""Embeddings of photographs on disk: of the photos that are there, and of no others."""

import stat

import numpy as np
import pytest
import torch

from client.embeddings.photo_cache import PhotoCache
from simulations.configuration.hydra_bridge import compose

PHOTOS = compose(["photos=folder", "photos.root=DIR"]).photos


def cache(folder, **other):
    settings = {"photos": PHOTOS, "device": 5, "encoder": "a"} | other
    return PhotoCache(folder, **settings)


def pictures(*shades):
    return np.stack([np.full((4, 4, 3), shade, np.uint8) for shade in shades])


class Counting:
    """An encoder of two numbers a photo that notes which it saw."""

    def __init__(self):
        self.seen = []

    def __call__(self, photos):
        shades = photos[:, 0, 0, 0] if len(photos) else np.zeros(0)
        self.seen += shades.tolist()
        return torch.stack([torch.tensor(shades / 3), torch.tensor(shades * 2.0)], 1).float()


@pytest.fixture
def encoder():
    return Counting()


def test_what_was_embedded_once_comes_back_bit_by_bit_in_the_order_that_is_asked(
    tmp_path, encoder
):
    first = cache(tmp_path).embedded(pictures(1, 2, 3), encoder)
    again = cache(tmp_path).embedded(pictures(3, 1, 1, 2), encoder)
    assert torch.equal(again, first[[2, 0, 0, 1]])
    assert encoder.seen == [1, 2, 3]


def test_a_photo_that_changed_is_embedded_anew_and_the_others_are_not(tmp_path, encoder):
    cache(tmp_path).embedded(pictures(1, 2), encoder)
    changed = pictures(1, 2)
    changed[0, 3, 3, 2] ^= 1
    found = cache(tmp_path).embedded(changed, encoder)
    assert encoder.seen == [1, 2, 1]
    assert found.shape == (2, 2)


def test_an_embedding_goes_with_its_photo(tmp_path, encoder):
    cache(tmp_path).embedded(pictures(1, 2), encoder)
    cache(tmp_path).embedded(pictures(2), encoder)
    cache(tmp_path).embedded(pictures(1, 2), encoder)
    assert encoder.seen == [1, 2, 1]
    cache(tmp_path).embedded(pictures(9)[:0], encoder)
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("other", [{"encoder": "b"}, {"device": 6}])
def test_another_encoder_or_device_has_a_file_of_its_own(tmp_path, encoder, other):
    cache(tmp_path).embedded(pictures(1), encoder)
    cache(tmp_path, **other).embedded(pictures(1), encoder)
    cache(tmp_path).embedded(pictures(1), encoder)
    assert encoder.seen == [1, 1]


def test_nobody_but_the_owner_reads_it(tmp_path, encoder):
    cache(tmp_path).embedded(pictures(1), encoder)
    (file,) = tmp_path.rglob("*.safetensors")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)]
    assert modes == [0o700, 0o600]
    assert [one.name for one in file.parent.iterdir()] == ["5.safetensors"]


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o770])
def test_what_others_could_have_written_is_not_read(tmp_path, encoder, mode):
    cache(tmp_path).embedded(pictures(1), encoder)
    (file,) = tmp_path.rglob("*.safetensors")
    file.parent.chmod(mode)
    cache(tmp_path).embedded(pictures(1), encoder)
    assert encoder.seen == [1, 1]
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-1],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"",
        lambda content: content.replace(b'"photos"', b'"fotos_"'),
    ],
)
def test_a_damaged_file_is_made_again(tmp_path, encoder, spoil):
    sound = cache(tmp_path).embedded(pictures(1, 2), encoder)
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(spoil(file.read_bytes()))
    assert torch.equal(cache(tmp_path).embedded(pictures(1, 2), encoder), sound)
    assert torch.equal(cache(tmp_path).embedded(pictures(1, 2), encoder), sound)
    assert encoder.seen == [1, 2, 1, 2]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, encoder, caplog):
    (tmp_path / "file").touch()
    found = cache(tmp_path / "file").embedded(pictures(3), encoder)
    assert found.tolist() == [[1.0, 6.0]]
    assert "keeps nothing" in caplog.text
