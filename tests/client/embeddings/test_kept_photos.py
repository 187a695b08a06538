"""What is kept of photographs comes back as it was."""

from datetime import datetime

import numpy as np
import pytest
import torch

from client.embeddings.kept_photos import KeptPhoto, KeptPhotos


def one(number, taken=None):
    draws = np.random.default_rng(number)
    return KeptPhoto(
        taken=taken,
        likeness=draws.integers(0, 2, 64).astype(bool),
        embedding=torch.from_numpy(draws.normal(size=3).astype(np.float32)),
    )


@pytest.mark.parametrize(
    "taken",
    [None, datetime(2024, 1, 31, 12, 0, 0, 123_456), datetime.min, datetime.max],
)
def test_a_photo_comes_back_by_its_key_in_every_bit(taken):
    photos = {bytes([number] * 32): one(number, taken) for number in range(3)}
    kept = KeptPhotos.of(photos, stamps={b"s" * 16: bytes(32)}, width=3)
    assert list(kept.places) == list(photos)
    for key, photo in photos.items():
        found = kept.get(key)
        assert found.taken == taken
        assert (found.likeness == photo.likeness).all()
        assert torch.equal(found.embedding, photo.embedding)
    assert kept.get(b"x" * 32) is None
    # 3 rows of three floats, a time and 8 bytes of bits, and four names of 200
    assert kept.nbytes == 3 * (12 + 8 + 8) + 4 * 200


def test_nothing_has_the_width_of_what_it_is_of():
    nothing = KeptPhotos.nothing(7)
    assert nothing.embeddings.shape == (0, 7)
    assert nothing.likeness.shape == (0, 8)
    assert nothing.get(bytes(32)) is None
