"""Layers that run with the parameters of many devices and keep what their gradients need.

The modules of ``ranking`` stay plain: while a ``Recording`` is entered, their calls of
``linear``, ``layer_norm``, ``group_norm`` and ``conv2d`` are answered here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Sums = Iterator[tuple[int, Tensor]]


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
    def weighted_sums(self, coefficients: Tensor) -> Sums:
        """Yields (parameter's place, [devices, …]) of Σ coefficient · gradient of a moment."""


class Recording(TorchFunctionMode):
    """Gives every device its own parameters and records the layers that use them.

    Attributes:
        parameters: [devices, trainable] float32.
        lists: Devices and moments of the batch: the leading sizes of every input, however
            a module folds them.
        layers: What was recorded, in order.
    """

    def __init__(
        self, trained: Sequence[nn.Parameter], parameters: Tensor, *, lists: Sequence[int]
    ) -> None:
        super().__init__()
        self.parameters = parameters
        self.lists = (lists[0], lists[1])
        self.layers: list[Recorded] = []
        self._place = {id(parameter): place for place, parameter in enumerate(trained)}
        self._shapes = [parameter.shape for parameter in trained]
        sizes = [parameter.numel() for parameter in trained]
        self._ends = torch.tensor(sizes).cumsum(0).tolist()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Answers a call that uses a trained parameter; passes every other one on."""
        named = kwargs or {}
        if not any(id(value) in self._place for value in (*args, *named.values())):
            return func(*args, **named)
        if func not in LAYERS:
            raise UnknownLayerError(f"{getattr(func, '__name__', func)} of a trained parameter")
        layer: Recorded = LAYERS[func](self, *args, **named)
        self.layers.append(layer)
        return layer.output

    def place(self, parameter: Tensor | None) -> int | None:
        """Returns a trained parameter's place, or None for one that is not trained."""
        return self._place.get(id(parameter))

    def own(self, parameter: Tensor) -> Tensor:
        """Returns [devices or 1, …] the values that each device has for ``parameter``."""
        place = self.place(parameter)
        return parameter[None] if place is None else self.view(self.parameters, place)

    def view(self, vectors: Tensor, place: int) -> Tensor:
        """Returns the part [devices, …] of [devices, trainable] that one parameter has."""
        shape = self._shapes[place]
        end = self._ends[place]
        return vectors[:, end - shape.numel() : end].view(len(vectors), *shape)

    def rows(self, values: Tensor) -> Tensor:
        """Returns [devices, moments, rows, features] of values with features last."""
        return values.reshape(*self.lists, -1, values.shape[-1])


class _Linear(Recorded):
    """y = x Wᵀ + b."""

    def __init__(
        self, recording: Recording, inputs: Tensor, weight: Tensor, bias: Tensor | None = None
    ) -> None:
        rows = inputs.reshape(recording.lists[0], -1, inputs.shape[-1])
        turned = recording.own(weight).transpose(1, 2).expand(len(rows), -1, -1)
        if bias is None:
            outputs = torch.bmm(rows, turned)
        else:
            outputs = torch.baddbmm(recording.own(bias)[:, None], rows, turned)
        super().__init__(outputs.view(*inputs.shape[:-1], -1))
        self._recording = recording
        self._inputs = recording.rows(inputs.detach())
        self._weight, self._bias = recording.place(weight), recording.place(bias)

    def take(self, gradient: Tensor) -> None:
        self._gradient = self._recording.rows(gradient)
        self._instances: Tensor | None = None
        rows, features = self._inputs.shape[2:]
        if self._weight is not None and rows**2 > features * self._gradient.shape[-1]:
            self._instances = self._gradient.transpose(-2, -1) @ self._inputs

    def squared_norms(self) -> Tensor:
        gradient = self._gradient.double()
        squares = self._inputs.new_zeros(self._recording.lists, dtype=torch.float64)
        if self._bias is not None:
            squares += gradient.sum(-2).square().sum(-1)
        if self._instances is not None:
            squares += self._instances.double().square().sum((-2, -1))
        elif self._weight is not None:
            # In float64: photos of a burst are alike, and what is left of the sum is small.
            inputs = self._inputs.double()
            alike = inputs @ inputs.transpose(-2, -1)
            squares += (alike * (gradient @ gradient.transpose(-2, -1))).sum((-2, -1))
        return squares.clamp(min=0)

    def forget(self, moments: Tensor) -> None:
        self._gradient = self._gradient.masked_fill(moments[..., None, None], 0)
        self._inputs = self._inputs.masked_fill(moments[..., None, None], 0)
        if self._instances is not None:
            self._instances = self._instances.masked_fill(moments[..., None, None], 0)

    def weighted_sums(self, coefficients: Tensor) -> Sums:
        weighted = (self._gradient * coefficients[..., None, None]).flatten(1, 2)
        if self._bias is not None:
            yield self._bias, weighted.sum(1)
        if self._instances is not None and self._weight is not None:
            yield self._weight, torch.einsum("km,kmoi->koi", coefficients, self._instances)
        elif self._weight is not None:
            yield self._weight, weighted.transpose(1, 2) @ self._inputs.flatten(1, 2)


class _Instantiated(Recorded):
    """A layer of few parameters, whose gradients are made for every moment."""

    _gradients: dict[int, Tensor]

    def squared_norms(self) -> Tensor:
        squares = [g.double().flatten(2).square().sum(-1) for g in self._gradients.values()]
        return torch.stack(squares).sum(0)

    def forget(self, moments: Tensor) -> None:
        for place, gradients in self._gradients.items():
            gone = moments.view(*moments.shape, *[1] * (gradients.ndim - moments.ndim))
            self._gradients[place] = gradients.masked_fill(gone, 0)

    def weighted_sums(self, coefficients: Tensor) -> Sums:
        for place, gradients in self._gradients.items():
            yield place, torch.einsum("km,km...->k...", coefficients, gradients)


class _Scaled(_Instantiated):
    """y = w · x̂ + b of normalised values whose channels stand in one axis."""

    def __init__(
        self,
        recording: Recording,
        normalised: Tensor,
        weight: Tensor,
        bias: Tensor,
        *,
        channels: int,
    ) -> None:
        moved = normalised.movedim(channels, -1)
        rows = moved.reshape(recording.lists[0], -1, moved.shape[-1])
        scaled = torch.addcmul(
            recording.own(bias)[:, None], rows, recording.own(weight)[:, None]
        )
        super().__init__(scaled.view(moved.shape).movedim(-1, channels))
        self._recording = recording
        self._channels = channels
        self._normalised = recording.rows(moved.detach())
        self._places = {"weight": recording.place(weight), "bias": recording.place(bias)}

    def take(self, gradient: Tensor) -> None:
        rows = self._recording.rows(gradient.movedim(self._channels, -1))
        found = {"weight": (rows * self._normalised).sum(-2), "bias": rows.sum(-2)}
        self._gradients = {
            place: found[name] for name, place in self._places.items() if place is not None
        }


class _Convolution(_Instantiated):
    """A convolution, one device after another."""

    def __init__(
        self,
        recording: Recording,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        *geometry: Any,
    ) -> None:
        stride, padding, dilation, groups = geometry
        if groups != 1:
            raise UnknownLayerError("conv2d with groups")
        devices = recording.lists[0]
        filters = recording.own(weight).expand(devices, *weight.shape)
        offsets = recording.own(bias).expand(devices, *bias.shape)
        outputs = [
            functional.conv2d(own, w, b, stride, padding, dilation)
            for own, w, b in zip(inputs.chunk(devices), filters, offsets, strict=True)
        ]
        super().__init__(torch.cat(outputs))
        self._recording = recording
        self._inputs = inputs.detach()
        self._shape = {"stride": stride, "padding": padding, "dilation": dilation}
        self._size = weight.shape
        self._weight, self._bias = recording.place(weight), recording.place(bias)

    def take(self, gradient: Tensor) -> None:
        lists = self._recording.lists
        self._gradients = {}
        if self._bias is not None:
            of_photos = gradient.sum((-2, -1))
            self._gradients[self._bias] = of_photos.view(*lists, -1, len(of_photos[0])).sum(2)
        if self._weight is not None:
            patches = functional.unfold(self._inputs, self._size[2:], **self._shape)
            of_photos = gradient.flatten(2) @ patches.transpose(1, 2)
            of_moments = of_photos.view(*lists, -1, *of_photos.shape[1:]).sum(2)
            self._gradients[self._weight] = of_moments.view(*lists, *self._size)


def _layer_norm(
    recording: Recording,
    inputs: Tensor,
    shape: Sequence[int],
    weight: Tensor,
    bias: Tensor,
    eps: float,
) -> Recorded:
    normalised = functional.layer_norm(inputs, shape, None, None, eps)
    return _Scaled(recording, normalised, weight, bias, channels=-1)


def _group_norm(
    recording: Recording, inputs: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float
) -> Recorded:
    normalised = functional.group_norm(inputs, groups, None, None, eps)
    return _Scaled(recording, normalised, weight, bias, channels=1)


LAYERS: dict[Callable[..., Any], Callable[..., Recorded]] = {
    functional.linear: _Linear,
    functional.layer_norm: _layer_norm,
    functional.group_norm: _group_norm,
    functional.conv2d: _Convolution,
}
