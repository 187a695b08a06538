"""A scored list: its order, its stars and badges, and what is shown of a photo."""

import numpy as np
import pytest
import torch

from photos.folder.feedback_file import FeedbackRow
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip
from photos.library import Feedback
from simulations.ranking import scored_list
from simulations.ranking.own_photographs import PhotoList
from simulations.ranking.scored_list import SIDE, ScoredList, scored


@pytest.fixture
def of(tmp_path):
    """Makes a list of photos of given scores, bursts and feedback, decoded to a given side."""

    def of(*scores, bursts=None, feedback=None, side=16):
        count = len(scores)
        feedback = feedback or [Feedback.KEEP] * count
        photographs = tuple(
            Photograph(
                name=f"{place}.png",
                taken=None,
                pixels=np.full((side, side, 3), place, dtype=np.uint8),
            )
            for place in range(count)
        )
        rows = tuple(
            FeedbackRow(burst=burst, feedback=given)
            for burst, given in zip(bursts or [""] * count, feedback, strict=True)
        )
        photos = PhotoList(label="album", folder=tmp_path, photographs=photographs, rows=rows)
        return ScoredList(photos=photos, scores=np.array(scores, dtype=np.float32))

    return of


def test_the_best_comes_first_and_equals_keep_the_order_of_capture(of):
    assert of(0.5, 2.0, 0.5, -1.0, 2.0).order() == [1, 4, 0, 2, 3]
    assert of(0.5, 0.500001, 0.5001).order() == [2, 0, 1]


def test_a_favourite_is_marked_and_of_a_burst_all_but_the_best(of):
    keep, favourite = Feedback.KEEP, Feedback.FAVOURITE
    one = of(1, 3, 2, 0, bursts=["a", "a", "", ""], feedback=[favourite, keep, keep, keep])
    shown = one.thumbnails()
    assert [thumbnail.favourite for thumbnail in shown] == [False, False, True, False]
    assert [thumbnail.duplicate for thumbnail in shown] == [False, False, True, False]


def test_scores_that_are_no_numbers_are_refused_in_one_sentence(of):
    def astray(pixels, *, where):
        return torch.full(where.shape, torch.nan)

    with pytest.raises(ValueError, match="scores that are no numbers, from which no order"):
        scored(astray, of(0.0, 1.0).photos)


def test_what_is_decoded_large_enough_is_not_decoded_again(of, monkeypatch):
    monkeypatch.setattr(scored_list, "decode", lambda *_, **__: pytest.fail("decoded again"))
    shown = of(0.0, 1.0, side=SIDE).thumbnails()
    assert [thumbnail.pixels[0, 0, 0] for thumbnail in shown] == [1, 0]


def test_a_photo_whose_file_has_gone_is_shown_as_it_was_scored(of, monkeypatch):
    monkeypatch.setattr(scored_list, "decode", lambda *_, **__: Skip.UNREADABLE)
    (first, _) = of(0.0, 1.0).thumbnails()
    assert first.pixels.shape == (16, 16, 3)
