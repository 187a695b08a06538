"""Per-moment clipping: no moment moves the sum by more than the clipping norm."""

from torch import Tensor

MARGIN = 1e-6
"""Added to a norm before it divides, in the unit of the norm, as in Opacus. At 1e-3 sums are no
longer those of Opacus. At 0 only figures move: clip / 0 is infinite in torch and clamped to
1."""


def add_clipped(total: Tensor, gradients: Tensor, clip: float) -> int:
    """Adds the moments' gradients, each scaled to a norm of at most ``clip``, to ``total``.

    Guarantees:
      * a moment contributes a vector of L2 norm at most ``clip``, measured in float64 in which
        it is added; that vector is a function of its own gradient alone;
      * a moment with an infinite or undefined entry contributes zero and is counted;
      * one moment more moves ``total`` by at most ``clip`` times
        ``privacy.clipping.sensitivity.SENSITIVITY``;
      * no moment, and an infinite ``clip``, are legal: the latter is a plain sum.

    In float64 no float32 gradient overflows and no coefficient loses its digits.

    | gradient | contributes |
    |---|---|
    | norm 0 | 0 |
    | norm up to clip - 1e-6 | itself |
    | norm above that | itself × clip / (norm + 1e-6) |
    | an entry infinite or NaN | 0, counted |
    | any finite one, clip infinite | itself |
    | none at all | 0 |

    By hand, norms of 5 and 1 at a clip of 1.25: a quarter of the first, and the second.

    >>> total = Tensor([0, 0]).double()
    >>> add_clipped(total, Tensor([[3, 4], [0, 1]]), 1.25)
    0
    >>> [round(entry, 4) for entry in total.tolist()]
    [0.75, 2.0]

    Args:
        total: [trainable] float64, changed in place; float32 on an accelerator without.
        gradients: [moments, trainable] float32 the gradient of every moment.
        clip: Largest norm.

    Returns:
        How many moments were not finite and count as zero.
    """
    exact = precise(gradients)
    norms = exact.square().sum(1).sqrt()
    there = norms.isfinite()
    scales = coefficients(norms, clip)
    total += (scales @ exact.masked_fill(~there[:, None], 0)).to(total.dtype)
    return int((~there).sum())


def precise(values: Tensor) -> Tensor:
    """Returns ``values`` in float64, or as they are where an accelerator has none.

    >>> precise(Tensor([1, 2])).dtype
    torch.float64
    """
    return values if values.device.type == "mps" else values.double()


def coefficients(norms: Tensor, clip: float) -> Tensor:
    """Returns what each gradient is multiplied by, of the shape of ``norms``.

    min(1, clip / (norm + 1e-6)), as in Opacus (Abadi et al. 2016).

    | norm | coefficient |
    |---|---|
    | 0 | 1, or clip / 1e-6 where that is less |
    | up to clip - 1e-6 | 1 |
    | above that | clip / (norm + 1e-6) |
    | infinite or NaN | 0 |
    | any finite one, clip infinite | 1 |

    >>> [round(one, 4) for one in coefficients(Tensor([0, 1, 4]), 2.0).tolist()]
    [1.0, 1.0, 0.5]
    """
    return (clip / (norms + MARGIN)).clamp(max=1.0).where(norms.isfinite(), 0.0)
