"""Public moments as a frozen encoder sees them: what a list transformer is trained on."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from simulations.pretraining.context_functions import Facts


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EmbeddedMoments:
    """Public moments whose photos were embedded.

    Attributes:
        embeddings: [moments, photos, width], 0 where padded.
        attributes: [moments, photos, own], 0 where padded.
        bursts: [moments, photos] int64.
        where: [moments, photos] bool.
        scenes: [moments] int64.
        gains: [moments, photos] expected gain under the public taste.
        given: [moments, photos] gain of the feedback that was given.
    """

    embeddings: Tensor
    attributes: Tensor
    bursts: Tensor
    where: Tensor
    scenes: Tensor
    gains: Tensor
    given: Tensor

    @classmethod
    def joined(cls, chapters: Iterable[Self]) -> Self:
        """Returns the moments of all chapters, one after another."""
        parts = list(chapters)
        names = [one.name for one in fields(cls)]
        return cls(
            **{name: torch.cat([getattr(part, name) for part in parts]) for name in names}
        )

    @property
    def facts(self) -> Facts:
        """What is in the photos."""
        return Facts(attributes=self.attributes, bursts=self.bursts, where=self.where)
