import pytest
import torch

from client.engine import Examples
from client.training.scoring import Scorer, scores
from ranking.model.build import build_ranker


@pytest.fixture
def ranker():
    return build_ranker("all", generator=torch.Generator().manual_seed(1))


@pytest.fixture
def pixels(lab):
    """Moments of two and of four photos; what stands in padding is not finite."""
    made = lab.moments("all", [2, 4])
    made.inputs[~made.where] = float("nan")
    return made


@torch.no_grad()
def test_pixels_score_as_their_embeddings_do(ranker, pixels):
    embedded = torch.zeros(2, 4, 64)
    embedded[pixels.where] = ranker.encoder(pixels.inputs[pixels.where])
    of_features = Examples(
        inputs=embedded, gains=pixels.gains, where=pixels.where, numbers=pixels.numbers
    )
    found, expected = scores(ranker, pixels), scores(ranker, of_features)
    assert found.shape == (2, 4)
    torch.testing.assert_close(found[pixels.where], expected[pixels.where])


@torch.no_grad()
def test_no_padding_is_encoded(ranker, pixels):
    seen = []
    ranker.encoder.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    assert scores(ranker, pixels)[pixels.where].isfinite().all()
    assert seen == [6]


@torch.no_grad()
def test_a_scorer_takes_devices_before_moments_and_scores_their_photos_alike(ranker, pixels):
    pixels.inputs[~pixels.where] = 0
    expected = scores(ranker, pixels)
    scorer = Scorer(ranker)
    for front in ((2,), (2, 1), (1, 2)):
        inputs, where = (
            values.view(*front, *values.shape[1:]) for values in (pixels.inputs, pixels.where)
        )
        found = scorer(inputs, where)
        assert found.shape == where.shape
        torch.testing.assert_close(
            found.view(2, 4)[pixels.where], expected[pixels.where], atol=1e-5, rtol=1e-4
        )
