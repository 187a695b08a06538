"""The ClientApp, called as the in-process grid and a SuperNode call it."""

import hashlib
import logging
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from flwr.app import ConfigRecord, Context, Message, MessageType, RecordDict

from client import app as module
from client import local_device
from client.app import FAILED, app, train_cohort
from client.consent.device_ledger import DeviceLedger
from client.embeddings.lru_cache import LruCache
from client.sections import read_sections
from privacy.ledger.chain import examine
from privacy.mechanisms.base.unprotected import NoExample
from privacy.mechanisms.moments.settings import DpSgdSettings
from protocol.codec import (
    decode_device,
    decode_measured,
    decode_reply,
    encode_task,
)
from protocol.messages import Declined, DeclineReason, Measured, Task, Update
from protocol.settings import Training
from ranking.initial import initial_ranker
from ranking.model.build import frozen_names, trainable_names
from ranking.parameters import flatten, frozen_digest
from ranking.settings import Ranking
from simulations.federation.flower_internals import over_the_wire

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
    monkeypatch.setattr(local_device, "_source", lambda photos, seed: made)
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    monkeypatch.setattr(local_device, "_embedded", LruCache(weigh=local_device._bytes))
    return made


TRAINING = Training(steps=1, rate=1.0, reference_size=2, largest_library=100, lr=0.5)
DPSGD = DpSgdSettings(
    epsilon=None,
    noise_multiplier=1.0,
    delta=1e-5,
    clip=1.0,
    numbers="float64",
    max_participations=2,
)


def config(
    lab, *, trained="head", mechanism="dpsgd", noise="insecure_seeded", seed=3, budget=None
):
    example = {"dpsgd": replace(DPSGD, epsilon=budget), "none": NoExample()}[mechanism]
    return lab.configuration(
        seed=seed, trained=trained, training=TRAINING, noise=noise, example=example
    )


def context(device, text, **node_config):
    return Context(
        run_id=1,
        node_id=1000 + device,
        node_config={"partition-id": device, "num-partitions": 10}
        | {key.replace("_", "-"): value for key, value in node_config.items()},
        state=RecordDict(),
        run_config={"config": text},
    )


def first_task(lab, *, trained="head", private=True, seed=3):
    ranking = Ranking(trained=trained, loss="softmax", weights=None)
    ranker = initial_ranker(ranking, seed=seed)
    others = frozen_names(ranker, trained)
    frozen = flatten(ranker, others)
    terms = lab.terms(noise_multiplier=1.0, max_participations=2)
    return Task(
        round=1,
        attempt=0,
        parameters=flatten(ranker, trainable_names(ranker, trained)),
        digest=frozen_digest(ranker, others, frozen),
        frozen=frozen,
        terms=terms if private else replace(lab.plain, lr=0.5),
    )


def ask(task, own, kind=MessageType.TRAIN):
    content = task if isinstance(task, RecordDict) else encode_task(task)
    message = over_the_wire(Message(content, own.node_id, kind))
    message.metadata.__dict__["_message_id"] = "message-1"
    return over_the_wire(app(message, own))


def found(message, task):
    return decode_reply(message.content, size=len(task.parameters))


def reply(task, own):
    return found(ask(task, own), task)


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
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
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
    own = context(9, config(lab, mechanism="none"))
    with caplog.at_level(logging.DEBUG):
        message = ask(first_task(lab, private=False), own)
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

    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    with monkeypatch.context() as patch:
        patch.setattr("client.training.opacus_engine.LOSSES", {"softmax": fails})
        assert isinstance(reply(task, context(0, config(lab))), Update)
    # the model that was made without a moment knows the loss of the patch
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    found = reply(task, context(0, config(lab)))
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
    lab, libraries, caplog, monkeypatch, engine, cohort
):
    """Six moments, none, and a library that cannot be read, whose error must not leave."""
    monkeypatch.setattr(local_device, "prove_isolation", lambda *_, **__: None)
    text = config(lab).replace('"opacus"', f'"{engine}"')
    task, owns = first_task(lab), [context(device, text) for device in (0, 8, 9)]
    with caplog.at_level(logging.DEBUG):
        answers = (
            train_cohort(asked(task, owns)) if cohort else [ask(task, own) for own in owns]
        )
    assert shape_of(answers[0]) == shape_of(answers[1]) == shape_of(answers[2])
    assert all(found(answer, task).delta.all() for answer in answers)
    assert [own.state["device"]["participations"] for own in owns] == [1, 1, 1]
    assert SECRET not in caplog.text
    assert "train together failed" not in caplog.text


