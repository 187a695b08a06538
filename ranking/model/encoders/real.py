"""The encoder for real photographs: the early layers of EfficientNet-lite0, as they come.

What makes one photograph of a moment better than the next is exposure, colour, blur and noise.
Early layers still see these, and late ones were trained not to.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.functional import pad, relu6

from ranking.encoders import FEATURES, Real
from ranking.model.encoder import PhotoEncoder
from ranking.parameters import tensors_digest

WHITE, MIDDLE, HALF = 255.0, 127.0, 128.0
"""Of a byte: the largest, and what is taken from it and divides it before the first layer. The
layers were trained on such inputs; on others their ReLU6 cut elsewhere."""

STEM, STEM_SIDE, STEM_STRIDE = 32, 3, 2
"""Channels, side and stride of the first convolution, as the layers were trained."""


class Shape(NamedTuple):
    """Of a block: channels out, widening, its filters' side and stride, and if it is read."""

    channels: int
    widening: int
    side: int
    stride: int
    read: bool


BLOCKS = (
    Shape(channels=16, widening=1, side=3, stride=1, read=True),
    Shape(channels=24, widening=6, side=3, stride=2, read=False),
    Shape(channels=24, widening=6, side=3, stride=1, read=True),
    Shape(channels=40, widening=6, side=5, stride=2, read=False),
    Shape(channels=40, widening=6, side=5, stride=1, read=True),
)
"""Blocks 0 to 4 of EfficientNet-lite0; each of its three stages is read at its end."""


class RealEncoder(PhotoEncoder):
    """Four early levels of EfficientNet-lite0, their mean and deviation, and a projection.

    Args:
        settings: Its width.
    """

    def __init__(self, settings: Real) -> None:
        super().__init__(settings, width=settings.width)
        self.layers = EarlyLayers()
        self.projection = nn.Linear(FEATURES, settings.width)

    def begin(self) -> None:
        """Takes the weights that ship with Darkroom."""
        self.take(read_real(real_path()))

    @torch.no_grad()
    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes the layers, and the first components of the features, each of spread 1.

        So all directions are learnt at about one pace: gradient descent on the features as they
        are needs hundreds of rounds.

        Args:
            tensors: Of ``EarlyLayers`` by their names; ``mean`` and ``scale`` [features];
                ``components`` [features, features], orthonormal rows, the first ones first;
                ``spread`` [features] of each component.
        """
        names = self.layers.state_dict()
        self.layers.load_state_dict({name: tensors[name] for name in names})
        spread = tensors["spread"][: self.width, None].double()
        first = (
            tensors["components"][: self.width].double() / spread / tensors["scale"].double()
        )
        self.projection.weight.copy_(first)
        self.projection.bias.copy_(-first @ tensors["mean"].double())

    def embedded(self, photos: Tensor) -> Tensor:
        """Same as of ``PhotoEncoder``."""
        embeddings: Tensor = self.projection(self.layers(photos))
        return embeddings


class EarlyLayers(nn.Module):
    """The stem and blocks 0 to 4, whose normalisation is a part of their convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Same(3, STEM, side=STEM_SIDE, stride=STEM_STRIDE)
        entering = (STEM, *(shape.channels for shape in BLOCKS))
        self.blocks = nn.ModuleList(map(_Bottleneck, entering, BLOCKS))

    def forward(self, photos: Tensor) -> Tensor:
        """Returns [photos, features] of photos [photos, 3, side, side] in [0, 1]."""
        values = relu6(self.stem((WHITE * photos - MIDDLE) / HALF))
        levels = [values]
        for block, shape in zip(self.blocks, BLOCKS, strict=True):
            values = block(values)
            if shape.read:
                levels.append(values)
        return torch.cat([part for level in levels for part in _over_places(level)], -1)


class _Bottleneck(nn.Module):
    """Widens the channels, looks at each alone, and narrows them again."""

    def __init__(self, entering: int, shape: Shape) -> None:
        super().__init__()
        wide = entering * shape.widening
        self.expand = nn.Conv2d(entering, wide, 1) if shape.widening > 1 else nn.Identity()
        self.depthwise = _Same(wide, wide, side=shape.side, stride=shape.stride, groups=wide)
        self.narrow = nn.Conv2d(wide, shape.channels, 1)
        self._wider = shape.widening > 1
        self._adds = shape.stride == 1 and entering == shape.channels

    def forward(self, values: Tensor) -> Tensor:
        wide = relu6(self.expand(values)) if self._wider else values
        found: Tensor = self.narrow(relu6(self.depthwise(wide)))
        return found + values if self._adds else found


class _Same(nn.Conv2d):
    """A convolution whose output is its input's side over the stride, rounded up.

    Of an odd number of rows of padding the greater half comes after: torch's own padding has it
    on either side, which shifts every place by a pixel.
    """

    def __init__(
        self, entering: int, channels: int, *, side: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__(entering, channels, side, stride, groups=groups)

    def forward(self, values: Tensor) -> Tensor:
        rows, columns = (
            _padding(length, side=self.kernel_size[0], stride=self.stride[0])
            for length in values.shape[-2:]
        )
        return super().forward(pad(values, (*columns, *rows)))


def _padding(length: int, *, side: int, stride: int) -> tuple[int, int]:
    """Zeros before and after ``length`` places."""
    places = -(-length // stride)
    more = max(0, (places - 1) * stride + side - length)
    return more // 2, more - more // 2


def _over_places(level: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, [photos, channels] each, of [photos, channels, h, w]."""
    places = level.flatten(-2)
    return places.mean(-1), places.std(-1, correction=0)


def real_path() -> Path:
    """Returns the path of the weights that ship with Darkroom."""
    return Path(__file__).parents[2] / "real.safetensors"


def read_real(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a file that `darkroom pretrain --stage real` wrote.

    Raises:
        ValueError: It is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        sound = facts["sha256"] == tensors_digest(tensors, facts=facts["darkroom"])
    except (OSError, SafetensorError, KeyError, TypeError):
        sound = False
    if not sound:
        raise ValueError(
            f"{path} is missing or damaged: restore it, or make it again with "
            "`darkroom pretrain --stage real`."
        )
    return tensors
