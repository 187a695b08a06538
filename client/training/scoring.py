"""Scores a device's moments, from what it keeps of them."""

from torch import Tensor, nn

from client.engine import Examples
from ranking.model.ranker import Ranker
from ranking.parameters import place
from ranking.settings import Inputs

EMBEDDING_AXES = 3
"""Moments, photos and features; pixels have five axes."""


def scores(ranker: Ranker, examples: Examples, *, kept: Inputs) -> Tensor:
    """Returns [moments, photos] scores, where the ranker is; no padding is encoded.

    Args:
        ranker: The ranker; of readings its weights alone are asked.
        examples: The moments.
        kept: What their device keeps of a photo.
    """
    device = place(ranker)
    inputs, where = examples.inputs.to(device), examples.where.to(device)
    if kept == "readings":
        return ranker.list_ranker.score(inputs)
    if kept == "pixels":
        encoded = ranker.encoder(inputs[where])
        inputs = encoded.new_zeros(*where.shape, encoded.shape[-1])
        inputs = inputs.index_put((where,), encoded)
    scored: Tensor = ranker.list_ranker(inputs, where=where)
    return scored


class Scorer(nn.Module):
    """Scores moments with their padding, whatever devices and lists stand before their photos.

    A module, for ``functional_call`` gives one its parameters.
    """

    def __init__(self, ranker: Ranker, *, kept: Inputs) -> None:
        super().__init__()
        self.ranker = ranker
        self._kept = kept

    def forward(self, inputs: Tensor, where: Tensor) -> Tensor:
        """[…, photos] scores of what is kept: readings or embeddings […, photos, d], pixels."""
        if self._kept == "readings":
            return self.ranker.list_ranker.score(inputs)
        if self._kept == "pixels":
            inputs = self.ranker.encoder(inputs)
        scored: Tensor = self.ranker.list_ranker(inputs, where=where)
        return scored
