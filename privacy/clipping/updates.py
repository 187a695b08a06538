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

    update · min(1, clip / norm); of n layers, each by itself, with clip / √n for the clip.

    | update | returned |
    |---|---|
    | norm 0 | itself |
    | norm up to clip | itself |
    | norm above clip | itself × clip / norm |
    | an entry infinite or NaN | zeros, in every layer |
    | any finite one, clip infinite | itself |
    | a layer of norm up to clip / √n | that layer itself |
    | a layer of norm above that | that layer × clip / √n / its norm |
    | no entry | no entry |

    >>> clipped_update(np.array([3, 4], np.float32), 1.0).round(4).tolist()
    [0.6, 0.8]

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

    Its norm; of n layers √n times the largest norm of one.

    | update | returned |
    |---|---|
    | norm 0 | 0 |
    | finite | the norm |
    | finite, with layers | √n × the largest norm of a layer |
    | an entry infinite | infinity |
    | an entry NaN, in any layer | NaN |
    | no entry | 0 |

    >>> holding(np.array([3, 4], np.float32))
    5.0

    Args:
        update: [trainable].
        layers: Same as for ``clipped_update``.
    """
    exact = update.astype(np.float64)
    if not layers:
        return float(np.linalg.norm(exact))
    norms = [np.linalg.norm(part) for part in np.split(exact, np.cumsum(layers)[:-1])]
    # Python's own max drops a NaN that is not the first.
    return float(np.max(norms)) * math.sqrt(len(layers))


def _scaled(part: Floats, clip: float) -> Floats:
    norm = float(np.linalg.norm(part))
    return part * (clip / norm) if norm > clip else part