@pytest.mark.parametrize("private", [True, False])
def test_a_private_visit_lasts_as_long_as_the_configuration_says(
    lab, libraries, monkeypatch, private
):
    slept = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    kept = {} if private else {"mechanism": "none"}
    text = config(lab, **kept).replace('"seconds": null', '"seconds": 1000.0')
    for device in (0, 8, 9):
        ask(first_task(lab, private=private), context(device, text))
    assert all(950 < seconds < 1000 for seconds in slept if private)
    assert len([seconds for seconds in slept if seconds]) == (3 if private else 0)


def test_a_visit_that_outlasts_its_time_says_so_in_the_devices_own_log(lab, libraries, caplog):
    text = config(lab).replace('"seconds": null', '"seconds": 1e-9')
    ask(first_task(lab), context(0, text))
    assert "lasted longer than training.seconds" in caplog.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p * 1e6, DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
        (lambda p: p * np.nan, DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
        (lambda p: p + np.inf, DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
        (lambda p: p[:-1].copy(), DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
    ],
)
def test_parameters_that_no_honest_run_comes_to_are_declined(lab, libraries, change, reason):
    task, own = first_task(lab), context(0, config(lab))
    wrong = replace(task, parameters=change(task.parameters))
    for message in (ask(wrong, own), *train_cohort(asked(wrong, [own]))):
        assert declined_as(message, reason)
    assert own.state == untouched()
    assert not libraries.asked


def test_a_frozen_part_that_the_configuration_does_not_name_is_declined(lab, libraries):
    """The digest is right for what is sent, and another than the configuration's."""
    task, own = first_task(lab), context(0, config(lab))
    frozen = task.frozen * 2
    ranker = initial_ranker(Ranking(trained="head", loss="softmax", weights=None), seed=3)
    digest = frozen_digest(ranker, frozen_names(ranker, "head"), frozen)
    other = replace(task, frozen=frozen, digest=digest)
    assert declined_as(ask(other, own), DeclineReason.FROZEN_PART_DIFFERS)
    assert own.state == untouched()


def test_a_message_that_holds_no_task_is_an_error(lab, libraries):
    assert ask(RecordDict(), context(0, config(lab))).error.reason == "device failed"


def test_a_private_task_in_a_run_without_privacy_is_an_error(lab, libraries):
    assert ask(first_task(lab), context(0, config(lab, mechanism="none"))).has_error()
    assert not libraries.asked


# The configuration of these tests: rate 1, one step, σ = 1, clip 1, two visits, δ = 1e-5. The ε
# of one visit is 4.38, of two 6.57.
WEAKER = {
    "private": False,
    "rate": 1.5,
    "steps": 2,
    "noise_multiplier": 0.99,
    "clip": 1.01,
    "update_clip": math.nan,
}


def untouched():
    """The state of a device that took part in nothing."""
    new = {"participations": 0, "digest": "", "configuration": ""}
    return RecordDict({"device": ConfigRecord(new)})


def declined_as(message, reason):
    """Whether a message says why, and nothing else."""
    return {name: dict(record) for name, record in message.content.items()} == {
        "scalars": {"round": 1, "attempt": 0, "declined": str(reason)}
    }


@pytest.mark.parametrize("term", WEAKER)
def test_a_weaker_task_is_declined_alone_and_together_by_its_reason_only(lab, libraries, term):
    task = first_task(lab)
    weak = replace(task, terms=replace(task.terms, **{term: WEAKER[term]}))
    text = booked(lab)
    owns = [context(0, text), context(1, text)]
    for message in (ask(weak, owns[0]), *train_cohort(asked(weak, owns))):
        assert declined_as(message, DeclineReason.WEAKER_THAN_FLOOR)
    assert not libraries.asked
    assert all(own.state == untouched() for own in owns)


def test_a_device_stops_by_its_own_count_where_the_task_has_no_limit(lab, libraries):
    task = first_task(lab)
    endless = replace(task, terms=replace(task.terms, max_participations=0))
    alone, beside = context(0, booked(lab)), context(1, booked(lab))
    for own, answer in (
        (alone, lambda own: ask(endless, own)),
        (beside, lambda own: train_cohort(asked(endless, [own]))[0]),
    ):
        assert isinstance(found(answer(own), task), Update)
        assert isinstance(found(answer(own), task), Update)
        kept = dict(own.state["device"])
        assert declined_as(answer(own), DeclineReason.BUDGET_SPENT)
        assert dict(own.state["device"]) == kept


def test_a_budget_beside_a_noise_ends_the_visits_earlier(lab, libraries):
    own = context(0, config(lab, budget=5.0))
    assert isinstance(found(ask(first_task(lab), own), first_task(lab)), Update)
    assert declined_as(ask(first_task(lab), own), DeclineReason.BUDGET_SPENT)


def test_an_operator_allows_fewer_visits_than_the_configuration(lab, libraries):
    text, task = booked(lab, noise="secure"), first_task(lab)
    for tight in ({"max_epsilon": 5}, {"max_exposure": 1.5}):
        own = context(0, text, **tight)
        assert isinstance(found(ask(task, own), task), Update)
        assert declined_as(ask(task, own), DeclineReason.BUDGET_SPENT)
        assert declined_as(train_cohort(asked(task, [own]))[0], DeclineReason.BUDGET_SPENT)


@pytest.mark.parametrize(
    ("tight", "good_enough"),
    [
        ({"min_noise": 1.5}, False),
        ({"min_noise": 1}, True),
        ({"max_clip": 0.9}, False),
        ({"max_clip": 1.0}, True),
        ({"max_exposure": 0.9}, False),
        ({"max_exposure": 1.0}, True),
        ({"max_epsilon": 4.3}, False),
        ({"max_epsilon": 4.4}, True),
    ],
)
def test_an_operators_floor_lets_in_what_is_exactly_at_it(lab, libraries, tight, good_enough):
    text, task = booked(lab, noise="secure"), first_task(lab)
    for message in (
        ask(task, context(0, text, **tight)),
        *train_cohort(asked(task, [context(0, text, **tight), context(1, text, **tight)])),
    ):
        if good_enough:
            assert isinstance(found(message, task), Update)
        else:
            assert declined_as(message, DeclineReason.WEAKER_THAN_FLOOR)


def test_a_device_takes_part_in_the_one_configuration_that_its_operator_agreed_to(
    lab, libraries
):
    text, task = booked(lab), first_task(lab)
    agreed = hashlib.sha256(text.encode()).hexdigest()
    assert isinstance(found(ask(task, context(0, text, config_digest=agreed)), task), Update)
    other = booked(lab, seed=4)
    owns = [context(1, other, config_digest=agreed), context(2, other, config_digest=agreed)]
    for message in (ask(task, owns[0]), *train_cohort(asked(task, owns))):
        assert declined_as(message, DeclineReason.ANOTHER_CONFIGURATION)
    shown = ask(task, owns[0], MessageType.EVALUATE)
    assert declined_as(shown, DeclineReason.ANOTHER_CONFIGURATION)
    assert all(own.state == untouched() for own in owns)
    assert libraries.asked == [0]


def test_a_run_that_changes_its_configuration_gets_no_visit_more(lab, libraries):
    own, task = context(0, config(lab)), first_task(lab)
    assert isinstance(found(ask(task, own), task), Update)
    kept = dict(own.state["device"])
    own.run_config["config"] = config(lab, seed=4)
    assert declined_as(ask(task, own), DeclineReason.ANOTHER_CONFIGURATION)
    assert dict(own.state["device"]) == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_epsilon": "2"},
        {"min_noise": True},
        {"max_exposure": 0},
        {"max_clip": math.nan},
        {"config_digest": "abc"},
        {"max_epsilom": 2.0},
    ],
)
def test_a_device_whose_operator_erred_trains_nothing_and_its_log_says_why(
    lab, libraries, wrong, caplog
):
    task, text = first_task(lab), booked(lab)
    (key,) = (key.replace("_", "-") for key in wrong)
    erring = context(0, text, **wrong)
    message = ask(task, erring)
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert key in caplog.text
    first, second = train_cohort(asked(task, [erring, context(1, text)]))
    assert first.has_error()
    assert isinstance(found(second, task), Update)
    assert ask(task, erring, MessageType.EVALUATE).has_error()
    assert libraries.asked == [1]
    assert not len(erring.state)


