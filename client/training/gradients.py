"""The gradients of moments: what a cohort engine adds up."""

from typing import Protocol

import torch
from torch import Tensor

from client.training.cohort_batch import Batch, Shape

GRADIENTS_AT_ONCE = 16 * 1024**2
"""Numbers in the gradients that are made at once at most: 64 MB of float32."""


class OfMoments(Protocol):
    """Computes gradients of moments, for many devices at once."""

    @property
    def accelerator(self) -> torch.device:
        """Where the sums are made."""
        ...

    @property
    def shape(self) -> Shape:
        """How large a batch is."""
        ...

    def of_moments(self, parameters: Tensor, batch: Batch) -> Tensor:
        """Returns [devices, moments, trainable] float32 the gradient of each moment.

        Bit for bit a function of the parameters and the moment alone; without meaning for
        moments of padding.
        """
        ...
