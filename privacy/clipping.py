"""Per-moment clipping: no moment moves the sum by more than the clipping norm."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MARGIN = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ClippedSum:
    """The sum of clipped gradients.

    Attributes:
        sums: One tensor for each parameter, of its shape.
        norms: [moments] float64 norms before clipping; 0 for a moment that is not finite.
        non_finite: How many moments were not finite and count as zero.
    """

    sums: list[Tensor]
    norms: Tensor
    non_finite: int


def clipped_sum(gradients: Sequence[Tensor], clip: float) -> ClippedSum:
    """Returns the sum of the moments' gradients, each scaled to a norm of at most ``clip``.

    Guarantees:
      * a moment contributes a vector, over all parameters together, of L2 norm at most
        ``clip`` up to float rounding;
      * a moment with an infinite or undefined entry contributes zero and is counted;
      * no moment, and an infinite ``clip``, are legal: the latter is a plain sum.

    Norms and products are taken in float64, in which no float32 gradient overflows and no
    coefficient loses its digits.

    Args:
        gradients: For each parameter [moments, …] the gradient of every moment.
        clip: Largest norm.
    """
    flat = [precise(gradient.flatten(1)) for gradient in gradients]
    norms = torch.stack([part.square().sum(1) for part in flat]).sum(0).sqrt()
    there = norms.isfinite()
    scales = coefficients(norms, clip)
    sums = [
        (scales @ part.masked_fill(~there[:, None], 0)).view(whole.shape[1:]).to(whole)
        for part, whole in zip(flat, gradients, strict=True)
    ]
    return ClippedSum(sums, norms.where(there, 0.0), int((~there).sum()))


def precise(values: Tensor) -> Tensor:
    """Returns ``values`` in float64, or as they are where an accelerator has none."""
    return values if values.device.type == "mps" else values.double()


def coefficients(norms: Tensor, clip: float) -> Tensor:
    """Returns what each gradient is multiplied by, of the shape of ``norms``.

    min(1, clip / (norm + 1e-6)), as in Opacus (Abadi et al. 2016); 0 for a norm not finite.
    """
    return (clip / (norms + MARGIN)).clamp(max=1.0).where(norms.isfinite(), 0.0)
