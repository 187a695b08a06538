"""What is held out: the moments that never train of devices that never do."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from rankings import ENCODER

from client.embeddings.examples import embed
from client.model import encoder_digest
from photos.library import LARGEST_MOMENT, Library, Moment
from photos.split import held_out_moments
from simulations.evaluation.held_out import gather


def moment(number, feedback, expected=None):
    """A moment whose photos are each of one shade, ten times the moment's number and more."""
    feedback = np.array(feedback)
    shades = 10 * number + np.arange(len(feedback))
    return Moment(
        number=number,
        photos=np.tile(shades[:, None, None, None], (16, 16, 3)).astype(np.uint8),
        bursts=np.zeros(len(feedback), np.int64),
        feedback=feedback,
        expected_gain=None if expected is None else np.array(expected, float),
    )


class Source:
    """Libraries by the number of their device, of which the last ones are held out."""

    def __init__(self, *libraries, held_out):
        self._libraries = libraries
        self.held_out_devices = held_out
        self.devices = len(libraries) - held_out

    def library(self, device):
        moments = self._libraries[device]
        return Library(device=device, moments=tuple(moments), skipped={})


ONE = moment(1, [0, 2, 1], [0.5, 2.5, 1.0])
TWO = moment(2, [1, 1], [1.0, 1.5])
FOUR = moment(4, [2, 0], [3.0, 0.0])


def test_all_moments_of_held_out_devices_stand_one_below_the_other_with_their_owners():
    found = gather(Source([TWO], [ONE], [FOUR, TWO], held_out=2), share=1.0, seed=0)
    assert found.devices == (1, 2)
    assert found.device_of.tolist() == [0, 1, 1]
    assert found.numbers.tolist() == [1, 4, 2]
    assert found.where.shape == (3, LARGEST_MOMENT)
    assert found.where.sum(axis=1).tolist() == [3, 2, 2]
    assert found.pixels[:, 0, 0, 0].tolist() == [10, 11, 12, 40, 41, 20, 21]
    # The gain of feedback f is 2^f − 1: 0 of a deleted photo, 1 of a kept one, 3 of a favourite
    assert found.realised[:, :3].tolist() == [[0, 3, 1], [3, 0, 0], [1, 1, 0]]
    assert found.expected[:, :3].tolist() == [[0.5, 2.5, 1], [3, 0, 0], [1, 1.5, 0]]
    assert not found.realised[~found.where].any()
    assert not found.expected[~found.where].any()


def test_of_each_device_the_moments_are_those_that_the_split_keeps_from_training():
    moments = [moment(number, [0, 1]) for number in range(40)]
    source = Source([], moments, held_out=1)
    found = gather(source, share=0.4, seed=3)
    kept = held_out_moments(source.library(1), seed=3, held_out_share=0.4)
    assert found.numbers.tolist() == [one.number for one in kept]
    # 40 coins of probability 0.4: three standard deviations are 9.3.
    assert abs(len(kept) - 16) < 9.3


def test_the_taste_behind_real_photographs_is_what_was_done_with_them():
    real = moment(3, [2, 1])
    found = gather(Source([], [ONE, real], held_out=1), share=1.0, seed=0)
    assert found.expected is found.realised
    assert found.realised[1, :2].tolist() == [3, 1]


def test_where_no_device_is_held_out_those_that_train_stand_in():
    found = gather(Source([ONE], [TWO], held_out=0), share=1.0, seed=0)
    assert found.devices == (0, 1)
    assert found.numbers.tolist() == [1, 2]


def test_a_device_without_a_held_out_moment_is_there_and_has_no_list():
    found = gather(Source([], [], [ONE], held_out=2), share=1.0, seed=0)
    assert (found.devices, found.device_of.tolist()) == ((1, 2), [1])


def test_nothing_to_judge_on_is_refused_with_the_setting():
    for source in (Source([ONE], [], held_out=1), Source([], held_out=0)):
        with pytest.raises(ValueError, match=r"^photos\.held_out_share leaves no moment"):
            gather(source, share=1.0, seed=0)


