"""Photos of any side, each embedded apart from the rest of its batch."""

import pytest
import torch
from rankings import ENCODER, ranker
from torch import Tensor

from ranking.encoders import Drawn
from ranking.model.encoder import PhotoEncoder
from ranking.model.encoders.drawn import SMALLEST_SIDE, DrawnEncoder, _differences


def built(sizes: Drawn = ENCODER) -> PhotoEncoder:
    return ranker("head", encoder=sizes).encoder


def moved() -> PhotoEncoder:
    """An encoder whose every parameter matters: random biases and norms too."""
    encoder, generator = built(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return encoder.double()


def photos(count: int, side: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(side)
    return torch.rand(count, 3, side, side, generator=generator, dtype=torch.float64)


def grey(*rows: list[float]) -> Tensor:
    """[1, 3, h, w]: a photo whose three colours are the same."""
    return torch.tensor(rows).expand(1, 3, -1, -1)


@pytest.mark.parametrize("side", [16, 17, 32, 48, 64, 129])
def test_any_side_from_16_up_gives_64_numbers(side):
    encoder = built()
    assert SMALLEST_SIDE == 16
    assert encoder(torch.rand(2, 3, 3, side, side)).shape == (2, 3, 64)
    assert encoder(torch.rand(3, side, side)).shape == (64,)


@pytest.mark.parametrize(
    ("width", "depth", "heads"), [(32, 0, 1), (32, 1, 2), (96, 1, 3), (128, 3, 8)]
)
def test_an_encoder_is_as_wide_and_as_deep_as_its_sizes(width, depth, heads):
    sizes = Drawn(width=width, depth=depth, heads=heads)
    encoder = built(sizes)
    assert encoder.settings == sizes
    assert len(encoder.blocks) == depth
    assert {block.attention.heads for block in encoder.blocks} <= {heads}
    assert encoder(torch.rand(2, 3, 24, 24)).shape == (2, width)


def test_a_side_below_16_is_refused_in_one_sentence():
    encoder = built()
    with pytest.raises(ValueError, match=r"set photos\.side to at least 16"):
        encoder(torch.rand(1, 3, 15, 15))


def test_the_embedding_tells_a_dark_photo_from_a_bright_one_and_left_from_right():
    encoder, photo = moved(), photos(1)[0]
    for other in (photo * 0.5, photo.flip(-1), photo.flip(-2)):
        assert (encoder(photo) - encoder(other)).norm() > 0.05 * encoder(photo).norm()


def test_the_rest_of_a_batch_changes_no_embedding():
    encoder, some = moved(), photos(4)
    together = encoder(some)
    for number in range(4):
        torch.testing.assert_close(encoder(some[number]), together[number])
    other = some.clone()
    other[1:] = 0
    torch.testing.assert_close(encoder(other)[0], together[0])


def test_a_batch_of_moments_is_one_of_photos():
    encoder, some = moved(), photos(6)
    nested = encoder(some.reshape(2, 3, 3, 32, 32))
    torch.testing.assert_close(nested.reshape(6, 64), encoder(some))


def test_a_photo_that_is_all_of_one_colour_has_an_embedding_of_its_own():
    """GroupNorm alone would take the colour out: the places of pixels are its yardstick."""
    encoder = moved()
    found = [encoder(torch.full((3, 32, 32), shade).double()) for shade in (0.0, 0.5, 1.0)]
    assert all(one.isfinite().all() for one in found)
    assert (found[0] - found[2]).norm() > 0.05 * found[0].norm()


@pytest.mark.parametrize("shade", [-1.0, 0.25, 1.0])
def test_the_differences_of_a_flat_photo_are_zero(shade):
    assert not _differences(torch.full((2, 3, 5, 7), shade)).any()


def test_differences_are_of_neighbours_to_the_right_and_below_four_times_as_steep():
    """Worked by hand; the last column has nobody to its right, the last row nobody below."""
    right, down, slope = _differences(grey([0.0, 0.25], [0.5, 0.0]))[0].tolist()
    assert right == [[1.0, 0.0], [2.0, 0.0]]
    assert down == [[2.0, 1.0], [0.0, 0.0]]
    assert slope == [[2.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(("falls", "sign"), [(1, 1), (-1, -1)])
def test_the_third_difference_tells_which_way_a_horizon_falls(falls, sign):
    """The ramp gets darker to the right as it does downwards, or the other way round."""
    across = torch.arange(6.0) / 20
    ramp = falls * across[None, :] + across[:, None]
    right, down, slope = _differences(ramp.expand(1, 3, -1, -1))[0, :, :-1, :-1]
    torch.testing.assert_close(right, torch.full((5, 5), 0.2))
    torch.testing.assert_close(down, torch.full((5, 5), 0.2))
    torch.testing.assert_close(slope, torch.full((5, 5), sign * 0.04))


def test_a_brighter_photo_has_the_same_differences():
    some = photos(3) / 2
    torch.testing.assert_close(_differences(some + 0.5), _differences(some))


def test_an_embedding_has_a_gradient_even_where_all_places_are_alike():
    """The root of a variance of zero would have an infinite slope."""
    encoder = DrawnEncoder(Drawn(width=32, depth=0, heads=1))
    tokens = torch.ones(1, 4, 32, requires_grad=True)
    encoder._pooled(tokens).sum().backward()
    assert tokens.grad.isfinite().all()
