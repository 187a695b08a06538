"""Values of the photos of moments, as long as the longest moment possible."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photos.library import LARGEST_MOMENT


def padded(rows: Sequence[NDArray[np.generic]]) -> Tensor:
    """Returns [moments, photos, …] float32, 0 where a moment is shorter than the longest.

    Args:
        rows: Of each moment [photos, …]; at least one.
    """
    found = torch.zeros(len(rows), LARGEST_MOMENT, *rows[0].shape[1:])
    for at, values in zip(found, rows, strict=True):
        at[: len(values)] = torch.from_numpy(values)
    return found
