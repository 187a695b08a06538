"""The whole ranker, from pixels to scores."""

from torch import Tensor, nn

from ranking.model.encoders.registry import build_encoder
from ranking.model.list_ranker import ListRanker
from ranking.settings import Ranking


class Ranker(nn.Module):
    """The photo encoder and the list ranker.

    Args:
        ranking: Their settings, and whether the context counts.
    """

    def __init__(self, ranking: Ranking) -> None:
        super().__init__()
        self.encoder = build_encoder(ranking.encoder)
        width = self.encoder.width
        self.list_ranker = ListRanker(ranking.list, width=width, context=ranking.context)

    def forward(self, photos: Tensor, *, where: Tensor) -> Tensor:
        """Scores the photos of each moment.

        Args:
            photos: [moments, photos, 3, side, side] float in [0, 1].
            where: [moments, photos] bool, False for padding.

        Returns:
            [moments, photos] scores, same as from ``ListRanker``.
        """
        scores: Tensor = self.list_ranker(self.encoder(photos), where=where)
        return scores
