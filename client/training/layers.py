"""The layers whose per-moment gradients are known without a second backward pass."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.grad import conv2d_weight

from client.isolation import THIN, thickened
from client.training.recording import Layers, Recorded, Recording, UnknownLayerError
from privacy.clipping.moments import precise

REACH = 2.0**-14
"""Share of a moment's reach that its norm counts at least: of Σ |row of the gradient| · |row of
the inputs|, which exceeds the norm where the rows cancel. It bounds by 2^14 clips what a moment
adds to a float64 sum before it cancels, and so the rounding of that sum:
``privacy.clipping.sensitivity``. Rows that cancel a thousandfold lose 0.2% by it."""


class _Linear(Recorded):
    """y = x Wᵀ + b."""

    def __init__(
        self, recording: Recording, inputs: Tensor, weight: Tensor, bias: Tensor | None = None
    ) -> None:
        rows = inputs.reshape(recording.lists[0], -1, inputs.shape[-1])
        offset = None if bias is None else recording.own(bias)[:, None]
        outputs = _products(rows, recording.own(weight), offset)
        super().__init__(outputs.view(*inputs.shape[:-1], -1))
        self._recording = recording
        self._given = inputs
        self._weight, self._bias = recording.place(weight), recording.place(bias)

    def take(self, gradient: Tensor) -> None:
        self._gradient = self._recording.rows(gradient)
        self._summed = None if self._bias is None else self._gradient.sum(-2)
        self._gone: Tensor | None = None
        self._exact: Tensor | None = None
        self._instances: Tensor | None = None
        rows, outputs = self._gradient.shape[2:]
        if self._weight is not None and rows**2 > self._given.shape[-1] * outputs:
            self._instances = self._instantiated()

    def squared_norms(self) -> Tensor:
        squares = precise(self._gradient.new_zeros(self._recording.lists))
        if self._summed is not None:
            squares += precise(self._summed).square().sum(-1)
        if self._instances is not None:
            squares += precise(self._instances).square().sum((-2, -1))
        elif self._weight is not None:
            # In float64: photos of a burst are alike, and what is left of the sum is small.
            gradient = self._exact = precise(self._gradient)
            alike = gradient @ gradient.transpose(-2, -1)
            alike *= self._recording.alike(self._given)[1]
            squares += alike.sum((-2, -1)).clamp_(min=0)
            reach = alike.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt().sum(-1)
            squares += (REACH * reach).square_()
        return squares

    def forget(self, moments: Tensor) -> None:
        gone = moments[..., None, None]
        if self._summed is not None:
            self._summed = self._summed.masked_fill(gone[..., 0], 0)
        if self._instances is not None:
            self._instances = self._instances.masked_fill(gone, 0)
        self._gradient = self._gradient.masked_fill(gone, 0)
        self._exact, self._gone = None, gone

    def add_to(self, sums: Sequence[Tensor], coefficients: Tensor) -> None:
        if self._bias is not None and self._summed is not None:
            _add_weighted(sums[self._bias], self._summed, coefficients)
        if self._weight is None:
            return
        total = sums[self._weight]
        if self._instances is not None:
            _add_weighted(total, self._instances, coefficients)
            return
        own = self._gradient if self._exact is None else self._exact
        own = own.to(total.dtype)
        weighted = own * coefficients[..., None, None]
        inputs = self._inputs(total.dtype)
        if self._gone is not None:
            inputs = inputs.masked_fill(self._gone, 0)
        total.baddbmm_(weighted.flatten(1, 2).transpose(1, 2), inputs.flatten(1, 2))

    def of_moments(self) -> dict[int, Tensor]:
        found = {}
        if self._bias is not None and self._summed is not None:
            found[self._bias] = self._summed
        if self._weight is not None:
            made = self._instances
            found[self._weight] = self._instantiated() if made is None else made
        return found

    def _instantiated(self) -> Tensor:
        """[devices, moments, out, in] float32: a product of its own for every moment."""
        return self._gradient.transpose(-2, -1) @ self._inputs(torch.float32)

    def _inputs(self, kind: torch.dtype) -> Tensor:
        """[devices, moments, rows, in]."""
        if kind is torch.float64:
            return self._recording.alike(self._given)[0]
        return self._recording.rows(self._given.detach())


class _Instantiated(Recorded):
    """A layer of few parameters, whose gradients are made for every moment."""

    _gradients: dict[int, Tensor]

    def squared_norms(self) -> Tensor:
        squares = [precise(g).flatten(2).square().sum(-1) for g in self._gradients.values()]
        return torch.stack(squares).sum(0)

    def forget(self, moments: Tensor) -> None:
        for place, gradients in self._gradients.items():
            gone = moments.view(*moments.shape, *[1] * (gradients.ndim - moments.ndim))
            self._gradients[place] = gradients.masked_fill(gone, 0)

    def add_to(self, sums: Sequence[Tensor], coefficients: Tensor) -> None:
        for place, gradients in self._gradients.items():
            _add_weighted(sums[place], gradients, coefficients)

    def of_moments(self) -> dict[int, Tensor]:
        return self._gradients


class _Scaled(_Instantiated):
    """y = w · x̂ + b of normalised values whose channels stand in one axis."""

    def __init__(
        self,
        recording: Recording,
        normalised: Tensor,
        weight: Tensor,
        bias: Tensor,
        *,
        inner: int,
    ) -> None:
        """``inner``: values of each channel that lie together after its axis."""
        self._shape = (-1, len(weight), inner)
        values = normalised.view(recording.lists[0], *self._shape)
        scale, offset = (recording.own(own)[:, None, :, None] for own in (weight, bias))
        super().__init__(torch.addcmul(offset, values, scale).view_as(normalised))
        self._lists = recording.lists
        self._normalised = normalised.detach()
        self._places = {"weight": recording.place(weight), "bias": recording.place(bias)}

    def take(self, gradient: Tensor) -> None:
        of_weight = self._by_moment(gradient * self._normalised)
        found = {"weight": of_weight, "bias": self._by_moment(gradient)}
        self._gradients = {
            place: found[name] for name, place in self._places.items() if place is not None
        }

    def _by_moment(self, values: Tensor) -> Tensor:
        """[devices, moments, channels] sums over photos and within channels."""
        return values.reshape(*self._lists, *self._shape).sum((2, 4))


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
        _whole(weight, bias)
        if groups != 1 or isinstance(padding, str):
            raise UnknownLayerError("conv2d with groups or of named padding")
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
        self._geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        self._size = weight.shape
        self._weight, self._bias = recording.place(weight), recording.place(bias)

    def take(self, gradient: Tensor) -> None:
        lists = self._recording.lists
        self._gradients = {}
        if self._bias is not None:
            of_photos = gradient.sum((-2, -1))
            self._gradients[self._bias] = of_photos.view(*lists, -1, len(of_photos[0])).sum(2)
        if self._weight is not None:
            moments = lists[0] * lists[1]
            parts = zip(gradient.chunk(moments), self._inputs.chunk(moments), strict=True)
            found = torch.stack([self._of_weight(own, inputs) for own, inputs in parts])
            self._gradients[self._weight] = found.view(*lists, *self._size)

    def _of_weight(self, gradient: Tensor, inputs: Tensor) -> Tensor:
        found: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            inputs, self._size, gradient, **self._geometry
        )
        return found


def _whole(weight: Tensor | None, bias: Tensor | None) -> None:
    if weight is None or bias is None:
        raise UnknownLayerError("a layer without a weight or a bias")


def _products(rows: Tensor, weight: Tensor, offset: Tensor | None) -> Tensor:
    """[devices, rows, out] of [devices, rows, in].

    ``weight`` is [devices or 1, out, in] and ``offset`` [devices or 1, 1, out].
    """
    if weight.shape[1] == 1:
        # Row by row: see ``client.isolation``.
        outputs = (rows * weight).sum(-1, keepdim=True)
        return outputs if offset is None else outputs + offset
    if min(weight.shape[1:]) < THIN:
        outputs = _products(thickened(rows, 1), thickened(weight, 2), None)
        outputs = outputs[..., : weight.shape[1]]
        return outputs if offset is None else outputs + offset
    turned = weight.transpose(1, 2).expand(len(rows), -1, -1)
    return torch.bmm(rows, turned) if offset is None else torch.baddbmm(offset, rows, turned)


def _add_weighted(total: Tensor, gradients: Tensor, coefficients: Tensor) -> None:
    """Adds Σ coefficient · gradient over [devices, moments, …] to ``total`` [devices, …]."""
    flat = gradients.flatten(2).to(total.dtype)
    total.flatten(1)[:, None].baddbmm_(coefficients.to(total.dtype)[:, None], flat)


def _layer_norm(
    recording: Recording,
    inputs: Tensor,
    shape: Sequence[int],
    weight: Tensor,
    bias: Tensor,
    eps: float,
) -> Recorded:
    _whole(weight, bias)
    normalised = functional.layer_norm(inputs, shape, None, None, eps)
    return _Scaled(recording, normalised, weight, bias, inner=1)


def _group_norm(
    recording: Recording, inputs: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float
) -> Recorded:
    _whole(weight, bias)
    normalised = functional.group_norm(inputs, groups, None, None, eps)
    return _Scaled(recording, normalised, weight, bias, inner=inputs[0, 0].numel())


LAYERS: Layers = {
    functional.linear: _Linear,
    functional.layer_norm: _layer_norm,
    functional.group_norm: _group_norm,
    functional.conv2d: _Convolution,
}
