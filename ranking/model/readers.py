"""List models: they turn the embeddings of a moment into features of its photos."""

import torch
from torch import Tensor, nn

from ranking.model.attention import Block
from ranking.sizes import ListSizes, ListTransformer, Probes

LEAST = 1e-6
"""Added to a squared distance before its root, whose slope at 0 is infinite."""


class TransformerReader(nn.Module):
    """Transformer blocks over the photos of a moment, and linear read-outs.

    Args:
        sizes: Its sizes.
        width: Numbers of an embedding.
    """

    def __init__(self, sizes: ListTransformer, *, width: int) -> None:
        super().__init__()
        self.attend = sizes.attend
        self.enter = nn.Linear(width, sizes.width)
        self.blocks = nn.ModuleList(
            Block(sizes.width, heads=sizes.heads) for _ in range(sizes.depth)
        )
        self.norm = nn.LayerNorm(sizes.width)
        self.hidden = nn.Sequential(nn.Linear(sizes.width, sizes.hidden), nn.GELU())
        self.read = nn.Linear(sizes.hidden, sizes.features)
        self.scene = nn.Linear(sizes.width, sizes.scenes)

    def forward(self, embeddings: Tensor, *, where: Tensor) -> tuple[Tensor, Tensor]:
        """Reads moments; a permutation of the photos of one permutes what is read.

        Args:
            embeddings: [moments, photos, width], zero where padded.
            where: [moments, photos] bool, False for padding.

        Returns:
            [moments, photos, own + context] features and [moments, scenes] logits.
        """
        photos = self.enter(embeddings)
        seen = where if self.attend else torch.zeros_like(where)
        for block in self.blocks:
            photos = block(photos, where=seen)
        photos = self.norm(photos)
        features: Tensor = self.read(self.hidden(photos))
        return features, _of_moments(self.scene, photos, where=where)


class ProbeReader(nn.Module):
    """Linear read-outs of each photo, and its distance from the moment's mean of them.

    Args:
        sizes: Its sizes.
        width: Numbers of an embedding.
    """

    def __init__(self, sizes: Probes, *, width: int) -> None:
        super().__init__()
        self.read = nn.Linear(width, sizes.own)
        self.scene = nn.Linear(width, sizes.scenes)

    def forward(self, embeddings: Tensor, *, where: Tensor) -> tuple[Tensor, Tensor]:
        """Same as of ``TransformerReader``."""
        own: Tensor = self.read(embeddings)
        apart = own - mean(own, where=where).unsqueeze(-2)
        distance = (apart.square().sum(-1, keepdim=True) + LEAST).sqrt()
        scenes = _of_moments(self.scene, embeddings, where=where)
        return torch.cat([own, distance], -1), scenes


def build_reader(sizes: ListSizes, *, width: int) -> nn.Module:
    """Returns the list model of ``sizes`` over embeddings of ``width`` numbers."""
    match sizes:
        case ListTransformer():
            return TransformerReader(sizes, width=width)
        case Probes():
            return ProbeReader(sizes, width=width)
        case _:
            raise TypeError(f"{type(sizes).__name__} has no list model.")


def _of_moments(layer: nn.Linear, values: Tensor, *, where: Tensor) -> Tensor:
    """[moments, out]: ``layer`` of each moment's mean, once for each of its photos.

    A row for each photo: of as many rows as there are moments, the bits of one would depend on
    how many those are (``client.isolation``).
    """
    rows = mean(values, where=where).unsqueeze(-2).expand_as(values)
    found: Tensor = layer(rows)[..., 0, :]
    return found


def mean(values: Tensor, *, where: Tensor) -> Tensor:
    """Returns [moments, n] the mean over the photos of each moment; 0 for padding alone.

    Args:
        values: [moments, photos, n]; what stands in padding is not read.
        where: [moments, photos] bool.
    """
    there = where.unsqueeze(-1)
    total = values.masked_fill(~there, 0).sum(-2)
    return total / there.sum(-2).clamp(min=1)
