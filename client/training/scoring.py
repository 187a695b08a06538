"""Scores a device's moments, from embeddings or from pixels."""

from torch import Tensor, nn

from client.engine import Examples
from ranking.model.ranker import Ranker
from ranking.parameters import place

EMBEDDING_AXES = 3
"""Moments, photos and features; pixels have five axes."""


def scores(ranker: Ranker, examples: Examples) -> Tensor:
    """Returns [moments, photos] scores, where the ranker is; no padding is encoded.

    Args:
        ranker: The ranker; its encoder is used for pixels only.
        examples: Moments of embeddings or of pixels.
    """
    device = place(ranker)
    inputs, where = examples.inputs.to(device), examples.where.to(device)
    if inputs.ndim > EMBEDDING_AXES:
        encoded = ranker.encoder(inputs[where])
        inputs = encoded.new_zeros(*where.shape, encoded.shape[-1])
        inputs = inputs.index_put((where,), encoded)
    scored: Tensor = ranker.list_ranker(inputs, where=where)
    return scored


class Scorer(nn.Module):
    """Scores moments with their padding, whatever devices and lists stand before their photos.

    A module, for ``functional_call`` gives one its parameters.
    """

    def __init__(self, ranker: Ranker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(self, inputs: Tensor, where: Tensor) -> Tensor:
        """[…, photos] scores of embeddings […, photos, d] or pixels […, photos, 3, h, w]."""
        if inputs.ndim > where.ndim + 1:
            inputs = self.ranker.encoder(inputs)
        scored: Tensor = self.ranker.list_ranker(inputs, where=where)
        return scored