def ledgers(folder):
    return sorted(folder.rglob("*.jsonl"))


def recorded(folder, device):
    """The visits that the one ledger in ``folder`` alone says."""
    (path,) = ledgers(folder)
    return examine(path.parent, path.stem).spent.of(device)


def each(task, own):
    return ask(task, own)


def beside(task, own):
    return train_cohort(asked(task, [own]))[0]


both = pytest.mark.parametrize("answer", [each, beside])


@both
def test_a_restart_without_any_state_does_not_renew_the_budget(
    lab, libraries, tmp_path, answer
):
    text, task = booked(lab), first_task(lab)
    task = replace(task, terms=replace(task.terms, max_participations=0))
    for number in (1, 2):
        own = context(0, text, ledger=str(tmp_path))
        assert isinstance(found(answer(task, own), task), Update)
        assert own.state["device"]["participations"] == number
    own = context(0, text, ledger=str(tmp_path))
    assert declined_as(answer(task, own), DeclineReason.BUDGET_SPENT)
    assert recorded(tmp_path, 0) == 2
    assert isinstance(found(answer(task, context(1, text, ledger=str(tmp_path))), task), Update)


@both
def test_a_visit_is_charged_before_it_is_trained_and_then_sent(
    lab, libraries, tmp_path, monkeypatch, answer
):
    happened, charge = [], DeviceLedger.charge

    def charges(ledger, task, *, visits):
        charge(ledger, task, visits=visits)
        happened.append("charged")

    def library(device, library=libraries.library):
        happened.append("trained")
        return library(device)

    def encodes(update, encode=module.encode_update):
        happened.append("sent")
        return encode(update)

    monkeypatch.setattr(DeviceLedger, "charge", charges)
    monkeypatch.setattr(libraries, "library", library)
    monkeypatch.setattr(module, "encode_update", encodes)
    answer(first_task(lab), context(0, booked(lab), ledger=str(tmp_path)))
    assert happened == ["charged", "trained", "sent"]


