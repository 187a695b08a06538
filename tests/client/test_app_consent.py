"""What a device agrees to, as its app asks it: alone and beside others."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
from flwr.app import ConfigRecord, MessageType, RecordDict
from rankings import ranking

from client.app import FAILED, train_cohort
from protocol.messages import DeclineReason, Update
from ranking.initial import initial_ranker
from ranking.model.build import frozen_names
from ranking.parameters import frozen_digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p * 1e6, DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
        (lambda p: p * np.nan, DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
        (lambda p: p + np.inf, DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
        (lambda p: p[:-1].copy(), DeclineReason.PARAMETERS_OUT_OF_BOUNDS),
    ],
)
def test_parameters_that_no_honest_run_comes_to_are_declined(libraries, node, change, reason):
    task, own = node.task(), node.context(0, node.config())
    wrong = replace(task, parameters=change(task.parameters))
    for message in (node.ask(wrong, own), *train_cohort(node.asked(wrong, [own]))):
        assert node.declined_as(message, reason)
    assert own.state == untouched()
    assert not libraries.asked


def test_a_frozen_part_that_the_configuration_does_not_name_is_declined(libraries, node):
    """The digest is right for what is sent, and another than the configuration's."""
    task, own = node.task(), node.context(0, node.config())
    frozen = task.frozen * 2
    ranker = initial_ranker(ranking("head"), seed=3)
    digest = frozen_digest(ranker, frozen_names(ranker, "head"), frozen)
    other = replace(task, frozen=frozen, digest=digest)
    assert node.declined_as(node.ask(other, own), DeclineReason.FROZEN_PART_DIFFERS)
    assert own.state == untouched()


# The configuration of ``node``: rate 1, one step, σ = 1, clip 1, two visits, δ = 1e-5.
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


@pytest.mark.parametrize("term", WEAKER)
def test_a_weaker_task_is_declined_alone_and_together_by_its_reason_only(libraries, node, term):
    task = node.task()
    weak = replace(task, terms=replace(task.terms, **{term: WEAKER[term]}))
    text = node.booked()
    owns = [node.context(0, text), node.context(1, text)]
    for message in (node.ask(weak, owns[0]), *train_cohort(node.asked(weak, owns))):
        assert node.declined_as(message, DeclineReason.WEAKER_THAN_FLOOR)
    assert not libraries.asked
    assert all(own.state == untouched() for own in owns)


def test_a_device_stops_by_its_own_count_where_the_task_has_no_limit(libraries, node):
    task = node.task()
    endless = replace(task, terms=replace(task.terms, max_participations=0))
    alone, beside = node.context(0, node.booked()), node.context(1, node.booked())
    for own, answer in (
        (alone, lambda own: node.ask(endless, own)),
        (beside, lambda own: train_cohort(node.asked(endless, [own]))[0]),
    ):
        assert isinstance(node.found(answer(own), task), Update)
        assert isinstance(node.found(answer(own), task), Update)
        kept = dict(own.state["device"])
        assert node.declined_as(answer(own), DeclineReason.BUDGET_SPENT)
        assert dict(own.state["device"]) == kept


def test_a_budget_beside_a_noise_ends_the_visits_earlier(libraries, node):
    own = node.context(0, node.config(budget=5.0))
    assert isinstance(node.found(node.ask(node.task(), own), node.task()), Update)
    assert node.declined_as(node.ask(node.task(), own), DeclineReason.BUDGET_SPENT)


def test_an_operator_allows_fewer_visits_than_the_configuration(libraries, node):
    text, task = node.booked(noise="secure"), node.task()
    for tight in ({"max_epsilon": 5}, {"max_exposure": 1.5}):
        own = node.context(0, text, **tight)
        assert isinstance(node.found(node.ask(task, own), task), Update)
        assert node.declined_as(node.ask(task, own), DeclineReason.BUDGET_SPENT)
        assert node.declined_as(
            train_cohort(node.asked(task, [own]))[0], DeclineReason.BUDGET_SPENT
        )


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
def test_an_operators_floor_lets_in_what_is_exactly_at_it(libraries, node, tight, good_enough):
    text, task = node.booked(noise="secure"), node.task()
    for message in (
        node.ask(task, node.context(0, text, **tight)),
        *train_cohort(
            node.asked(task, [node.context(0, text, **tight), node.context(1, text, **tight)])
        ),
    ):
        if good_enough:
            assert isinstance(node.found(message, task), Update)
        else:
            assert node.declined_as(message, DeclineReason.WEAKER_THAN_FLOOR)


def test_a_device_takes_part_in_the_one_configuration_that_its_operator_agreed_to(
    libraries, node
):
    text, task = node.booked(), node.task()
    agreed = hashlib.sha256(text.encode()).hexdigest()
    assert isinstance(
        node.found(node.ask(task, node.context(0, text, config_digest=agreed)), task), Update
    )
    other = node.booked(seed=4)
    owns = [
        node.context(1, other, config_digest=agreed),
        node.context(2, other, config_digest=agreed),
    ]
    for message in (node.ask(task, owns[0]), *train_cohort(node.asked(task, owns))):
        assert node.declined_as(message, DeclineReason.ANOTHER_CONFIGURATION)
    shown = node.ask(task, owns[0], MessageType.EVALUATE)
    assert node.declined_as(shown, DeclineReason.ANOTHER_CONFIGURATION)
    assert all(own.state == untouched() for own in owns)
    assert libraries.asked == [0]


def test_a_run_that_changes_its_configuration_gets_no_visit_more(libraries, node):
    own, task = node.context(0, node.config()), node.task()
    assert isinstance(node.found(node.ask(task, own), task), Update)
    kept = dict(own.state["device"])
    own.run_config["config"] = node.config(seed=4)
    assert node.declined_as(node.ask(task, own), DeclineReason.ANOTHER_CONFIGURATION)
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
    libraries, node, wrong, caplog
):
    task, text = node.task(), node.booked()
    (key,) = (key.replace("_", "-") for key in wrong)
    erring = node.context(0, text, **wrong)
    message = node.ask(task, erring)
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert key in caplog.text
    first, second = train_cohort(node.asked(task, [erring, node.context(1, text)]))
    assert first.has_error()
    assert isinstance(node.found(second, task), Update)
    assert node.ask(task, erring, MessageType.EVALUATE).has_error()
    assert libraries.asked == [1]
    assert not len(erring.state)


def test_an_operator_who_demands_noise_takes_no_part_in_a_run_without_it(libraries, node):
    plain = node.task(private=False)
    open_run = node.context(0, node.config(mechanism="none"), min_noise=0.1)
    assert node.declined_as(node.ask(plain, open_run), DeclineReason.WEAKER_THAN_FLOOR)
    figures = node.ask(plain, open_run, MessageType.EVALUATE)
    assert node.declined_as(figures, DeclineReason.PRIVATE_RUN)
    seeded = node.context(0, node.config(noise="insecure_seeded"), min_noise=0.1)
    assert node.declined_as(node.ask(node.task(), seeded), DeclineReason.WEAKER_THAN_FLOOR)
    assert not libraries.asked
