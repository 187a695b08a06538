"""The difference hash, worked by hand."""

import numpy as np
from photo_files import photo

from photos.folder.decoding import decode
from photos.folder.likeness import difference_hash


def grey(columns):
    """A picture of 72 pixels a side whose nine broad columns have these brightnesses."""
    row = np.repeat(np.array(columns, dtype=np.uint8), 8)
    return np.broadcast_to(row[None, :, None], (72, 72, 3)).copy()


def test_the_hash_says_where_brightness_falls():
    found = difference_hash(grey([9, 8, 8, 20, 10, 30, 40, 50, 0])).reshape(8, 8)
    assert found.shape == (8, 8)
    assert found[0].tolist() == [True, False, False, True, False, False, False, True]
    assert (found == found[0]).all()


def test_the_hash_of_a_brighter_copy_is_the_same_and_a_mirrored_one_is_another():
    picture = grey([10, 20, 30, 90, 80, 100, 40, 70, 50])
    assert (difference_hash(picture) == difference_hash(picture + 100)).all()
    assert (difference_hash(picture) != difference_hash(picture[:, ::-1])).any()


def test_a_photo_that_is_decoded_has_the_hash_of_its_pixels(tmp_path):
    found = decode(photo(tmp_path / "a.jpg", 3), side=16)
    assert found.likeness.any()
    assert (found.likeness == difference_hash(found.pixels)).all()
