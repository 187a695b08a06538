"""The ClientApp, called as the in-process grid and a SuperNode call it."""

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from flwr.app import Context, Message, MessageType, RecordDict

from client import equipment
from client.app import FAILED, app, train_cohort
from client.recent import Recent
from client.sections import read_sections
from photos.settings import Photos
from privacy.settings import Device, Example, Privacy
from protocol.codec import (
    decode_device,
    decode_measured,
    decode_reply,
    encode_task,
)
from protocol.messages import Declined, DeclineReason, Measured, Task, Update
from protocol.rebuild import to_plain
from ranking.build import build_ranker, frozen_names, trainable_names
from ranking.parameters import flatten, frozen_digest
from ranking.settings import Ranking
from simulations.flower_internals import over_the_wire

SECRET = "the beach at dusk"


class Libraries:
    """A photo source that notes what is asked of it, and fails for device 9."""

    def __init__(self, lab):
        self.lab = lab
        self.asked = []

    def library(self, device):
        self.asked.append(device)
        if device == 9:
            raise ValueError(SECRET)
        return self.lab.library(device, [] if device == 8 else [4, 3, 5, 2, 6, 3])


@pytest.fixture
def libraries(lab, monkeypatch, identity):
    made = Libraries(lab)
    monkeypatch.setattr(equipment, "_source", lambda photos, seed: made)
    monkeypatch.setattr(equipment, "_models", Recent(weigh=lambda _: 1))
    monkeypatch.setattr(equipment, "_embedded", Recent(weigh=equipment._bytes))
    return made


def config(lab, *, trained="head", mechanism="dpsgd", noise="insecure_seeded", seed=3):
    private = mechanism == "dpsgd"
    sections = {
        "seed": seed,
        "photos": Photos(
            source="synthetic",
            root=None,
            devices=10,
            held_out_devices=0,
            held_out_share=0.4,
            side=lab.side,
            taste=0,
            taste_cosine=1.0,
            taste_flips=0,
            context_preference=0.0,
        ),
        "ranking": Ranking(trained=trained, loss="softmax", weights=None),
        "privacy": Privacy(
            noise=noise,
            example=Example(
                mechanism=mechanism,
                epsilon=None,
                noise_multiplier=1.0 if private else None,
                delta=1e-5 if private else None,
                clip=1.0 if private else None,
                max_participations=2 if private else None,
            ),
            device=Device.none(),
        ),
        "simulation": {
            "engine": {"name": "opacus"},
            "accelerator": "cpu",
            "memory": 512,
            "cache": None,
        },
        "server": {"unknown to a device": True},
    }
    return json.dumps({name: to_plain(value) for name, value in sections.items()})


def context(device, text):
    return Context(
        run_id=1,
        node_id=1000 + device,
        node_config={"partition-id": device, "num-partitions": 10},
        state=RecordDict(),
        run_config={"config": text},
    )


def first_task(lab, *, trained="head", private=True):
    ranker = build_ranker(trained, generator=torch.Generator().manual_seed(1))
    others = frozen_names(ranker, trained)
    frozen = flatten(ranker, others)
    terms = lab.work(noise_multiplier=1.0, max_participations=2)
    return Task(
        round=1,
        attempt=0,
        parameters=flatten(ranker, trainable_names(ranker, trained)),
        digest=frozen_digest(ranker, others, frozen),
        frozen=frozen,
        work=terms if private else replace(lab.plain, lr=0.5),
    )


def ask(task, own, kind=MessageType.TRAIN):
    content = task if isinstance(task, RecordDict) else encode_task(task)
    message = over_the_wire(Message(content, own.node_id, kind))
    message.metadata.__dict__["_message_id"] = "message-1"
    return over_the_wire(app(message, own))


def reply(task, own):
    return decode_reply(ask(task, own).content, size=len(task.parameters))


@pytest.mark.parametrize("trained", ["linear", "head", "lora", "all"])
def test_a_device_answers_a_task_with_an_update_and_nothing_else(lab, libraries, trained):
    task = first_task(lab, trained=trained)
    message = ask(task, context(0, config(lab, trained=trained)))
    assert set(message.content) == {"scalars", "vectors"}
    update = decode_reply(message.content, size=len(task.parameters))
    assert isinstance(update, Update)
    assert (update.round, update.attempt) == (1, 0)
    assert np.isfinite(update.delta).all()
    assert update.delta.any()


def test_the_frozen_part_is_kept_and_visits_are_counted_until_they_are_spent(lab, libraries):
    own = context(0, config(lab))
    task = first_task(lab)
    assert isinstance(reply(task, own), Update)
    assert isinstance(reply(replace(task, round=2, frozen=None), own), Update)
    assert reply(replace(task, round=3, frozen=None), own) == Declined(
        round=3, attempt=0, reason=DeclineReason.PARTICIPATIONS_SPENT
    )
    assert own.state["device"]["participations"] == 2


