"""Scores the photos of a moment against each other, by weights of what a list model reads."""

import torch
from torch import Tensor, nn

from ranking.model.readers import build_reader
from ranking.sizes import ListSizes


class ListRanker(nn.Module):
    """A list model, and the weights of what it reads.

    ``score = features · token + (own features ⊗ scene) · scene_token + embedding · taste``. The
    last two are zero in the public weights, so that every choice of what is trained starts
    from the same scores.

    Args:
        sizes: Of the list model.
        width: Numbers of an embedding.
        context: Whether features count that a photo has among the others of its moment.

    Attributes:
        sizes: The sizes.
        readings: Numbers that ``read`` gives for each photo.
    """

    def __init__(self, sizes: ListSizes, *, width: int, context: bool = True) -> None:
        super().__init__()
        self.sizes = sizes
        self._parts = [sizes.features, sizes.scenes, width]
        self.readings = sum(self._parts)
        self._context = context
        self.reader = build_reader(sizes, width=width)
        self.token = nn.Linear(sizes.features, 1, bias=False)
        self.scene_token = nn.Linear(sizes.own * sizes.scenes, 1, bias=False)
        self.taste = nn.Linear(width, 1, bias=False)

    def forward(self, embeddings: Tensor, *, where: Tensor) -> Tensor:
        """Scores photos; higher is better, and only differences within a moment mean anything.

        Permuting the photos permutes the scores; padding changes no other photo's score.

        Args:
            embeddings: [moments, photos, width]; whatever stands in padding is not read.
            where: [moments, photos] bool, False for padding.

        Returns:
            [moments, photos] scores; finite but meaningless for padding.
        """
        return self.score(self.read(embeddings, where=where))

    def read(self, embeddings: Tensor, *, where: Tensor) -> Tensor:
        """Returns all that a score is made of.

        Returns:
            [moments, photos, readings]: the features, how likely each scene is, and the
            embedding; zero for padding.
        """
        padding = ~where.unsqueeze(-1)
        photos = embeddings.masked_fill(padding, 0)
        features, scenes = self.reader(photos, where=where)
        if not self._context:
            own = features[..., : self.sizes.own]
            features = torch.cat([own, torch.zeros_like(features[..., self.sizes.own :])], -1)
        likely = scenes.softmax(-1).unsqueeze(-2).expand(*where.shape, -1)
        return torch.cat([features, likely, photos], -1).masked_fill(padding, 0)

    def score(self, readings: Tensor) -> Tensor:
        """Returns [moments, photos] scores of what ``read`` gave."""
        features, likely, photos = torch.split(readings, self._parts, -1)
        own = features[..., : self.sizes.own]
        by_scene = (own.unsqueeze(-1) * likely.unsqueeze(-2)).flatten(-2)
        scores: Tensor = self.token(features) + self.scene_token(by_scene) + self.taste(photos)
        return scores.squeeze(-1)
