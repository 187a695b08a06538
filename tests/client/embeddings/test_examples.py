import numpy as np
import pytest
import torch
from rankings import ENCODER, ranker

from client.embeddings.examples import PHOTOS_AT_ONCE, embed, examples, pixels


@pytest.fixture(scope="module")
def encoder():
    return ranker("head", seed=1).encoder


class Counting(torch.nn.Module):
    """An encoder that notes how many photos it saw."""

    def __init__(self):
        super().__init__()
        self.width, self.seen = ENCODER.width, []
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, photos):
        self.seen.append(len(photos))
        return self.weight * photos.flatten(1)[:, :64]


def test_pixels_keep_colours_and_places():
    photo = np.zeros((1, 2, 2, 3), np.uint8)
    photo[0, 0, 1] = [255, 51, 0]
    found = pixels(photo)
    assert found.shape == (1, 3, 2, 2)
    assert found.dtype == torch.float32
    assert found[0, :, 0, 1].tolist() == pytest.approx([1.0, 0.2, 0.0])


def test_photos_that_are_read_only_are_taken():
    photo = np.zeros((1, 2, 2, 3), np.uint8)
    photo.flags.writeable = False
    assert pixels(photo).sum() == 0


def test_an_embedding_is_that_of_the_photo_alone(lab, encoder):
    photos = np.concatenate([moment.photos for moment in lab.library(1, [5, 3]).moments])
    found = embed(encoder, photos)
    assert not found.requires_grad
    for row, photo in enumerate(photos):
        alone = encoder(pixels(photo[None])).detach()[0]
        torch.testing.assert_close(found[row], alone, atol=1e-5, rtol=1e-4)


def test_photos_are_embedded_in_calls_of_one_size_and_padding_never(lab):
    counting = Counting()
    lengths = [12] * 11 + [2]
    found = examples(lab.library(1, lengths).moments, encoder=counting)
    # 134 photos in nine calls of sixteen, ten of them black
    assert counting.seen == [PHOTOS_AT_ONCE] * 9
    assert found.inputs.shape == (12, 12, 64)


def test_no_photo_more_or_less_changes_a_bit_of_an_embedding(lab, encoder):
    photos = np.concatenate([m.photos for m in lab.library(1, [12, 12, 12]).moments])
    together = embed(encoder, photos)
    for count in (1, 2, 15, 16, 17, 31, 33):
        assert torch.equal(embed(encoder, photos[:count]), together[:count])
        assert torch.equal(embed(encoder, photos[-count:]), together[-count:])


def test_moments_are_padded_to_the_longest(lab, encoder):
    moments = lab.library(1, [2, 4]).moments
    for chosen, shape in ((encoder, (64,)), (None, (3, lab.side, lab.side))):
        found = examples(moments, encoder=chosen)
        assert found.inputs.shape == (2, 4, *shape)
        assert found.inputs.dtype == torch.float32
        assert found.where.tolist() == [[True, True, False, False], [True] * 4]
        assert not found.inputs[~found.where].any()
        assert found.numbers.tolist() == [5, 6]


def test_gains_are_two_to_the_feedback_minus_one(lab):
    (moment,) = lab.library(1, [3]).moments
    moment.feedback[:] = [2, 0, 1]
    found = examples([moment], encoder=None)
    assert found.gains.tolist() == [[3.0, 0.0, 1.0]]
    assert found.gains.dtype == torch.float32


@pytest.mark.parametrize("frozen", [True, False])
def test_a_library_without_moments_is_legal(encoder, frozen):
    found = examples((), encoder=encoder if frozen else None)
    assert len(found.inputs) == len(found.gains) == len(found.numbers) == 0
    assert found.where.shape == (0, 0)
    assert found.numbers.dtype == torch.int64
