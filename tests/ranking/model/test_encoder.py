"""Photos of any side, each embedded apart from the rest of its batch."""

import pytest
import torch

from ranking.model.build import build_ranker
from ranking.model.encoder import EMBEDDING, SMALLEST_SIDE


def built():
    return build_ranker("head", generator=torch.Generator().manual_seed(0)).encoder


def moved():
    """An encoder whose every parameter matters: random biases and norms too."""
    encoder, generator = built(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return encoder.double()


def photos(count, side=32):
    generator = torch.Generator().manual_seed(side)
    return torch.rand(count, 3, side, side, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("side", [16, 17, 32, 48, 64, 129])
def test_any_side_from_16_up_gives_64_features(side):
    encoder = built()
    assert encoder(torch.rand(2, 3, 3, side, side)).shape == (2, 3, 64)
    assert encoder(torch.rand(3, side, side)).shape == (64,)


def test_a_side_below_16_is_refused_in_one_sentence():
    encoder = built()
    with pytest.raises(ValueError, match=r"set photos\.side to at least 16"):
        encoder(torch.rand(1, 3, 15, 15))


def test_the_embedding_tells_a_dark_photo_from_a_bright_one_and_left_from_right():
    encoder = moved()
    photo = torch.rand(3, 32, 32, dtype=torch.float64)
    for other in (photo * 0.5, photo.flip(-1), photo.flip(-2)):
        assert (encoder(photo) - encoder(other)).norm() > 0.05 * encoder(photo).norm()


def test_an_encoder_is_as_large_as_the_documentation_says():
    assert round(sum(p.numel() for p in built().parameters()), -3) == 91_000
    assert (EMBEDDING, SMALLEST_SIDE) == (64, 16)


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
    found = [encoder(torch.full((3, 32, 32), grey).double()) for grey in (0.0, 0.5, 1.0)]
    assert all(one.isfinite().all() for one in found)
    assert (found[0] - found[2]).norm() > 0.05 * found[0].norm()
