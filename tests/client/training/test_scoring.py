from dataclasses import replace

import pytest
import torch
from rankings import ranker as made

from client.training.scoring import Scorer, scores


@pytest.fixture
def ranker():
    """One whose every weight of a reading counts, also those that begin as zero."""
    ranker = made("all", seed=1)
    draws = torch.Generator().manual_seed(2)
    for weights in (ranker.list_ranker.taste, ranker.list_ranker.scene_token):
        torch.nn.init.normal_(weights.weight, std=0.1, generator=draws)
    return ranker


@pytest.fixture
def pixels(lab):
    """Moments of two and of four photos; what stands in padding is not finite."""
    made = lab.moments("all", [2, 4])
    made.inputs[~made.where] = float("nan")
    return made


@pytest.fixture
def kept(ranker, pixels):
    """The same moments, as each kind of device keeps them; nothing stands in padding."""
    with torch.no_grad():
        embedded = torch.zeros(2, 4, 64)
        embedded[pixels.where] = ranker.encoder(pixels.inputs[pixels.where])
        read = ranker.list_ranker.read(embedded, where=pixels.where)
    inputs = pixels.inputs.masked_fill(~pixels.where[..., None, None, None], 0)
    by_kind = {"pixels": inputs, "embeddings": embedded, "readings": read}
    return {kind: replace(pixels, inputs=values) for kind, values in by_kind.items()}


@torch.no_grad()
@pytest.mark.parametrize("kind", ["embeddings", "readings"])
def test_pixels_score_as_what_is_made_of_them_does(ranker, pixels, kept, kind):
    found = scores(ranker, kept[kind], kept=kind)
    expected = scores(ranker, pixels, kept="pixels")
    assert found.shape == (2, 4)
    torch.testing.assert_close(found[pixels.where], expected[pixels.where])


@torch.no_grad()
def test_no_padding_is_encoded(ranker, pixels):
    seen = []
    ranker.encoder.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    assert scores(ranker, pixels, kept="pixels")[pixels.where].isfinite().all()
    assert seen == [6]


@torch.no_grad()
def test_readings_are_scored_without_the_list_model(ranker, kept):
    def refuse(*_):
        raise AssertionError

    ranker.list_ranker.reader.register_forward_pre_hook(refuse)
    readings = kept["readings"]
    scores(ranker, readings, kept="readings")
    Scorer(ranker, kept="readings")(readings.inputs, readings.where)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["pixels", "embeddings", "readings"])
def test_a_scorer_takes_devices_before_moments_and_scores_their_photos_alike(
    ranker, kept, kind
):
    own = kept[kind]
    expected = scores(ranker, own, kept=kind)
    scorer = Scorer(ranker, kept=kind)
    for front in ((2,), (2, 1), (1, 2)):
        inputs, where = (
            values.view(*front, *values.shape[1:]) for values in (own.inputs, own.where)
        )
        found = scorer(inputs, where)
        assert found.shape == where.shape
        torch.testing.assert_close(
            found.view(2, 4)[own.where], expected[own.where], atol=1e-5, rtol=1e-4
        )
