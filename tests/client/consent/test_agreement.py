import math
from dataclasses import replace

import numpy as np
import pytest

from client.consent import agreement
from client.consent.agreement import NEW, DeviceState, hold, show
from client.consent.floor import Floor
from protocol.messages import Declined, DeclineReason

HELD = DeviceState(participations=1, digest="abc", configuration="c0ffee")
FLOOR = Floor(
    configuration="c0ffee",
    consented=True,
    private=False,
    rate=1.0,
    steps=1,
    noise_multiplier=0.0,
    clip=math.inf,
    update_noise=0.0,
    update_clip=math.inf,
    visits=None,
)


def accept(task, state, *, floor=FLOOR):
    return agreement.accept(task, state, floor=floor, digest=digest_of)


def digest_of(frozen):
    return "abc" if frozen.sum() == 6 else "other"


@pytest.fixture
def task(task, lab):
    return replace(task, terms=lab.terms(max_participations=2))


@pytest.fixture
def frozen():
    return np.array([1, 2, 3], np.float32)


def test_a_device_that_takes_part_counts_the_visit(task):
    assert accept(task, HELD) == DeviceState(
        participations=2, digest="abc", configuration="c0ffee"
    )


def test_a_new_device_takes_the_frozen_part_whose_digest_matches(task, frozen):
    state = accept(replace(task, frozen=frozen), NEW)
    assert state == DeviceState(participations=1, digest="abc", configuration="c0ffee")


def test_a_frozen_part_is_known_by_its_bytes_and_not_by_what_the_task_says(task, frozen):
    frozen[0] = 9
    for state in (NEW, HELD):
        reply = accept(replace(task, frozen=frozen), state)
        assert reply == Declined(round=4, attempt=1, reason=DeclineReason.FROZEN_PART_DIFFERS)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ("", DeclineReason.FROZEN_PART_MISSING),
        ("abd", DeclineReason.FROZEN_PART_DIFFERS),
    ],
)
def test_a_device_without_the_tasks_frozen_part_says_so(task, held, reason):
    reply = accept(task, replace(HELD, digest=held))
    assert reply == Declined(round=4, attempt=1, reason=reason)


def test_a_device_takes_part_so_often_and_no_more(task):
    state = replace(HELD, participations=0)
    for number in (1, 2):
        state = accept(task, state)
        assert state.participations == number
    assert accept(task, state) == declined(DeclineReason.PARTICIPATIONS_SPENT)


def test_without_a_limit_a_device_always_takes_part(lab, task):
    terms = lab.terms(max_participations=0, clip=math.inf, private=False)
    state = replace(HELD, participations=10**6)
    counted = accept(replace(task, terms=terms), state)
    assert counted == replace(state, participations=10**6 + 1)


def test_holding_the_frozen_part_is_no_participation(task, frozen):
    held = hold(replace(task, frozen=frozen), NEW, digest=digest_of)
    assert held == DeviceState(participations=0, digest="abc", configuration="")


def declined(reason):
    return Declined(round=4, attempt=1, reason=reason)


def test_a_task_below_the_floor_is_declined(task, frozen):
    strict = replace(FLOOR, noise_multiplier=1.0)
    for state, given in ((HELD, task), (NEW, replace(task, frozen=frozen))):
        assert accept(given, state, floor=strict) == declined(DeclineReason.WEAKER_THAN_FLOOR)


def test_a_device_whose_next_visit_would_pass_its_budget_declines(task):
    once = replace(FLOOR, visits=1)
    state = accept(task, replace(HELD, participations=0), floor=once)
    assert state == HELD
    assert accept(task, state, floor=once) == declined(DeclineReason.BUDGET_SPENT)


def test_a_tasks_own_limit_can_make_a_device_stop_earlier_only(lab, task):
    state = replace(HELD, participations=2)
    for limit, own, reason in (
        (2, 3, DeclineReason.PARTICIPATIONS_SPENT),
        (9, 2, DeclineReason.BUDGET_SPENT),
        (0, 2, DeclineReason.BUDGET_SPENT),
        (2, 2, DeclineReason.PARTICIPATIONS_SPENT),
    ):
        given = replace(task, terms=lab.terms(max_participations=limit))
        found = accept(given, state, floor=replace(FLOOR, visits=own))
        assert found == declined(reason)


def test_a_device_trains_under_one_configuration_only(task):
    for state, other in (
        (HELD, replace(FLOOR, configuration="decade")),
        (HELD, replace(FLOOR, consented=False)),
        (replace(NEW, digest="abc"), replace(FLOOR, consented=False)),
    ):
        reply = accept(task, state, floor=other)
        assert reply == declined(DeclineReason.ANOTHER_CONFIGURATION)


def test_figures_are_shown_where_nothing_is_private_and_the_configuration_is_the_same(task):
    assert show(task, HELD, floor=FLOOR, digest=digest_of) == HELD
    for floor, reason in (
        (replace(FLOOR, private=True), DeclineReason.PRIVATE_RUN),
        (replace(FLOOR, configuration="decade"), DeclineReason.ANOTHER_CONFIGURATION),
        (replace(FLOOR, consented=False), DeclineReason.ANOTHER_CONFIGURATION),
    ):
        assert show(task, HELD, floor=floor, digest=digest_of) == declined(reason)
