"""How photos are cut into moments, and what becomes of those that cannot be read."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from photos.folder.population import moment_number
from photos.folder.skips import Skip
from photos.library import Feedback
from photos.sets.moments import cut, moment_of

NAMES = st.sets(st.text(min_size=1, max_size=8), max_size=40)
KEPT = Feedback.KEEP


@given(NAMES, st.integers(2, 12), st.integers(0, 2**63), st.text(max_size=8))
def test_every_photo_is_in_one_moment_of_the_size_or_in_the_last(names, size, seed, device):
    moments = cut(names, size=size, seed=seed, device=device)
    assert sorted(name for moment in moments for name in moment) == sorted(names)
    assert all(len(moment) == size for moment in moments[:-1])
    assert moments == cut(sorted(names), size=size, seed=seed, device=device)


def test_seed_and_device_each_draw_another_order():
    names = [f"{k}.jpg" for k in range(50)]
    orders = [
        cut(names, size=12, seed=seed, device=device) for seed in (0, 1) for device in "ab"
    ]
    assert all(one != other for place, one in enumerate(orders) for other in orders[:place])


def test_photos_stand_beside_each_other_as_often_as_by_chance():
    names = [f"{k:03}.jpg" for k in range(200)]
    moments = cut(names, size=2, seed=0, device="a")
    distances = [abs(int(one[:3]) - int(other[:3])) for one, other in moments]
    # Two of 200 places are 67 apart on average, with a deviation of 47; of 100 pairs, 4.7.
    assert abs(np.mean(distances) - 67) < 3 * 4.7


def read(*shades):
    return [
        one if isinstance(one, Skip) else np.full((16, 16, 3), one, np.uint8) for one in shades
    ]


def test_what_cannot_be_read_is_counted_and_leaves_the_others_as_they_are():
    asked = []
    skipped = Counter()
    moment = moment_of(
        ["a", "b", "c"],
        read(1, Skip.DAMAGED, 3),
        [Feedback.DELETE, KEPT, Feedback.FAVOURITE],
        skipped,
        judge=asked.append,
    )
    assert moment.number == moment_number("a\0b\0c")
    assert moment.photos[:, 0, 0, 0].tolist() == [1, 3]
    assert moment.feedback.tolist() == [Feedback.DELETE, Feedback.FAVOURITE]
    assert asked == [["a", "c"]]
    assert skipped == {"truncated or damaged": 1}


def test_one_photo_is_no_moment():
    skipped = Counter()
    moment = moment_of(
        ["a", "b"], read(1, Skip.LINK), [KEPT] * 2, skipped, judge=lambda _: None
    )
    assert moment is None
    assert skipped == {"symbolic link": 1, "moment of fewer than 2 photos": 1}


def test_the_thirteenth_photo_is_left_out():
    names = [f"{k}" for k in range(14)]
    skipped = Counter()
    moment = moment_of(names, read(*range(14)), [KEPT] * 14, skipped, judge=lambda _: None)
    assert moment.photos[:, 0, 0, 0].tolist() == list(range(12))
    assert skipped == {"photo beyond the first 12 of its moment": 2}
