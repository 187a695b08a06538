"""A list of photographs with the scores that a model gives them, and how they are shown."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from photos.folder.decoding import decode
from photos.folder.photograph import Photograph
from photos.library import Feedback
from ranking.model.ranker import Ranker
from simulations.ranking.contact_sheet import Thumbnail
from simulations.ranking.own_photographs import PhotoList

SIDE = 160
"""Pixels of a thumbnail's side: enough for the contact sheet's largest photo, of 136, and for a
page that is looked at on a phone."""
DIGITS = 4
"""Digits of a score after the point: rounding changes the sixth. Without them photos that are
the same come in an order that says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScoredList:
    """A list and its photos' scores, in the order of capture.

    Attributes:
        photos: The list.
        scores: [photographs] only their differences mean anything, and only inside the list.
    """

    photos: PhotoList
    scores: NDArray[np.float32]

    def order(self) -> list[int]:
        """Returns places in the list, best first; equal scores keep the order of capture.

        Equal is what is shown as equal: the same photo twice may differ by a rounding.
        """
        shown = np.round(self.scores.astype(np.float64), DIGITS)
        places: list[int] = np.argsort(-shown, kind="stable").tolist()
        return places

    def thumbnails(self) -> tuple[Thumbnail, ...]:
        """Decodes what is shown of each photo, best first."""
        seen: set[str] = set()
        thumbnails = []
        for place in self.order():
            row = self.photos.rows[place]
            thumbnails.append(
                Thumbnail(
                    pixels=_picture(self.photos, place),
                    favourite=row.feedback == Feedback.FAVOURITE,
                    duplicate=row.burst in seen,
                )
            )
            seen |= {row.burst} - {""}
        return tuple(thumbnails)


@torch.inference_mode()
def scored(ranker: Ranker, photos: PhotoList) -> ScoredList:
    """Returns the list with the ranker's scores.

    Raises:
        ValueError: A score is no number.
    """
    pixels = torch.from_numpy(np.stack([photo.pixels for photo in photos.photographs]))
    moment = pixels.permute(0, 3, 1, 2).unsqueeze(0) / 255
    scores = ranker(moment, where=torch.ones(moment.shape[:2], dtype=torch.bool))
    if not torch.isfinite(scores).all():
        raise ValueError(
            "the model gives scores that are no numbers, from which no order follows: its "
            "training went astray; name another run."
        )
    return ScoredList(photos=photos, scores=np.asarray(scores[0].numpy(), dtype=np.float32))


def _picture(photos: PhotoList, place: int) -> NDArray[np.uint8]:
    """The photo large enough to look at; as the model saw it where its file has gone since."""
    seen = photos.photographs[place].pixels
    if len(seen) >= SIDE:
        return seen
    again = decode(photos.path(place), side=SIDE)
    return again.pixels if isinstance(again, Photograph) else seen
