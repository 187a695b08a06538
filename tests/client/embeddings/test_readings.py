"""What is read of a moment is its own affair: the same bits whatever else is read."""

from dataclasses import replace

import pytest
import torch
from rankings import LIST, ranker

from client.embeddings import readings as module
from client.embeddings.readings import MOMENTS_AT_ONCE, read
from client.engine import Examples
from client.training.isolation_check import NotIsolatedError, check_readings, same_bits
from ranking.encoders import Drawn
from ranking.sizes import Probes

PROBES = Probes(kind="probes", own=10, scenes=8)
KINDS = {
    "transformer": {},
    "unattending": {"list": replace(LIST, attend=False)},
    "probes": {"list": PROBES},
    "wide": {"encoder": Drawn(width=96, depth=1, heads=4)},
}


def moments(count, *, width, seed=0):
    draws = torch.Generator().manual_seed(seed)
    where = torch.arange(12) < torch.randint(1, 13, (count, 1), generator=draws)
    inputs = torch.randn(count, 12, width, generator=draws) * where.unsqueeze(-1)
    return Examples(
        inputs=inputs, gains=where.float(), where=where, numbers=torch.arange(count)
    )


def of_rows(examples, rows):
    return Examples(
        inputs=examples.inputs[rows],
        gains=examples.gains[rows],
        where=examples.where[rows],
        numbers=examples.numbers[rows],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 5, MOMENTS_AT_ONCE, MOMENTS_AT_ONCE + 3])
def test_a_moment_is_read_in_the_same_bits_alone_and_among_others(kind, count):
    model = ranker("taste", seed=1, **KINDS[kind])
    examples = moments(count, width=model.encoder.width)
    together = read(model.list_ranker, examples).inputs
    for row in {0, count // 2, count - 1}:
        alone = read(model.list_ranker, of_rows(examples, [row])).inputs
        assert same_bits(alone[0], together[row])


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_what_is_read_give_the_rankers_own_scores(kind):
    """Also of the weights that begin as zero."""
    model = ranker("taste", seed=2, **KINDS[kind])
    draws = torch.Generator().manual_seed(3)
    for weights in (model.list_ranker.scene_token, model.list_ranker.taste):
        torch.nn.init.normal_(weights.weight, generator=draws)
    examples = moments(7, width=model.encoder.width)
    found = model.list_ranker.score(read(model.list_ranker, examples).inputs)
    meant = model.list_ranker(examples.inputs, where=examples.where)
    where = examples.where
    torch.testing.assert_close(found[where], meant[where], rtol=1e-6, atol=1e-5)


def test_padding_reads_zero_and_no_moments_read_nothing():
    model = ranker("taste")
    examples = moments(4, width=64)
    found = read(model.list_ranker, examples).inputs
    assert not found[~examples.where].any()
    assert read(model.list_ranker, of_rows(examples, [])).inputs.shape == (0, 12, 105)


def test_a_list_model_that_looks_at_other_moments_is_refused(monkeypatch):
    model = ranker("taste")
    plain = model.list_ranker.read

    def leaky(embeddings, *, where):
        return plain(embeddings, where=where) + embeddings.sum() * 1e-3

    check_readings(model.list_ranker, width=64)
    monkeypatch.setattr(model.list_ranker, "read", leaky)
    with pytest.raises(NotIsolatedError, match="what is read of a moment depends on the"):
        check_readings(model.list_ranker, width=64)


def test_every_call_has_the_same_number_of_moments(monkeypatch):
    model = ranker("taste")
    seen = []
    plain = model.list_ranker.read

    def counted(embeddings, *, where):
        seen.append(len(embeddings))
        return plain(embeddings, where=where)

    monkeypatch.setattr(model.list_ranker, "read", counted)
    module.read(model.list_ranker, moments(MOMENTS_AT_ONCE + 1, width=64))
    assert set(seen) == {MOMENTS_AT_ONCE}