@both
def test_a_process_that_dies_between_charge_and_reply_has_spent_the_visit(
    lab, libraries, tmp_path, monkeypatch, answer
):
    text, task = booked(lab), first_task(lab)

    def dies(update):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "encode_update", dies)
        with pytest.raises(KeyboardInterrupt):
            answer(task, context(0, text, ledger=str(tmp_path)))
    assert recorded(tmp_path, 0) == 1
    again = context(0, text, ledger=str(tmp_path))
    assert isinstance(found(answer(task, again), task), Update)
    assert again.state["device"]["participations"] == 2


@both
def test_a_visit_without_a_library_that_can_be_read_counts_like_any_other(
    lab, libraries, tmp_path, answer
):
    own, task = context(9, booked(lab), ledger=str(tmp_path)), first_task(lab)
    assert isinstance(found(answer(task, own), task), Update)
    assert recorded(tmp_path, 9) == 1


def test_a_visit_that_is_trained_again_alone_is_charged_once(lab, libraries, tmp_path):
    task, text = first_task(lab), booked(lab)
    owns = [context(device, text, ledger=str(tmp_path)) for device in (0, 9, 1)]

    def nowhere(devices, given, frozen):
        raise RuntimeError(SECRET)

    replies = train_cohort(asked(task, owns), together=nowhere)
    assert not any(one.has_error() for one in replies)
    assert [recorded(tmp_path, device) for device in (0, 9, 1)] == [1, 1, 1]
    replies = train_cohort(asked(task, [owns[0]] * 2))
    assert isinstance(found(replies[0], task), Update)
    assert declined_as(replies[1], DeclineReason.PARTICIPATIONS_SPENT)
    assert recorded(tmp_path, 0) == 2


@both
def test_a_ledger_begun_late_counts_what_the_state_remembers(lab, libraries, tmp_path, answer):
    text, task, own = booked(lab), first_task(lab), context(0, booked(lab))
    answer(task, own)
    own.node_config["ledger"] = str(tmp_path)
    assert isinstance(found(answer(task, own), task), Update)
    assert recorded(tmp_path, 0) == 2
    restarted = context(0, text, ledger=str(tmp_path))
    assert declined_as(answer(task, restarted), DeclineReason.PARTICIPATIONS_SPENT)