def test_of_a_source_that_can_sift_no_other_moment_is_opened():
    class Sifting(Source):
        def part(self, device, wanted):
            asked.append(device)
            library = Source.library(self, device)
            kept = tuple(one for one in library.moments if wanted(one.number))
            return replace(library, moments=kept)

        def library(self, device):
            raise AssertionError("the whole library was opened")

    asked = []
    sifted = gather(Sifting([], [FOUR, ONE], held_out=1), share=0.5, seed=0)
    plain = gather(Source([], [FOUR, ONE], held_out=1), share=0.5, seed=0)
    assert asked == list(plain.devices)
    assert np.array_equal(sifted.numbers, plain.numbers)
    assert np.array_equal(sifted.pixels, plain.pixels)


class Shade(torch.nn.Module):
    """An encoder that says of a photo how bright it is, times a weight; it counts its calls."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))
        self.width, self.settings = ENCODER.width, ENCODER
        self.calls = 0

    def forward(self, photos):
        self.calls += 1
        return self.weight * photos.mean(dim=(1, 2, 3))[:, None].expand(-1, self.width)


def test_embeddings_stand_where_the_photos_are_and_padding_is_zero(held_out_of):
    lists = held_out_of([[3, 1, -1], [1, 3, 0]], owners=[0, 1], devices=(0, 1))

    class Ones(torch.nn.Module):
        width, settings = ENCODER.width, ENCODER

        def forward(self, photos):
            return torch.ones(*photos.shape[:-3], 64)

    embeddings = lists.embeddings(Ones())
    assert embeddings.shape == (2, 3, 64)
    assert embeddings[..., 0].tolist() == [[1, 1, 0], [1, 1, 1]]


def test_each_embedding_is_of_the_photo_in_its_place():
    found = gather(Source([], [FOUR, ONE], held_out=1), share=1.0, seed=0)
    brightness = found.embeddings(Shade(255.0))[..., 0]
    shown = [round(value) for value in brightness[torch.from_numpy(found.where)].tolist()]
    assert shown == found.pixels[:, 0, 0, 0].tolist()


def test_embeddings_are_remembered_of_the_last_encoder_alone():
    found = gather(Source([], [ONE], held_out=1), share=1.0, seed=0)
    one, two = Shade(1.0), Shade(2.0)
    first = found.embeddings(one)
    assert found.embeddings(one) is first
    assert one.calls == 1
    assert torch.equal(found.embeddings(two), 2 * first)
    assert torch.equal(found.embeddings(one), first)
    assert (one.calls, two.calls, len(found.embedded)) == (2, 1, 1)


class Own:
    """Reads devices for one encoder, in the place of a cache: photos are keys there."""

    def __init__(self, encoder):
        self.encoder, self.digest = encoder, encoder_digest(encoder)

    @contextmanager
    def of(self, source, device, part=None):
        library = source.library(device)
        yield library, lambda photos: embed(self.encoder, photos)


def test_embeddings_alone_are_gathered_where_the_encoder_is_known_and_are_the_same():
    source, encoder = Source([], [FOUR, ONE], held_out=1), Shade(2.0)
    found = gather(source, share=1.0, seed=0, own=Own(encoder))
    plain = gather(source, share=1.0, seed=0)
    assert found.pixels.size == 0
    calls = encoder.calls
    assert torch.equal(found.embeddings(encoder), plain.embeddings(Shade(2.0)))
    assert encoder.calls == calls
    assert (found.realised == plain.realised).all()
    with pytest.raises(LookupError, match="another encoder"):
        found.embeddings(Shade(3.0))


def test_an_encoder_of_the_same_weights_and_other_settings_embeds_anew():
    found = gather(Source([], [ONE], held_out=1), share=1.0, seed=0)
    one, two = Shade(1.0), Shade(1.0)
    two.settings = replace(ENCODER, heads=1)
    found.embeddings(one)
    found.embeddings(two)
    assert (one.calls, two.calls) == (1, 1)
