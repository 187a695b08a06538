"""What a device does to its update before it leaves, for the unit *device*."""

import numpy as np

from privacy.dpsgd import release
from privacy.noise import Source
from privacy.update_clipping import clipped_update
from protocol.messages import Vector, Work


def protected(delta: Vector, *, work: Work, source: Source) -> Vector:
    """Returns the update that may leave: clipped, then with noise of its own.

    Args:
        delta: [trainable] the difference of the parameters.
        work: The public terms; without ``update_clip`` the update stays as it is.
        source: The device's secret draws of this visit.
    """
    if not np.isfinite(work.update_clip):
        return delta
    clipped = clipped_update(delta, work.update_clip)
    released = release(clipped, deviation=work.update_deviation, stream=source.stream("update"))
    return released.astype(np.float32)
