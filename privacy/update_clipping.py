"""Clipping of updates: no device moves their sum by more than the clipping norm."""

import math

import numpy as np
from numpy.typing import NDArray


def clipped_update(update: NDArray[np.float32], clip: float) -> NDArray[np.float64]:
    """Returns an update scaled to an L2 norm of at most ``clip``, in float64.

    One that is not finite becomes zero.

    Args:
        update: [trainable].
        clip: Largest norm; infinite for the update as it is.
    """
    exact = update.astype(np.float64)
    norm = float(np.linalg.norm(exact))
    if not math.isfinite(norm):
        return np.zeros_like(exact)
    return exact * (clip / norm) if norm > clip else exact
