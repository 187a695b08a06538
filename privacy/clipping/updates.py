"""Clipping of updates: no device moves their sum by more than the clipping norm."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def clipped_update(
    update: NDArray[np.float32], clip: float, *, layers: Sequence[int] = ()
) -> Floats:
    """Returns an update scaled to an L2 norm of at most ``clip``, in float64.

    One that is not finite becomes zero.

    Args:
        update: [trainable].
        clip: Largest norm; infinite for the update as it is.
        layers: Lengths of its layers, where each of them is clipped alone, to ``clip`` over the
            root of their number (McMahan et al. 2018); none clips it as a whole.
    """
    exact = update.astype(np.float64)
    if not math.isfinite(float(np.linalg.norm(exact))):
        return np.zeros_like(exact)
    if not layers:
        return _scaled(exact, clip)
    parts = np.split(exact, np.cumsum(layers)[:-1])
    return np.concatenate([_scaled(part, clip / math.sqrt(len(layers))) for part in parts])


def holding(update: NDArray[np.float32], *, layers: Sequence[int] = ()) -> float:
    """Returns the least clip that leaves an update as it is; NaN or infinite where none does.

    Args:
        update: [trainable].
        layers: As of ``clipped_update``.
    """
    exact = update.astype(np.float64)
    if not layers:
        return float(np.linalg.norm(exact))
    norms = [float(np.linalg.norm(part)) for part in np.split(exact, np.cumsum(layers)[:-1])]
    return max(norms) * math.sqrt(len(layers))


def _scaled(part: Floats, clip: float) -> Floats:
    norm = float(np.linalg.norm(part))
    return part * (clip / norm) if norm > clip else part
