"""Turns a photo into an embedding: the part that is pre-trained on public photos."""

import torch
from torch import Tensor, nn

from ranking.model.attention import Block

EMBEDDING = 64
"""Features of a photo: a dimension of the public weights, which fit no other."""

SMALLEST_SIDE = 16
"""Pixels. The stem halves a side three times, so that 16 leave 2 × 2 places. Up to 8 leave one,
and a block has nothing to attend to."""


class PhotoEncoder(nn.Module):
    """Convolutional stem, two transformer blocks, mean pooling; about 91,000 parameters.

    Early convolutions make small transformers learn (Xiao et al. 2021); GroupNorm keeps each
    photo apart from the rest of its batch. Two constant channels hold each pixel's place
    (Liu et al. 2018): they replace a table of positions, so that any side is read, and give
    GroupNorm a yardstick by which a dark photo differs from a bright one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_halving(5, 16, groups=4),
            *_halving(16, 32, groups=8),
            *_halving(32, EMBEDDING, groups=8),
        )
        self.blocks = nn.ModuleList(Block(EMBEDDING, heads=4) for _ in range(2))
        self.norm = nn.LayerNorm(EMBEDDING)

    def forward(self, photos: Tensor) -> Tensor:
        """Embeds photos independently of each other.

        Args:
            photos: [*, 3, side, side] float in [0, 1], side at least 16.

        Returns:
            [*, 64] embeddings.

        Raises:
            ValueError: A side is below 16 pixels.
        """
        if photos.shape[-1] < SMALLEST_SIDE:
            raise ValueError(
                f"a photo of {photos.shape[-1]} pixels is too small to encode: "
                f"set photos.side to at least {SMALLEST_SIDE}."
            )
        rows = photos.reshape(-1, *photos.shape[-3:])
        tokens = self.stem(_placed(2 * rows - 1)).flatten(-2).transpose(-2, -1)
        for block in self.blocks:
            tokens = block(tokens)
        embeddings: Tensor = self.norm(tokens.mean(-2))
        return embeddings.reshape(*photos.shape[:-3], EMBEDDING)


def _halving(channels: int, features: int, *, groups: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, features, kernel_size=3, stride=2, padding=1),
        nn.GroupNorm(groups, features),
        nn.GELU(),
    )


def _placed(photos: Tensor) -> Tensor:
    """[photos, 3, h, w] to [photos, 5, h, w] with rows and columns from -1 to 1."""
    height, width = photos.shape[-2:]
    down = torch.linspace(-1, 1, height, dtype=photos.dtype, device=photos.device)
    right = torch.linspace(-1, 1, width, dtype=photos.dtype, device=photos.device)
    places = torch.stack(torch.meshgrid(down, right, indexing="ij"))
    return torch.cat([photos, places.expand(photos.shape[0], 2, height, width)], dim=-3)
