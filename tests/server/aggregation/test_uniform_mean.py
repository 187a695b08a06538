import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from server.aggregation.uniform_mean import UniformMean

mean_update = UniformMean().aggregate


def test_every_update_has_the_same_weight():
    mean = mean_update([np.float32([1, 2]), np.float32([3, -4]), np.float32([5, 8])])
    assert mean.dtype == np.float64
    assert mean.tolist() == [3.0, 2.0]


def test_one_update_more_is_one_clip_more_in_the_sum():
    assert UniformMean().sensitivity == 1


def test_no_update_gives_no_mean():
    assert mean_update([]) is None


def test_the_sum_is_kept_in_float64():
    mean = mean_update([np.float32([2**24]), np.float32([1]), np.float32([1])])
    assert mean[0] == (2**24 + 2) / 3


def test_the_updates_themselves_are_not_changed():
    deltas = [np.float32([1, 2]), np.float32([3, 4])]
    for delta in deltas:
        delta.flags.writeable = False
    mean_update(deltas)
    assert deltas[0].tolist() == [1, 2]


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float32, (5, 3), elements=st.floats(-1e6, 1e6, width=32)),
    st.permutations(range(5)),
)
def test_order_changes_the_mean_by_no_more_than_rounding(deltas, order):
    straight, shuffled = mean_update(deltas), mean_update(deltas[order])
    assert shuffled == pytest.approx(straight, abs=1e-8)


def test_one_update_is_held_at_a_time():
    given_out: list[weakref.ref] = []
    most = 0

    def updates():
        nonlocal most
        for _ in range(20):
            delta = np.ones(4, np.float32)
            given_out.append(weakref.ref(delta))
            most = max(most, sum(held() is not None for held in given_out))
            yield delta

    assert mean_update(updates()).tolist() == [1, 1, 1, 1]
    assert most <= 2
