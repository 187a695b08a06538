import math
from dataclasses import fields, replace

import numpy as np
import pytest

from client.consent.floor import LEAST_CLIP, Floor
from client.consent.parameter_bounds import ParameterBounds
from protocol.messages import DeclineReason

FLOOR = Floor(
    configuration="c0ffee",
    consented=True,
    private=True,
    rate=0.5,
    steps=2,
    noise_multiplier=1.1,
    clip=0.3,
    update_noise=4.0,
    update_clip=2.0,
    visits=3,
)
NOTHING = replace(
    FLOOR,
    private=False,
    noise_multiplier=0.0,
    clip=math.inf,
    update_noise=0.0,
    update_clip=math.inf,
    visits=None,
)


@pytest.fixture
def terms(lab):
    """Exactly the floor's."""
    return lab.terms(
        rate=0.5, steps=2, noise_multiplier=1.1, clip=0.3, update_noise=4.0, update_clip=2.0
    )


def above(number):
    return math.nextafter(number, math.inf)


def below(number):
    return math.nextafter(number, 0)


def test_terms_exactly_at_the_floor_are_good_enough(terms):
    assert FLOOR.declines(terms, visits=0) is None


STRONGER = {
    "rate": 0.1,
    "steps": 1,
    "noise_multiplier": 2.0,
    "clip": 0.01,
    "update_noise": 5.0,
    "update_clip": 0.5,
    "max_participations": 1,
}


@pytest.mark.parametrize("name", STRONGER)
def test_stronger_terms_are_good_enough(terms, name):
    assert FLOOR.declines(replace(terms, **{name: STRONGER[name]}), visits=0) is None


WEAKER = {
    "rate": [above(0.5), 1.0, 2.0, 0.0, -0.5, math.nan, math.inf],
    "steps": [3, 10**9, 0, -1],
    "noise_multiplier": [below(1.1), 0.0, -1.1, math.nan, -math.inf],
    "clip": [above(0.3), math.inf, 0.0, -0.3, math.nan, below(LEAST_CLIP)],
    "update_noise": [below(4.0), 0.0, -4.0, math.nan],
    "update_clip": [above(2.0), math.inf, 0.0, -2.0, math.nan, below(LEAST_CLIP)],
    "private": [False],
    "integers": [True],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WEAKER.items() for value in values]
)
def test_a_weaker_term_or_one_that_is_no_number_is_declined(terms, name, value):
    weaker = replace(terms, **{name: value})
    assert FLOOR.declines(weaker, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_where_integers_are_promised_neither_floats_nor_noise_that_cannot_be_drawn_will_do(
    terms,
):
    floor, good = replace(FLOOR, integers=True), replace(terms, integers=True)
    assert floor.declines(good, visits=0) is None
    assert floor.declines(replace(good, noise_multiplier=256.0), visits=0) is None
    for other in (terms, replace(good, noise_multiplier=above(256.0))):
        assert floor.declines(other, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_every_term_but_what_comes_after_the_noise_has_a_floor(terms):
    after = {"denominator", "lr", "max_participations"}
    assert {field.name for field in fields(terms)} == set(WEAKER) | after


def test_the_device_counts_by_itself_whatever_the_task_says(terms):
    for limit in (0, 3, 100):
        task = replace(terms, max_participations=limit)
        assert FLOOR.declines(task, visits=2) is None
        assert FLOOR.declines(task, visits=3) == DeclineReason.BUDGET_SPENT
        assert FLOOR.declines(task, visits=1000) == DeclineReason.BUDGET_SPENT


def test_a_floor_that_allows_no_visit_finds_every_task_too_weak(terms):
    never = replace(FLOOR, visits=0)
    assert never.declines(terms, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_a_run_without_a_promise_is_held_to_its_rate_and_steps_only(lab):
    plain = replace(lab.plain, rate=0.5, steps=2)
    assert NOTHING.declines(plain, visits=10**6) is None
    for weaker in (replace(plain, rate=0.6), replace(plain, steps=3)):
        assert NOTHING.declines(weaker, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_all_visits_are_under_one_configuration_that_the_operator_agrees_to():
    assert FLOOR.agrees("")
    assert FLOOR.agrees("c0ffee")
    assert not FLOOR.agrees("decade")
    assert not replace(FLOOR, consented=False).agrees("")
    assert not replace(FLOOR, consented=False).agrees("c0ffee")


def test_parameters_are_refused_where_there_are_bounds_and_only_there(task):
    bounds = ParameterBounds(frozen_digest="abc", radius=5.0, size=3)
    far = replace(task, parameters=np.float32([3, 4, 1]))
    assert FLOOR.refuses(far) is None
    bounded = replace(FLOOR, bounds=bounds)
    assert bounded.refuses(task) is None
    assert bounded.refuses(far) == DeclineReason.PARAMETERS_OUT_OF_BOUNDS


def test_near_the_end_of_float32_rounding_would_exceed_the_clip_and_at_the_floor_it_does_not():
    def stretched(clip):
        vector = np.full(36_000, clip / math.sqrt(36_000))
        rounded = vector.astype(np.float32).astype(np.float64)
        return float(np.linalg.norm(rounded / clip))

    assert stretched(1.4e-43) > 1.8
    assert stretched(LEAST_CLIP) == pytest.approx(1, abs=1e-6)
