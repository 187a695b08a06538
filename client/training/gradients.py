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


class MomentGradients(OfMoments, Protocol):
    """Also adds them up, clipped."""

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        ...

    def add_clipped(
        self, total: Tensor, parameters: Tensor, batch: Batch, *, clip: float
    ) -> Tensor:
        """Adds the clipped gradients of every device's moments to its sum.

        A moment contributes a vector of L2 norm at most ``clip``, zero when its gradient is not
        finite. It is a function of the parameters and the moment alone, bit for bit, and one
        moment more moves the sum by at most ``privacy.clipping.sensitivity.SENSITIVITY`` clips.

        Args:
            total: [devices, trainable] float64, or float32 where nothing is clipped; changed.
            parameters: [devices, trainable] float32.
            batch: Their moments.
            clip: Largest norm; infinite for a plain sum.

        Returns:
            [devices] int64 how many moments were not finite.
        """
        ...