def test_a_device_holds_the_very_array_that_it_received(lab, libraries):
    own = context(0, config(lab))
    content = encode_task(first_task(lab))
    sent = content["vectors"]["frozen"]
    message = Message(content, own.node_id, MessageType.TRAIN)
    message.metadata.__dict__["_message_id"] = "message-1"
    app(message, own)
    assert own.state["frozen"]["frozen"].data is sent.data


def test_a_device_that_starts_anew_uses_the_frozen_part_it_kept(lab, libraries, monkeypatch):
    task = first_task(lab)
    own, same = context(0, config(lab)), context(0, config(lab))
    reply(task, own)
    monkeypatch.setattr(equipment, "_models", Recent(weigh=lambda _: 1))
    again = reply(replace(task, round=2, frozen=None), own)
    reply(task, same)
    assert np.array_equal(again.delta, reply(replace(task, round=2, frozen=None), same).delta)


def test_a_device_without_the_frozen_part_says_so(lab, libraries):
    task = replace(first_task(lab), frozen=None)
    declined = reply(task, context(0, config(lab)))
    assert declined == Declined(round=1, attempt=0, reason=DeclineReason.FROZEN_PART_MISSING)
    assert not libraries.asked


def test_a_forged_frozen_part_is_refused_and_not_kept(lab, libraries):
    task, own = first_task(lab), context(0, config(lab))
    declined = reply(replace(task, frozen=task.frozen + 1), own)
    assert declined.reason == DeclineReason.FROZEN_PART_DIFFERS
    assert "frozen" not in own.state


def test_a_library_without_moments_takes_part_like_any_other(lab, libraries):
    update = reply(first_task(lab), context(8, config(lab)))
    assert isinstance(update, Update)
    assert update.delta.any()


def test_a_failure_leaves_the_device_without_its_text(lab, libraries, caplog):
    own = context(9, config(lab))
    with caplog.at_level(logging.DEBUG):
        message = ask(first_task(lab), own)
    assert message.has_error()
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert SECRET not in caplog.text
    assert "ValueError" in caplog.text
    assert "device" not in own.state


def test_after_a_failure_the_next_device_trains_as_ever(lab, libraries, monkeypatch):
    task = first_task(lab)
    expected = reply(task, context(0, config(lab)))

    def fails(scores, gains, *, where):
        raise ArithmeticError(SECRET)

    monkeypatch.setattr(equipment, "_models", Recent(weigh=lambda _: 1))
    with monkeypatch.context() as patch:
        patch.setattr("client.opacus_engine.LOSSES", {"softmax": fails})
        assert ask(task, context(0, config(lab))).has_error()
    found = reply(task, context(0, config(lab)))
    assert np.array_equal(found.delta, expected.delta)


def test_a_message_that_holds_no_task_is_an_error(lab, libraries):
    assert ask(RecordDict(), context(0, config(lab))).error.reason == "device failed"


def test_terms_without_privacy_are_refused_in_a_private_run(lab, libraries):
    for task, text in (
        (first_task(lab, private=False), config(lab)),
        (first_task(lab), config(lab, mechanism="none")),
    ):
        assert ask(task, context(0, text)).has_error()
    assert not libraries.asked


def test_a_library_is_embedded_once(lab, libraries):
    own, other = context(0, config(lab)), context(1, config(lab))
    task = first_task(lab)
    for number in (1, 2):
        reply(replace(task, round=number), own)
    reply(task, other)
    assert libraries.asked == [0, 1]


def test_seeded_devices_repeat_and_rounds_attempts_and_devices_differ(lab, libraries):
    task = first_task(lab)
    nothing = config(lab)
    asked = [
        (8, task),
        (8, task),
        (8, replace(task, round=2)),
        (8, replace(task, attempt=1)),
    ]
    found = [reply(one, context(device, nothing)).delta for device, one in asked]
    found.append(reply(task, context(8, config(lab, seed=4))).delta)
    assert np.array_equal(found[0], found[1])
    for other in found[2:]:
        assert not np.allclose(found[0], other)


def test_secure_devices_never_repeat(lab, libraries):
    task = first_task(lab)
    one, other = (reply(task, context(0, config(lab, noise="secure"))) for _ in range(2))
    assert not np.allclose(one.delta, other.delta)


def test_a_run_without_privacy_repeats_however_secure_its_noise_would_be(lab, libraries):
    task = first_task(lab, private=False)
    text = config(lab, mechanism="none", noise="secure")
    one, other = (reply(task, context(0, text)) for _ in range(2))
    assert np.array_equal(one.delta, other.delta)


def test_a_private_run_has_no_figures(lab, libraries):
    message = ask(first_task(lab), context(0, config(lab)), MessageType.EVALUATE)
    assert decode_measured(message.content) == Declined(
        round=1, attempt=0, reason=DeclineReason.PRIVATE_RUN
    )
    assert not libraries.asked


