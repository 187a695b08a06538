"""Scores the photos of a moment against each other: the part that devices train."""

from torch import Tensor, nn

from ranking.model.attention import Block
from ranking.model.encoder import EMBEDDING


class ListRanker(nn.Module):
    """One attention block over a moment's photos, a small head, and a linear taste.

    ``taste`` adds one weight per embedding feature to the score. It is zero in the public
    weights, so that ``ranking=linear`` starts from the public ranker itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.block = Block(EMBEDDING, heads=4)
        self.norm = nn.LayerNorm(EMBEDDING)
        self.hidden = nn.Sequential(nn.Linear(EMBEDDING, 32), nn.GELU())
        self.score = nn.Linear(32, 1)
        self.taste = nn.Linear(EMBEDDING, 1, bias=False)

    def forward(self, embeddings: Tensor, *, where: Tensor) -> Tensor:
        """Scores photos; higher is better, and only differences within a moment mean anything.

        Permuting the photos permutes the scores; padding changes no other photo's score.

        Args:
            embeddings: [moments, photos, 64]; whatever stands in padding is not read.
            where: [moments, photos] bool, False for padding.

        Returns:
            [moments, photos] scores; finite but meaningless for padding.
        """
        photos = embeddings.masked_fill(~where.unsqueeze(-1), 0)
        features = self.hidden(self.context(photos, where=where))
        scores: Tensor = self.score(features) + self.taste(photos)
        return scores.squeeze(-1)

    def context(self, embeddings: Tensor, *, where: Tensor) -> Tensor:
        """[moments, photos, 64]: each photo as seen among its moment's others."""
        seen: Tensor = self.norm(self.block(embeddings, where=where))
        return seen
