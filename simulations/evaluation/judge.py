"""Judges released parameters on the held-out devices, with a ranker of its own."""

from collections.abc import Sequence

from protocol.messages import Vector
from ranking.model.ranker import Ranker
from ranking.parameters import flatten, load_flat
from simulations.evaluation.figures import Figures, evaluate
from simulations.evaluation.held_out import HeldOut


class Judge:
    """Says how well parameters rank; what it holds is no product of a run.

    Attributes:
        ranker: Holds the parameters that were looked at last.
        names: The trained parameters, in the order of the vector.
        held_out: What they are judged on.
        start: [trainable] what the ranker was given with.
        embeddings: [lists, photos, d] of the held-out photos, by the encoder judged last.
    """

    def __init__(
        self,
        ranker: Ranker,
        names: Sequence[str],
        held_out: HeldOut,
        *,
        loss: str,
        frozen_encoder: bool,
    ) -> None:
        """Begins with the parameters of ``ranker``.

        Args:
            ranker: Nobody else may change it.
            names: Its trained parameters.
            held_out: The moments to judge on.
            loss: Name of the training loss.
            frozen_encoder: Whether the embeddings stay as they are.
        """
        self.ranker = ranker
        self.names = names
        self.held_out = held_out
        self.start = self._embedded = flatten(ranker, names)
        self.embeddings = held_out.embeddings(ranker.encoder)
        self._loss = loss
        self._frozen_encoder = frozen_encoder

    def figures(self, parameters: Vector) -> Figures:
        """Returns how well ``parameters`` [trainable] rank.

        Raises:
            ValueError: They order no photos.
        """
        self.take(parameters)
        if not self._frozen_encoder and parameters is not self._embedded:
            self.embeddings = self.held_out.embeddings(self.ranker.encoder)
            self._embedded = parameters
        return evaluate(
            self.ranker.list_ranker, self.embeddings, self.held_out, loss=self._loss
        )

    def take(self, parameters: Vector) -> None:
        """Gives the ranker ``parameters`` [trainable]."""
        load_flat(self.ranker, self.names, parameters)
