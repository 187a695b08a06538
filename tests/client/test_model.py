"""The ranker of a run as a device holds it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rankings import ENCODER, LIST, ranking

from client import model as module
from client.embeddings.examples import examples
from client.engine import Visit
from client.model import DeviceModel, digest, prove_isolation
from client.settings import EngineChoice
from client.training.isolation_check import NotIsolatedError
from privacy.noise import SeededSource
from ranking.model.build import frozen_names, trainable_names
from ranking.model.readers import TransformerReader
from ranking.parameters import flatten
from server.model import ServerModel

PARTS = ["taste", "taste_scenes", "linear", "head", "lora", "all"]
ENGINES = ["bookkeeping", "vmap", "opacus", "alone"]


def ranking_of(trained):
    return ranking(trained)


def sent(trained):
    """What a server sends of such a run."""
    return ServerModel.initial(ranking_of(trained), seed=3)


def assembled(trained, *, engine="bookkeeping", frozen=None):
    frozen = sent(trained).frozen if frozen is None else frozen
    return DeviceModel.assemble(
        frozen, ranking=ranking_of(trained), engine=EngineChoice(name=engine)
    )


@pytest.mark.parametrize("trained", PARTS)
def test_a_device_and_its_server_hold_the_same_ranker(trained):
    server, device = sent(trained), assembled(trained)
    device.take(server.trainable)
    there, here = server.ranker.state_dict(), device.ranker.state_dict()
    assert all(torch.equal(here[name], value) for name, value in there.items())


@pytest.mark.parametrize("trained", PARTS)
def test_parameters_leave_the_frozen_part_alone(trained):
    server, device = sent(trained), assembled(trained)
    device.take(server.trainable + np.float32(1))
    ranker = device.ranker
    assert np.array_equal(flatten(ranker, frozen_names(ranker, trained)), server.frozen)
    found = flatten(ranker, trainable_names(ranker, trained))
    assert np.array_equal(found, server.trainable + np.float32(1))


def test_a_frozen_part_of_another_length_is_refused_and_has_a_digest_all_the_same():
    server = sent("head")
    assert digest(server.frozen, ranking=ranking_of("head")) == server.digest
    assert digest(server.frozen[1:], ranking=ranking_of("head")) != server.digest
    with pytest.raises(ValueError, match=f"vector of {server.frozen.size} numbers"):
        assembled("head", frozen=server.frozen[1:])


def test_an_encoder_is_known_by_its_own_numbers_alone():
    """Of the frozen part of ``linear`` the last numbers are the head's."""
    frozen = sent("linear").frozen
    one, other = frozen.copy(), frozen.copy()
    names = frozen_names(sent("linear").ranker, "linear")
    assert names[0].startswith("encoder.")
    assert not names[-1].startswith("encoder.")
    one[0] += 1
    other[-1] += 1
    same = assembled("linear").encoder
    assert assembled("linear", frozen=one).encoder != same
    assert assembled("linear", frozen=other).encoder == same


@pytest.mark.parametrize(
    ("trained", "changed"),
    [
        ("taste", ["encoder.", "list_ranker.reader."]),
        ("taste_scenes", ["encoder.", "list_ranker.reader."]),
        ("linear", ["encoder.", "list_ranker.reader."]),
        ("head", ["encoder."]),
        ("lora", ["encoder."]),
        ("all", []),
    ],
)
def test_what_is_kept_depends_on_the_frozen_parts_that_make_it_and_on_no_other(
    trained, changed
):
    frozen, names = sent(trained).frozen, frozen_names(sent(trained).ranker, trained)
    sizes = dict(sent(trained).ranker.named_parameters())
    before, found = assembled(trained).made_by, []
    for part in ("encoder.", "list_ranker.reader.", "list_ranker.token.", "list_ranker.taste."):
        moves = [float(name.startswith(part)) for name in names]
        steps = np.repeat(np.float32(moves), [sizes[name].numel() for name in names])
        if assembled(trained, frozen=frozen + steps).made_by != before:
            found.append(part)
    assert found == changed


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        ({"context": False}, "reader"),
        ({"list": replace(LIST, heads=1)}, "reader"),
        ({"list": replace(LIST, attend=False)}, "reader"),
        ({"encoder": replace(ENCODER, heads=1)}, "encoder"),
    ],
)
def test_the_same_weights_with_other_settings_make_something_else_of_photos(changes, other):
    """What was kept of one was else taken for the other's, in memory and on disk."""
    asked = [ranking("taste"), ranking("taste", **changes)]
    first, second = (ServerModel.initial(one, seed=3).frozen for one in asked)
    assert np.array_equal(first, second)
    engine = EngineChoice(name="bookkeeping")
    one, two = (DeviceModel.assemble(first, ranking=own, engine=engine) for own in asked)
    assert one.made_by != two.made_by
    assert (one.encoder != two.encoder) == (other == "encoder")
    assert (one.reader != two.reader) == (other == "reader")