def test_without_privacy_a_device_answers_with_its_figures(lab, libraries):
    own = context(0, config(lab, mechanism="none"))
    task = first_task(lab, private=False)
    measured = decode_measured(ask(task, own, MessageType.EVALUATE).content)
    assert isinstance(measured, Measured)
    assert set(measured.figures) == {"lists", "loss", "ndcg@1", "best-shot"}
    assert 1 <= measured.figures["lists"] <= 5


def test_figures_need_the_frozen_part(lab, libraries):
    own = context(0, config(lab, mechanism="none"))
    task = replace(first_task(lab, private=False), frozen=None)
    declined = decode_measured(ask(task, own, MessageType.EVALUATE).content)
    assert declined.reason == DeclineReason.FROZEN_PART_MISSING


def test_a_query_answers_which_device_it_is(lab, libraries):
    message = ask(RecordDict(), context(7, config(lab)), MessageType.QUERY)
    assert decode_device(message.content) == 7


def test_a_device_reads_only_its_own_sections(lab):
    sections = read_sections(config(lab, mechanism="none"))
    assert sections.ranking.trained == "head"
    assert not sections.private


def test_importing_is_light_and_opacus_leaves_the_log_as_it_was():
    words = """
import logging, sys
import client.app
print({"torch", "opacus", "PIL"} & set(sys.modules))
before = logging.root.handlers.copy()
import client.opacus_engine
print(logging.root.handlers == before)
"""
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True)
    assert done.stdout == "set()\nTrue\n"
    assert done.stderr == ""


def asked(task, owns):
    """A message of ``task`` for each context, as the grid hands them over."""
    messages = [Message(encode_task(task), own.node_id, MessageType.TRAIN) for own in owns]
    for message in messages:
        message.metadata.__dict__["_message_id"] = "message-1"
    return list(zip(messages, owns, strict=True))


def booked(lab, **settings):
    return config(lab, **settings).replace('"opacus"', '"bookkeeping"')


def together(lab, devices, task, **given):
    owns = [context(device, booked(lab)) for device in devices]
    return [
        None if one.has_error() else decode_reply(one.content, size=len(task.parameters))
        for one in train_cohort(asked(task, owns), **given)
    ]


@pytest.mark.parametrize("devices", [[0, 1, 2, 8], [0, 9, 1]])
def test_devices_that_train_together_answer_as_each_would_alone(lab, libraries, devices):
    task = first_task(lab)
    alone = [together(lab, [device], task)[0] for device in devices]
    found = together(lab, devices, task)
    assert [one is None for one in found] == [device == 9 for device in devices]
    for one, other in zip(found, alone, strict=True):
        if one is not None:
            assert one.delta == pytest.approx(
                other.delta, abs=1e-5 * float(np.abs(other.delta).max())
            )


def test_devices_stand_in_elsewhere_and_one_after_another_when_that_fails(lab, libraries):
    task = first_task(lab)
    expected = together(lab, [0, 1], task)
    seen = []

    def elsewhere(devices, given, frozen):
        seen.append(([own.device for own in devices], len(frozen())))
        return equipment.train_together(devices, given, frozen)

    def nowhere(devices, given, frozen):
        raise RuntimeError(SECRET)

    for stand_in in (elsewhere, nowhere):
        found = together(lab, [0, 1], task, together=stand_in)
        for one, other in zip(found, expected, strict=True):
            assert one.delta == pytest.approx(other.delta, abs=1e-6)
    assert seen == [([0, 1], len(task.frozen))]


def test_cohorts_that_fail_in_several_threads_at_once_disturb_no_device(lab, libraries):
    task = first_task(lab)
    expected = together(lab, range(6), task)

    def nowhere(devices, given, frozen):
        raise RuntimeError(SECRET)

    with ThreadPoolExecutor(3) as threads:
        parts = threads.map(
            lambda part: together(lab, part, task, together=nowhere), [[0, 1], [2, 3], [4, 5]]
        )
        found = [one for part in parts for one in part]
    for one, other in zip(found, expected, strict=True):
        assert one.delta == pytest.approx(other.delta, abs=1e-6)


def test_a_device_with_several_messages_in_one_part_answers_them_in_turn(lab, libraries):
    task, own = first_task(lab), context(0, booked(lab))
    replies = train_cohort(asked(task, [own] * 3))
    found = [decode_reply(one.content, size=len(task.parameters)) for one in replies]
    assert [type(one) for one in found] == [Update, Update, Declined]
    assert own.state["device"]["participations"] == 2


def test_a_device_without_moments_trains_with_others_where_pixels_are_the_inputs(
    lab, libraries, caplog
):
    task = first_task(lab, trained="all")
    owns = [context(device, booked(lab, trained="all")) for device in (0, 8)]
    replies = train_cohort(asked(task, owns))
    assert not any(one.has_error() for one in replies)
    assert "failed" not in caplog.text
