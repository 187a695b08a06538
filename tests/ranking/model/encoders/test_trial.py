"""What an encoder of a user's own must be, and what is said of one that is not."""

import pytest
import torch

from ranking.model.encoders.trial import AT_ONCE, padded, same, tried


def colours(photos):
    return photos.mean((-1, -2))


class Remembering:
    """Adds how often it was asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, photos):
        self.asked += 1
        return colours(photos) + self.asked


def of_the_batch(photos):
    """Alone in its batch or not, a photo is shown against the brightest."""
    return colours(photos) / (1 + photos.amax())


def by_place(photos):
    """The last of several differs by one rounding, as where a kernel ends."""
    found = colours(photos).clone()
    if len(photos) > 1:
        found[-1] = torch.nextafter(found[-1], torch.full_like(found[-1], 2.0))
    return found


@pytest.mark.parametrize(("embed", "at_once"), [(colours, AT_ONCE), (of_the_batch, 1)])
def test_an_encoder_sees_many_photos_at_once_where_it_keeps_them_apart(embed, at_once):
    found = tried(embed, side=8, name="mine")
    assert (found.width, found.at_once) == (3, at_once)


def test_one_bit_at_one_place_is_enough_for_one_by_one():
    assert tried(by_place, side=8, name="mine").at_once == 1


def test_where_the_number_of_photos_is_fixed_nothing_repairs_a_mixture():
    assert tried(colours, side=8, name="mine", at_once=3).at_once == 3
    with pytest.raises(
        ValueError, match=r"^mine embeds a photo otherwise when others are beside"
    ):
        tried(of_the_batch, side=8, name="mine", at_once=3)


@pytest.mark.parametrize(
    ("embed", "said"),
    [
        (Remembering(), "gives other numbers when it is asked again"),
        (lambda photos: colours(photos).half(), r"turns 16 photos into torch\.float16"),
        (lambda photos: colours(photos)[:3], r"turns 16 photos into .* of shape \(3, 3\)"),
        (
            lambda photos: photos,
            r"turns 16 photos into .* of shape \(16, 3, 8, 8\): export a layer whose output is",
        ),
        (lambda photos: colours(photos)[:, :0], "gives 0 numbers for a photo"),
        (lambda photos: colours(photos) / 0, "gives numbers that are not finite"),
    ],
)
def test_what_is_no_function_of_the_photo_is_one_sentence(embed, said):
    with pytest.raises(ValueError, match=f"^mine {said}") as refused:
        tried(embed, side=8, name="mine")
    assert str(refused.value).count(". ") == 0
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_every_call_has_as_many_photos_and_the_black_ones_are_left_out(count):
    calls = []

    def embed(photos):
        calls.append(len(photos))
        return colours(photos)

    photos = torch.rand(count, 3, 4, 4)
    assert torch.equal(padded(embed, photos, at_once=4), colours(photos))
    assert set(calls) == {4}


def test_bits_are_compared_and_not_values():
    zero = torch.zeros(2)
    assert same(zero, zero.clone())
    assert not same(zero, -zero)