@pytest.mark.parametrize("trained", PARTS)
def test_an_encoder_that_is_trained_is_none_that_embeds_once(trained):
    found = assembled(trained)
    assert found.frozen_encoder is (None if trained == "all" else found.ranker.encoder)


def test_every_engine_gives_the_same_update(lab):
    start, found = sent("head").trainable, []
    moments = lab.library(1, [3, 5, 2]).moments
    terms = lab.terms(steps=2, clip=0.3, noise_multiplier=0.2)
    for name in ENGINES:
        device = assembled("head", engine=name)
        own = examples(moments, encoder=device.frozen_encoder)
        visit = Visit(examples=own, source=SeededSource(5))
        (trained,) = device.engine.train(start, [visit], terms=terms)
        found.append(trained.delta)
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-6)


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_proves_itself_on_this_machine(name):
    prove_isolation(
        ranking("linear", loss="ranknet"), EngineChoice(name=name), on="cpu", side=16
    )


@pytest.mark.parametrize(
    ("trained", "once"),
    [("taste", [(105,), 24, 64]), ("head", [(64,), 24]), ("all", [(3, 24, 24)])],
)
def test_engine_encoder_and_list_model_are_tried_once_in_a_process(monkeypatch, trained, once):
    tried = []
    monkeypatch.setattr(
        module, "check_isolation", lambda _, **given: tried.append(given["photo"])
    )
    monkeypatch.setattr(module, "check_embeddings", lambda _, *, side: tried.append(side))
    monkeypatch.setattr(module, "check_readings", lambda _, *, width: tried.append(width))
    # a loss that no other test tries: what was tried is remembered
    for _ in range(2):
        prove_isolation(
            ranking(trained, loss="mse"), EngineChoice(name="vmap"), on="cpu", side=24
        )
    assert tried == once
    prove_isolation.cache_clear()


@pytest.mark.parametrize("part", ["features", "scenes"])
def test_a_list_model_that_mixes_moments_is_refused_also_where_its_weights_begin_as_zero(
    monkeypatch, part
):
    """Public weights ask for no scene, and a server may send others, which do."""
    sound = TransformerReader.forward

    def mixing(self, embeddings, *, where):
        features, scenes = sound(self, embeddings, where=where)
        more = 1e-4 * where.shape[-2]
        return (
            (features + more, scenes) if part == "features" else (features, scenes * (1 + more))
        )

    monkeypatch.setattr(TransformerReader, "forward", mixing)
    engine = EngineChoice(name="bookkeeping")
    with pytest.raises(NotIsolatedError):
        prove_isolation(ranking("head", loss="bce"), engine, on="cpu", side=16)


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
@pytest.mark.parametrize("engine", ["bookkeeping", "vmap", "opacus"])
def test_adapters_of_any_rank_keep_the_bits_of_a_moment(engine, rank):
    """A product of one to three columns rounds a row otherwise among other rows."""
    prove_isolation(ranking("lora", rank=rank), EngineChoice(name=engine), on="cpu", side=16)
