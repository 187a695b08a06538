"""Held-out lists of given gains."""

import numpy as np
import pytest

from simulations.evaluation.held_out import HeldOut


@pytest.fixture(scope="session")
def held_out_of():
    """Makes held-out lists of gains; a negative gain is no photo."""

    def held_out_of(gains, *, owners, devices, numbers=None):
        gains = np.array(gains, float)
        where = gains >= 0
        known = np.where(where, gains, 0.0)
        return HeldOut(
            devices=tuple(devices),
            device_of=np.array(owners),
            numbers=np.arange(len(owners)) if numbers is None else np.array(numbers),
            where=where,
            realised=known,
            expected=known,
            pixels=np.zeros((int(where.sum()), 16, 16, 3), np.uint8),
        )

    return held_out_of
