"""Arithmetic in which a moment keeps its bits, whatever else is in the batch.

The promise of the unit *example* is against a server that chooses the parameters. Then one bit
of rounding is enough: parameters exist that turn it into another gradient. So the gradient of
a moment must be a function of the parameters and of that moment alone, bit for bit.

It rests on this, which ``client.training.isolation_check`` tries on the machine at hand:

* A moment is padded to a length that follows from its own (``padded_length``): sums over its
  photos have the same terms in the same order, and what padding holds is its own affair.
* The products of a batch (``bmm``) do not mix their entries, and a row of a product keeps its
  bits for any number of rows from 12 on, which ``LEAST_MOMENTS`` have. A layer of
  one output is a product with a vector, whose rows do not keep them: ``Isolated`` adds it up
  photo by photo. Nor do they in a layer of two or three inputs or outputs, such as an
  adapter of that rank, or on the way back in one of one input: zeros widen it to ``THIN``.
* Element by element exp, log, log1p, tanh, erf, GELU, ReLU, roots and arithmetic keep their
  bits at any place. torch's sigmoid, softplus, SiLU, ELU, Mish and tanh-GELU do not: the last
  elements of a tensor take another path. A ranker must not use them.
* LayerNorm, GroupNorm, softmax, and sums over an axis of a fixed length keep them. So do
  convolutions of two photos or more.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

SHORTEST = 6
"""Photos of the shortest padded moment. Halving or doubling it costs 3 to 25% more rows and
calls over the made population, whose moments have 2 to 12 photos, 5 on average."""

THIN = 4
"""Inputs and outputs of a layer from which the rows of its products keep their bits; of fewer
they do not (torch 2.13 with MKL, AVX-512: ranks 1 and 2 of an adapter)."""

LEAST_MOMENTS = 2
"""Moments of a device in a batch at least, padding among them: 12 rows of a product, and two
groups of a convolution. With fewer rows the bits of one depend on how many there are: below 4
on one thread, and at 5 to 11 on two (torch 2.13 with MKL, AVX-512)."""


def padded_length(photos: int, *, pixels: bool = False) -> int:
    """Returns the length to which a moment of so many photos is padded, by its own alone.

    It is 6, 12, 24 and so on for embeddings, where another length costs another batch, and 6,
    8, 10 and so on for pixels, where a photo of padding costs more than that.
    """
    if pixels:
        return max(SHORTEST, photos + photos % 2)
    length = SHORTEST
    while length < photos:
        length *= 2
    return length


class Isolated(TorchFunctionMode):
    """While it is entered, no layer mixes the rounding of its rows.

    The modules of ``ranking`` stay plain, and so does what Opacus and ``torch.func`` make of
    them.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Answers a linear layer by ``linear``; passes every other call on."""
        named = kwargs or {}
        return linear(*args, **named) if func is functional.linear else func(*args, **named)


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns ``inputs`` [*, in] through a layer of ``weight`` [out, in], row by row."""
    if weight.shape[0] == 1:
        outputs = (inputs * weight[0]).sum(-1, keepdim=True)
    elif min(weight.shape) < THIN:
        thick = functional.linear(thickened(inputs, 1), thickened(weight, 2))
        outputs = thick[..., : weight.shape[0]]
    else:
        return functional.linear(inputs, weight, bias)
    return outputs if bias is None else outputs + bias


def thickened(values: Tensor, axes: int) -> Tensor:
    """Returns ``values`` with zeros after it where one of its last ``axes`` is too thin."""
    more = [max(0, THIN - size) for size in values.shape[-axes:]]
    after = [part for size in reversed(more) for part in (0, size)]
    return functional.pad(values, after) if any(more) else values
