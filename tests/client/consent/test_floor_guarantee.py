"""No server gets more out of a device than its floor promises, whatever terms it sends."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian
from dp_accounting.pld import privacy_loss_distribution
from hypothesis import example, given, settings
from hypothesis import strategies as st

from client.consent.agreement import NEW, accept
from client.consent.operator import OperatorPolicy
from privacy.accounting import noise_search
from protocol.messages import Declined, Task, VisitTerms


def sent(**weaker):
    """Terms at the floor and above it, and the given ones."""
    good = {
        "steps": [2, 1],
        "rate": [0.5, 0.1],
        "clip": [0.3, 0.1],
        "noise_multiplier": [1.0, 3.0],
        "max_participations": [0, 1000],
        "private": [True],
        "update_clip": [2.0, 1.0],
        "update_noise": [6.0, 20.0],
    }
    terms = {
        name: st.sampled_from(values + weaker.get(name, [])) for name, values in good.items()
    }
    return st.builds(VisitTerms, denominator=st.just(8.0), lr=st.just(1.0), **terms)


SENT = st.one_of(
    sent(),
    sent(),
    sent(
        steps=[3],
        rate=[0.9],
        clip=[math.inf],
        noise_multiplier=[0.5, 0.0, math.nan],
        max_participations=[1],
        private=[False],
        update_clip=[math.inf],
        update_noise=[3.0, 0.0],
    ),
)


def server(work):
    return Task(
        round=1,
        attempt=0,
        parameters=np.zeros(3, np.float32),
        digest="abc",
        frozen=np.zeros(3, np.float32),
        terms=work,
    )


def shown(works, found):
    """The terms of the visits in which a device took part, asked one after another."""
    state, visits, found = NEW, [], replace(found, bounds=None)
    for work in works:
        answer = accept(server(work), state, floor=found, digest=lambda _: "abc")
        if not isinstance(answer, Declined):
            state = answer
            visits.append(work)
    return visits


@lru_cache
def step_losses(rate, noise):
    return privacy_loss_distribution.from_gaussian_mechanism(
        standard_deviation=noise, sampling_prob=rate, value_discretization_interval=1e-3
    )


def example_epsilon(visits):
    """dp-accounting's own composition of different steps."""
    if not visits:
        return 0.0
    if any(not work.noise_multiplier > 0 for work in visits):
        return math.inf
    losses = [
        step_losses(work.rate, work.noise_multiplier)
        for work in visits
        for _ in range(work.steps)
    ]
    total = losses[0]
    for other in losses[1:]:
        total = total.compose(other)
    return total.get_epsilon_for_delta(1e-5)


def update_epsilon(visits):
    """Of Gaussians side by side: the squares of 2 / noise add up."""
    if any(not work.update_noise > 0 or work.update_clip == math.inf for work in visits):
        return math.inf
    squares = sum((2 / work.update_noise) ** 2 for work in visits)
    return get_epsilon_gaussian(1 / math.sqrt(squares), 1e-5) if visits else 0.0


AT_FLOOR = VisitTerms(
    steps=2,
    rate=0.5,
    denominator=8.0,
    lr=1.0,
    clip=0.3,
    noise_multiplier=1.0,
    max_participations=0,
    private=True,
    update_clip=2.0,
    update_noise=6.0,
)
STRONG = replace(AT_FLOOR, noise_multiplier=3.0, steps=1, rate=0.1, update_noise=20.0)
WEAK = replace(AT_FLOOR, noise_multiplier=0.5)
BUDGET = 8.2


@settings(deadline=None, max_examples=60)
@given(works=st.lists(SENT, max_size=10))
@example(works=[AT_FLOOR] * 10)
@example(works=[STRONG, AT_FLOOR] * 5)
@example(works=[STRONG, STRONG, *[AT_FLOOR] * 8])
@example(works=[AT_FLOOR, WEAK] * 5)
def test_whatever_a_server_sends_no_moment_pays_more_than_the_budget(works, floor_of, dpsgd):
    visits = shown(works, floor_of(example=replace(dpsgd, epsilon=BUDGET)))
    assert example_epsilon(visits) <= BUDGET
    asked = shown(works, floor_of(OperatorPolicy(max_epsilon=5.0)))
    assert example_epsilon(asked) <= 5.0


@settings(deadline=None, max_examples=200)
@given(works=st.lists(SENT, max_size=10), budget=st.floats(0.5, 8))
@example(works=[AT_FLOOR] * 10, budget=2.0)
@example(works=[replace(AT_FLOOR, update_noise=20.0), AT_FLOOR] * 5, budget=2.0)
def test_whatever_a_server_sends_no_library_pays_more_than_the_budget(
    works, budget, floor_of, local
):
    endless = replace(local, max_participations=1_000_000, epsilon=budget)
    visits = shown(works, floor_of(example=None, device=endless))
    assert update_epsilon(visits) <= budget * (1 + 1e-9)


def test_an_honest_server_gets_every_visit_that_was_promised(floor_of, dpsgd):
    found = floor_of(example=replace(dpsgd, epsilon=BUDGET))
    assert len(shown([AT_FLOOR] * 10, found)) == 3
    assert example_epsilon([AT_FLOOR] * 3) == pytest.approx(8.105, abs=0.01)
    derived = floor_of(example=replace(dpsgd, epsilon=BUDGET, noise_multiplier=None))
    honest = noise_search.noise_multiplier(BUDGET, delta=1e-5, rate=0.5, steps=8)
    visits = shown([replace(AT_FLOOR, noise_multiplier=honest)] * 10, derived)
    assert len(visits) == 4
    assert BUDGET - 0.2 < example_epsilon(visits) <= BUDGET


def test_terms_that_alternate_pass_no_budget_that_a_count_of_its_own_for_each_would(
    floor_of, dpsgd
):
    found = floor_of(example=replace(dpsgd, epsilon=BUDGET))
    other = replace(AT_FLOOR, noise_multiplier=1.001)
    assert example_epsilon([AT_FLOOR, other] * 3) > BUDGET + 1
    assert shown([AT_FLOOR, other] * 3, found) == [AT_FLOOR, other, AT_FLOOR]
