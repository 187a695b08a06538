"""The seam: runs a plain module with the parameters of many devices and records its layers.

The modules of ``ranking`` stay plain: while a ``Recording`` is entered, a call that uses a
trained parameter is answered by the kind of layer that is known for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from privacy.clipping.moments import precise


class UnknownLayerError(TypeError):
    """A trained parameter meets an operation whose per-moment gradients are not known."""


class Recorded(ABC):
    """One call of one layer: its outputs, then their gradients, moment by moment.

    Attributes:
        output: What the layer gave; requires a gradient.
    """

    def __init__(self, output: Tensor) -> None:
        self.output = output if output.requires_grad else output.requires_grad_()

    @abstractmethod
    def take(self, gradient: Tensor) -> None:
        """Takes over the gradient of ``output``, of its shape."""

    @abstractmethod
    def squared_norms(self) -> Tensor:
        """[devices, moments] float64 squared norms over the layer's own parameters."""

    @abstractmethod
    def forget(self, moments: Tensor) -> None:
        """Makes the gradients of some ``moments`` [devices, moments] zero, even of NaN."""

    @abstractmethod
    def add_to(self, sums: Sequence[Tensor], coefficients: Tensor) -> None:
        """Adds Σ coefficient · gradient of a moment to the sum of every parameter it uses.

        Args:
            sums: Of all parameters, [devices, …] each; their type is that of the arithmetic.
            coefficients: [devices, moments].
        """

    @abstractmethod
    def of_moments(self) -> Mapping[int, Tensor]:
        """[devices, moments, …] float32 gradients of each parameter, by its place."""


Layers = Mapping[Callable[..., Any], Callable[..., Recorded]]


class Recording(TorchFunctionMode):
    """Gives every device its own parameters and records the layers that use them.

    Attributes:
        parameters: [devices, trainable] float32.
        lists: Devices and moments of the batch: the leading sizes of every input, however
            a module folds them.
    """

    def __init__(
        self,
        trained: Sequence[nn.Parameter],
        parameters: Tensor,
        *,
        lists: Sequence[int],
        known: Layers,
    ) -> None:
        super().__init__()
        self.parameters = parameters
        self.lists = (lists[0], lists[1])
        self._layers: list[Recorded] = []
        self._known = known
        self._place = {id(parameter): place for place, parameter in enumerate(trained)}
        self._shapes = [parameter.shape for parameter in trained]
        self._own = self.parts(parameters)
        self._met: set[int] = set()
        self._alike: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Answers a call that uses a trained parameter; passes every other one on."""
        named = kwargs or {}
        used = self._used((*args, *named.values()))
        if not used:
            return func(*args, **named)
        if func not in self._known:
            raise UnknownLayerError(f"{getattr(func, '__name__', func)} of a trained parameter")
        if self._met & used:
            raise UnknownLayerError("a trained parameter of two layers")
        self._met |= used
        layer = self._known[func](self, *args, **named)
        self._layers.append(layer)
        return layer.output

    def taken(self) -> list[Recorded]:
        """Returns what was recorded, in order, and keeps nothing of it.

        Layers know their recording: if it knew them too, only the collector of cycles would
        free a batch, and every batch would be written to fresh memory.
        """
        layers, self._layers = self._layers, []
        return layers

    def _used(self, values: Sequence[Any]) -> set[int]:
        """Identities of the trained parameters among ``values``, in lists of them too."""
        found = {id(value) for value in values if id(value) in self._place}
        for value in values:
            if isinstance(value, list | tuple):
                found |= self._used(value)
        return found

    def place(self, parameter: Tensor | None) -> int | None:
        """Returns a trained parameter's place, or None for one that is not trained."""
        return self._place.get(id(parameter))

    def own(self, parameter: Tensor) -> Tensor:
        """Returns [devices or 1, …] the values that each device has for ``parameter``."""
        place = self.place(parameter)
        return parameter[None] if place is None else self._own[place]

    def parts(self, vectors: Tensor) -> list[Tensor]:
        """Returns the parts [devices, …] of [devices, trainable] that the parameters have."""
        parts = torch.split(vectors, [shape.numel() for shape in self._shapes], dim=1)
        return [
            part.view(len(vectors), *shape)
            for part, shape in zip(parts, self._shapes, strict=True)
        ]

    def rows(self, values: Tensor) -> Tensor:
        """Returns [devices, moments, rows, features] of values with features last."""
        return values.reshape(*self.lists, -1, values.shape[-1])

    def alike(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the rows of ``inputs`` in float64, and their products with each other.

        Layers that share their inputs share these; the inputs are kept, so that none can take
        the identity of others.

        Returns:
            [devices, moments, rows, features] and [devices, moments, rows, rows].
        """
        if id(inputs) not in self._alike:
            rows = precise(self.rows(inputs.detach()))
            self._alike[id(inputs)] = (inputs, rows, rows @ rows.transpose(-2, -1))
        return self._alike[id(inputs)][1:]
