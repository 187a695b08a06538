"""The ClientApp, called as the in-process grid and a SuperNode call it."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from flwr.app import MessageType, RecordDict

from client import app as module
from client import local_device
from client.app import FAILED, train_cohort
from client.embeddings.lru_cache import LruCache
from protocol.codec import decode_device, decode_measured, decode_reply
from protocol.messages import Declined, DeclineReason, Measured, Update


@pytest.mark.parametrize("trained", ["linear", "head", "lora", "all"])
def test_a_device_answers_a_task_with_an_update_and_nothing_else(libraries, node, trained):
    task = node.task(trained=trained)
    message = node.ask(task, node.context(0, node.config(trained=trained)))
    assert set(message.content) == {"scalars", "vectors"}
    update = decode_reply(message.content, size=len(task.parameters))
    assert isinstance(update, Update)
    assert (update.round, update.attempt) == (1, 0)
    assert np.isfinite(update.delta).all()
    assert update.delta.any()


def test_a_device_without_the_frozen_part_says_so(libraries, node):
    task = replace(node.task(), frozen=None)
    declined = node.reply(task, node.context(0, node.config()))
    assert declined == Declined(round=1, attempt=0, reason=DeclineReason.FROZEN_PART_MISSING)
    assert not libraries.asked


def test_a_failure_leaves_the_device_without_its_text(libraries, node, caplog):
    own = node.context(9, node.config(mechanism="none"))
    with caplog.at_level(logging.DEBUG):
        message = node.ask(node.task(private=False), own)
    assert message.has_error()
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert node.secret not in caplog.text
    assert "ValueError" in caplog.text
    assert "device" not in own.state


def test_after_a_failure_the_next_device_trains_as_ever(libraries, node, monkeypatch):
    task = node.task()
    expected = node.reply(task, node.context(0, node.config()))

    def fails(scores, gains, *, where):
        raise ArithmeticError(node.secret)

    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    with monkeypatch.context() as patch:
        patch.setattr("client.training.opacus_engine.LOSSES", {"softmax": fails})
        assert isinstance(node.reply(task, node.context(0, node.config())), Update)
    # the model that was made without a moment knows the loss of the patch
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    found = node.reply(task, node.context(0, node.config()))
    assert np.array_equal(found.delta, expected.delta)


def shape_of(message):
    """All that whoever carries a reply sees of it but its numbers."""
    vector = message.content["vectors"]["delta"]
    return (
        {name: dict(record) for name, record in message.content.config_records.items()},
        (vector.dtype, vector.shape, len(vector.data)),
    )


@pytest.mark.parametrize("cohort", [False, True])
@pytest.mark.parametrize("engine", ["opacus", "bookkeeping", "vmap"])
def test_a_private_answer_has_one_shape_whatever_the_library_is(
    libraries, node, caplog, monkeypatch, engine, cohort
):
    """Six moments, none, and a library that cannot be read, whose error must not leave."""
    monkeypatch.setattr(local_device, "prove_isolation", lambda *_, **__: None)
    text = node.config().replace('"opacus"', f'"{engine}"')
    task, owns = node.task(), [node.context(device, text) for device in (0, 8, 9)]
    with caplog.at_level(logging.DEBUG):
        answers = (
            train_cohort(node.asked(task, owns))
            if cohort
            else [node.ask(task, own) for own in owns]
        )
    assert shape_of(answers[0]) == shape_of(answers[1]) == shape_of(answers[2])
    assert all(node.found(answer, task).delta.all() for answer in answers)
    assert [own.state["device"]["participations"] for own in owns] == [1, 1, 1]
    assert node.secret not in caplog.text
    assert "train together failed" not in caplog.text


@pytest.mark.parametrize("private", [True, False])
def test_a_private_visit_lasts_as_long_as_the_configuration_says(
    libraries, node, monkeypatch, private
):
    slept = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    kept = {} if private else {"mechanism": "none"}
    text = node.config(**kept).replace('"seconds": null', '"seconds": 1000.0')
    for device in (0, 8, 9):
        node.ask(node.task(private=private), node.context(device, text))
    assert all(950 < seconds < 1000 for seconds in slept if private)
    assert len([seconds for seconds in slept if seconds]) == (3 if private else 0)


def test_a_visit_that_outlasts_its_time_says_so_in_the_devices_own_log(libraries, node, caplog):
    text = node.config().replace('"seconds": null', '"seconds": 1e-9')
    node.ask(node.task(), node.context(0, text))
    assert "lasted longer than training.seconds" in caplog.text


def test_a_message_that_holds_no_task_is_an_error(libraries, node):
    assert (
        node.ask(RecordDict(), node.context(0, node.config())).error.reason == "device failed"
    )


def test_a_private_task_in_a_run_without_privacy_is_an_error(libraries, node):
    assert node.ask(node.task(), node.context(0, node.config(mechanism="none"))).has_error()
    assert not libraries.asked


def test_a_private_run_has_no_figures(libraries, node):
    message = node.ask(node.task(), node.context(0, node.config()), MessageType.EVALUATE)
    assert decode_measured(message.content) == Declined(
        round=1, attempt=0, reason=DeclineReason.PRIVATE_RUN
    )
    assert not libraries.asked


def test_without_privacy_a_device_answers_with_its_figures(libraries, node):
    own = node.context(0, node.config(mechanism="none"))
    task = node.task(private=False)
    measured = decode_measured(node.ask(task, own, MessageType.EVALUATE).content)
    assert isinstance(measured, Measured)
    assert set(measured.figures) == {"lists", "loss", "ndcg@1", "best-shot"}
    assert 1 <= measured.figures["lists"] <= 5


def test_figures_need_the_frozen_part(libraries, node):
    own = node.context(0, node.config(mechanism="none"))
    task = replace(node.task(private=False), frozen=None)
    declined = decode_measured(node.ask(task, own, MessageType.EVALUATE).content)
    assert declined.reason == DeclineReason.FROZEN_PART_MISSING


def test_a_query_answers_which_device_it_is(libraries, node):
    message = node.ask(RecordDict(), node.context(7, node.config()), MessageType.QUERY)
    assert decode_device(message.content) == 7


def test_importing_is_light_and_opacus_leaves_the_log_as_it_was():
    words = """
import logging, sys
import client.app
print({"torch", "opacus", "PIL"} & set(sys.modules))
before = logging.root.handlers.copy()
import client.training.opacus_engine
print(logging.root.handlers == before)
"""
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True)
    assert done.stdout == "set()\nTrue\n"
    assert done.stderr == ""