@both
def test_a_device_whose_ledger_is_damaged_trains_nothing_and_its_log_alone_says_why(
    lab, libraries, tmp_path, caplog, answer
):
    text, task = booked(lab), first_task(lab)
    answer(task, context(0, text, ledger=str(tmp_path)))
    (path,) = ledgers(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"round":1', b'"round":7'))
    kept, asked_before = path.read_bytes(), len(libraries.asked)
    own = context(0, text, ledger=str(tmp_path))
    message = answer(task, own)
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert f"takes part in nothing: {path}, line 2" in caplog.text
    assert len(libraries.asked) == asked_before
    assert path.read_bytes() == kept
    assert not len(own.state)


@both
def test_a_device_whose_ledger_has_no_folder_trains_nothing(
    lab, libraries, tmp_path, caplog, answer
):
    own = context(0, booked(lab), ledger=str(tmp_path / "missing"))
    message = answer(first_task(lab), own)
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert "must be the absolute path of a folder" in caplog.text
    assert not libraries.asked
    assert not len(own.state)
    assert not list(tmp_path.iterdir())


def test_a_damaged_ledger_of_one_device_disturbs_no_other(lab, libraries, tmp_path):
    task, text = first_task(lab), booked(lab)
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    owns = [context(number, text, ledger=str(own)) for number, own in enumerate(folders)]
    train_cohort(asked(task, owns))
    (path,) = ledgers(folders[0])
    path.write_bytes(path.read_bytes()[:-9])
    first, second = train_cohort(asked(task, owns))
    assert first.has_error()
    assert isinstance(found(second, task), Update)
    assert recorded(folders[1], 1) == 2


@both
def test_a_task_that_is_declined_writes_nothing(lab, libraries, tmp_path, answer):
    task = first_task(lab)
    weak = replace(task, terms=replace(task.terms, noise_multiplier=0.5))
    other = "0" * 64
    for given, policy in ((weak, {}), (task, {"config_digest": other})):
        own = context(0, booked(lab), ledger=str(tmp_path), **policy)
        assert set(answer(given, own).content) == {"scalars"}
    assert not list(tmp_path.iterdir())


@both
@pytest.mark.parametrize(("most", "agrees"), [(9, True), (6, False)])
def test_an_operators_epsilon_holds_over_configurations(
    lab, libraries, tmp_path, answer, most, agrees
):
    """A visit is a Gaussian of one clip: ε = 4.4 at δ = 1e-5, and 6.6 for two of them."""
    task = first_task(lab)
    for rounds, good in ((8, True), (9, agrees)):
        text = booked(lab, noise="secure").replace('"rounds": 8', f'"rounds": {rounds}')
        own = context(0, text, ledger=str(tmp_path), max_epsilon=most)
        message = answer(task, own)
        if good:
            assert isinstance(found(message, task), Update)
        else:
            assert declined_as(message, DeclineReason.BUDGET_SPENT)
            assert len(ledgers(tmp_path)) == 1


def test_without_the_key_nothing_is_written(lab, libraries, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = first_task(lab)
    for answer in (each, beside):
        assert isinstance(found(answer(task, context(0, booked(lab))), task), Update)
    assert not list(tmp_path.iterdir())


def test_an_operator_who_demands_noise_takes_no_part_in_a_run_without_it(lab, libraries):
    plain = first_task(lab, private=False)
    open_run = context(0, config(lab, mechanism="none"), min_noise=0.1)
    assert declined_as(ask(plain, open_run), DeclineReason.WEAKER_THAN_FLOOR)
    figures = ask(plain, open_run, MessageType.EVALUATE)
    assert declined_as(figures, DeclineReason.PRIVATE_RUN)
    seeded = context(0, config(lab, noise="insecure_seeded"), min_noise=0.1)
    assert declined_as(ask(first_task(lab), seeded), DeclineReason.WEAKER_THAN_FLOOR)
    assert not libraries.asked


def test_a_kept_state_that_is_damaged_is_an_error(lab, libraries):
    own, task = context(0, config(lab)), first_task(lab)
    ask(task, own)
    own.state["device"]["participations"] = "0"
    assert ask(task, own).error.reason == "device failed"


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
    found.append(reply(first_task(lab, seed=4), context(8, config(lab, seed=4))).delta)
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
    assert (sections.training.rate, sections.training.steps) == (1.0, 1)
    assert not sections.private


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
        decode_reply(one.content, size=len(task.parameters))
        for one in train_cohort(asked(task, owns), **given)
    ]


@pytest.mark.parametrize("devices", [[0, 1, 2, 8], [0, 9, 1]])
def test_devices_that_train_together_answer_as_each_would_alone(lab, libraries, devices):
    task = first_task(lab)
    alone = [together(lab, [device], task)[0] for device in devices]
    found = together(lab, devices, task)
    for one, other in zip(found, alone, strict=True):
        assert one.delta == pytest.approx(
            other.delta, abs=1e-5 * float(np.abs(other.delta).max())
        )


def test_devices_stand_in_elsewhere_and_one_after_another_when_that_fails(lab, libraries):
    task = first_task(lab)
    expected = together(lab, [0, 1], task)
    seen = []

    def elsewhere(devices, given, frozen):
        seen.append(([own.device for own in devices], len(frozen())))
        return local_device.train_together(devices, given, frozen)

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
