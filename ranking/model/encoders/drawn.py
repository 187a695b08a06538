"""The encoder that is pre-trained on drawn photos."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ranking.encoders import Drawn
from ranking.model.attention import Block
from ranking.model.encoder import PhotoEncoder

SMALLEST_SIDE = 16
"""Pixels. The stem halves a side three times, so that 16 leave 2 × 2 places. Up to 8 leave one,
and a block has nothing to attend to."""

CHANNELS = 8
"""Channels that the stem reads: three colours, two places and three differences."""

LEAST_GROUPS, TOGETHER = 4, 8
"""Groups of channels at least, and channels of a group in a wider layer: what one group says of
brightness is not blurred by the others. Fewer groups were not tried."""

STEEP = 4.0
"""What a difference between neighbours is multiplied with. In photos in [-1, 1] it is mostly
below 0.1; unscaled the first layer would have to grow to see it."""

LEAST_VARIANCE = 1e-4
"""Added to a variance before its root, whose slope at 0 is infinite."""


class DrawnEncoder(PhotoEncoder):
    """Convolutional stem, transformer blocks, and what the places have in common.

    Early convolutions make small transformers learn (Xiao et al. 2021); GroupNorm keeps each
    photo apart from the rest of its batch. Two constant channels hold each pixel's place
    (Liu et al. 2018): they replace a table of positions, so that any side is read, and give
    GroupNorm a yardstick by which a dark photo differs from a bright one. Three more hold how
    far brightness changes to the right, downwards and along a slope: noise, blur and a tilted
    horizon are differences of neighbours. The embedding is read off the mean and the deviation
    over the places.

    Args:
        settings: Its sizes.
    """

    def __init__(self, settings: Drawn) -> None:
        super().__init__(settings, width=settings.width)
        width = settings.width
        self.stem = nn.Sequential(
            *_halving(CHANNELS, width // 4),
            *_halving(width // 4, width // 2),
            *_halving(width // 2, width),
        )
        self.blocks = nn.ModuleList(
            Block(width, heads=settings.heads) for _ in range(settings.depth)
        )
        self.spread = nn.LayerNorm(2 * width)
        self.pool = nn.Sequential(
            nn.Linear(2 * width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.norm = nn.LayerNorm(width)

    def embedded(self, photos: Tensor) -> Tensor:
        """Same as of ``PhotoEncoder``; a side is at least 16 pixels."""
        if photos.shape[-1] < SMALLEST_SIDE:
            raise ValueError(
                f"a photo of {photos.shape[-1]} pixels is too small to encode: "
                f"set photos.side to at least {SMALLEST_SIDE}."
            )
        rows = 2 * photos - 1
        channels = torch.cat([rows, _differences(rows), _places(rows)], -3)
        tokens = self.stem(channels).flatten(-2).transpose(-2, -1)
        for block in self.blocks:
            tokens = block(tokens)
        embeddings: Tensor = self.norm(self._pooled(tokens))
        return embeddings

    def _pooled(self, tokens: Tensor) -> Tensor:
        """[photos, places, width] to [photos, width]."""
        mean = tokens.mean(-2)
        deviation = (tokens.var(-2, correction=0) + LEAST_VARIANCE).sqrt()
        pooled: Tensor = mean + self.pool(self.spread(torch.cat([mean, deviation], -1)))
        return pooled


def _halving(channels: int, features: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, features, kernel_size=3, stride=2, padding=1),
        nn.GroupNorm(max(LEAST_GROUPS, features // TOGETHER), features),
        nn.GELU(),
    )


def _differences(photos: Tensor) -> Tensor:
    """[photos, 3, h, w]: changes of brightness to the right, downwards, and their product."""
    grey = photos.mean(-3, keepdim=True)
    right = STEEP * pad(grey[..., 1:] - grey[..., :-1], (0, 1, 0, 0))
    down = STEEP * pad(grey[..., 1:, :] - grey[..., :-1, :], (0, 0, 0, 1))
    return torch.cat([right.abs(), down.abs(), right * down], -3)


def _places(photos: Tensor) -> Tensor:
    """[photos, 2, h, w] rows and columns from -1 to 1."""
    height, width = photos.shape[-2:]
    down = torch.linspace(-1, 1, height, dtype=photos.dtype, device=photos.device)
    right = torch.linspace(-1, 1, width, dtype=photos.dtype, device=photos.device)
    places = torch.stack(torch.meshgrid(down, right, indexing="ij"))
    return places.expand(photos.shape[0], 2, height, width)
