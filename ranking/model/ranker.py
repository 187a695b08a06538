"""The whole ranker, from pixels to scores."""

from torch import Tensor, nn

from ranking.model.encoder import PhotoEncoder
from ranking.model.list_ranker import ListRanker


class Ranker(nn.Module):
    """The photo encoder and the list ranker; about 127,000 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = PhotoEncoder()
        self.list_ranker = ListRanker()

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
