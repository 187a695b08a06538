"""The floor of a run, and that no server gets more out of a device than it promises."""

import hashlib
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian
from dp_accounting.pld import privacy_loss_distribution
from hypothesis import example, given, settings
from hypothesis import strategies as st

from client.consent import configured_floor
from client.consent.agreement import NEW, accept
from client.consent.configured_floor import floor
from client.consent.operator import OperatorPolicy
from privacy.accounting import noise_search
from privacy.mechanisms.base.unit_settings import Federation
from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.mechanisms.independent.settings import GaussianSettings
from privacy.mechanisms.local_gaussian import LocalSettings
from privacy.mechanisms.moments.settings import DpSgdSettings
from privacy.protection.derivation import Protection
from privacy.protection.settings import Privacy
from protocol.messages import Declined, DeclineReason, Task, VisitTerms
from protocol.rebuild import SettingError
from server.visit_terms import visit_terms as asked_by_server

# Half of the moments, σ = 1, two steps a visit, δ = 1e-5: ε is 4.85, 6.68, 8.11, 9.34 after
# 1, 2, 3, 4 visits.
DPSGD = DpSgdSettings(
    epsilon=None,
    noise_multiplier=1.0,
    delta=1e-5,
    clip=0.3,
    numbers="float64",
    max_participations=4,
)
# ε of three visits of noise 6, each of sensitivity 2: a Gaussian of √3 / 3.
LOCAL = LocalSettings(
    epsilon=None,
    noise_multiplier=6.0,
    delta=1e-5,
    clip=2.0,
    max_participations=3,
)
GAUSSIAN = GaussianSettings(
    epsilon=None,
    noise_multiplier=1.0,
    delta=1e-4,
    clip=2.0,
    clipping="whole",
    numbers="float64",
    largest_cohort=None,
    noise_cohort=None,
    noise_population=None,
)


@pytest.fixture(scope="session")
def text(lab):
    def made(*, example=DPSGD, device=None, noise="secure", rate=0.5, steps=2):
        training = replace(lab.training, rate=rate, steps=steps)
        return lab.configuration(training=training, noise=noise, example=example, device=device)

    return made


@pytest.fixture(scope="session")
def floor_of(text):
    def made(policy=None, **configuration):
        return floor(text(**configuration), policy or OperatorPolicy())

    return made


def test_by_default_the_floor_is_what_the_configuration_promises(text, floor_of):
    found = floor_of(example=DPSGD, device=LOCAL)
    assert (found.rate, found.steps) == (0.5, 2)
    assert (found.noise_multiplier, found.clip) == (1.0, 0.3)
    assert (found.update_noise, found.update_clip) == (6.0, 2.0)
    assert found.visits == 3
    assert found.private
    assert found.consented
    assert (
        found.configuration
        == hashlib.sha256(text(example=DPSGD, device=LOCAL).encode()).hexdigest()
    )


INTEGERS = replace(DPSGD, numbers="integers")


def test_the_floor_asks_for_integers_where_they_are_configured_and_only_there(floor_of):
    assert floor_of(example=INTEGERS).integers
    assert not floor_of().integers
    assert not floor_of(example=NoExample(), device=LOCAL).integers


def test_noise_in_integers_that_follows_from_epsilon_is_the_servers_to_nine_digits(
    lab, floor_of
):
    derived = replace(INTEGERS, epsilon=8.2, noise_multiplier=None)
    found = floor_of(example=derived)
    privacy = Privacy(noise="secure", claim=False, example=derived, device=NoDevice())
    run = Federation(devices=10, rounds=8, cohort=2.0)
    protection = Protection.of(privacy, visit=lab.training, run=run)
    asked = asked_by_server(lab.training, privacy, protection)
    assert found.noise_multiplier < asked.noise_multiplier
    assert found.noise_multiplier == pytest.approx(asked.noise_multiplier, rel=2e-9)
    assert found.declines(asked, visits=3) is None
    floats = replace(asked, integers=False)
    assert found.declines(floats, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_visits_in_integers_are_counted_by_their_own_epsilon(floor_of):
    assert floor_of(example=replace(INTEGERS, epsilon=8.2)).visits == 3
    assert floor_of(OperatorPolicy(max_epsilon=8.2), example=INTEGERS).visits == 3


def test_noise_that_follows_from_epsilon_is_the_floor_to_nine_digits(floor_of):
    found = floor_of(example=replace(DPSGD, epsilon=8.2, noise_multiplier=None))
    # Four visits cost 9.34 at σ = 1: 8.2 needs more.
    assert 1.0 < found.noise_multiplier < 1.2
    assert found.visits == 4
    derived = noise_search.noise_multiplier(8.2, delta=1e-5, rate=0.5, steps=8)
    assert found.noise_multiplier == pytest.approx(derived, rel=2e-9)
    assert found.noise_multiplier < derived
    local = floor_of(
        example=NoExample(), device=replace(LOCAL, epsilon=3.0, noise_multiplier=None)
    )
    assert get_epsilon_gaussian(local.update_noise / (2 * math.sqrt(3)), 1e-5) == (
        pytest.approx(3.0, rel=1e-6)
    )


@pytest.mark.parametrize(
    ("epsilon", "visits"), [(4.8, 0), (4.9, 1), (8.1, 2), (8.2, 3), (99, 4)]
)
def test_an_epsilon_beside_a_noise_is_a_budget(epsilon, visits, floor_of):
    assert floor_of(example=replace(DPSGD, epsilon=epsilon)).visits == visits


def test_a_budget_of_local_noise_is_counted_in_closed_form(floor_of):
    of = [get_epsilon_gaussian(6 / (2 * math.sqrt(k)), 1e-5) for k in range(1, 7)]
    endless = replace(LOCAL, max_participations=1_000_000)
    for visits in (1, 2, 5):
        between = (of[visits - 1] + of[visits]) / 2
        found = floor_of(example=NoExample(), device=replace(endless, epsilon=between))
        assert found.visits == visits


def test_where_the_server_adds_the_noise_a_device_policy_a_private_run_only(floor_of):
    found = floor_of(example=NoExample(), device=GAUSSIAN)
    assert found.private
    assert (found.noise_multiplier, found.update_noise) == (0.0, 0.0)
    assert (found.clip, found.update_clip) == (math.inf, math.inf)
    assert found.visits is None


def test_a_configuration_without_privacy_promises_none(floor_of):
    found = floor_of(example=NoExample())
    assert not found.private
    assert (found.noise_multiplier, found.clip, found.visits) == (0.0, math.inf, None)


def test_an_operator_tightens_each_term_and_loosens_none(floor_of):
    tight = OperatorPolicy(max_epsilon=8.2, min_noise=1.5, max_clip=0.1)
    found = floor_of(tight)
    assert (found.noise_multiplier, found.clip) == (1.5, 0.1)
    assert found.visits == 3
    loose = OperatorPolicy(max_epsilon=100, min_noise=0.5, max_clip=10, max_exposure=100)
    assert floor_of(loose) == floor_of()


def test_an_operators_epsilon_is_counted_at_the_configured_noise(floor_of):
    """Else visits before ``min-noise`` was raised would count for less than they cost."""
    assert floor_of(OperatorPolicy(max_epsilon=8.2, min_noise=3.0)).visits == 3


@pytest.mark.parametrize(("exposure", "visits"), [(0.99, 0), (1.0, 1), (2.99, 2), (3.0, 3)])
def test_exposure_is_rate_times_steps_times_visits(exposure, visits, floor_of):
    assert floor_of(OperatorPolicy(max_exposure=exposure)).visits == visits


def test_exposure_is_counted_to_the_last_visit_whatever_the_digits_of_the_rate(floor_of):
    # 0.1 · 3 is 0.30000000000000004
    many = replace(DPSGD, max_participations=10)
    assert (
        floor_of(OperatorPolicy(max_exposure=0.9), example=many, rate=0.1, steps=3).visits == 3
    )


def test_policy_hold_for_the_noise_and_the_clip_of_an_update_too(floor_of):
    local = {"example": NoExample(), "device": LOCAL}
    found = floor_of(OperatorPolicy(min_noise=7.0, max_clip=1.0), **local)
    assert (found.update_noise, found.update_clip) == (7.0, 1.0)
    assert (found.noise_multiplier, found.clip) == (0.0, math.inf)
    once = get_epsilon_gaussian(6 / 2, 1e-5)
    assert floor_of(OperatorPolicy(max_epsilon=once + 0.01), **local).visits == 1
    central = floor_of(OperatorPolicy(max_clip=1.0), example=NoExample(), device=GAUSSIAN)
    assert central.update_clip == 1.0


@pytest.mark.parametrize(
    "policy", [OperatorPolicy(max_epsilon=9.0), OperatorPolicy(min_noise=0.1)]
)
@pytest.mark.parametrize("device", [NoDevice(), GAUSSIAN])
def test_an_operator_who_wants_noise_gets_it_on_the_device_or_takes_part_in_nothing(
    policy, device, floor_of
):
    found = floor_of(policy, example=NoExample(), device=device)
    assert found.visits == 0
    assert found.private


def test_noise_that_the_seed_tells_is_none_to_an_operator(floor_of):
    assert floor_of(noise="insecure_seeded").visits == 4
    for policy in (
        OperatorPolicy(max_epsilon=9.0),
        OperatorPolicy(min_noise=0.1),
        OperatorPolicy(max_clip=1.0),
        OperatorPolicy(max_exposure=9.0),
    ):
        assert floor_of(policy, noise="insecure_seeded").visits == 0


def test_an_operators_epsilon_has_a_delta_of_its_own_at_most(floor_of):
    """A configuration that allows δ = 0.09 would make any ε small."""
    vague = replace(LOCAL, delta=0.09)
    once = get_epsilon_gaussian(6 / 2, 1e-5)
    for budget, visits in ((once - 0.01, 0), (once + 0.01, 1)):
        found = floor_of(OperatorPolicy(max_epsilon=budget), example=NoExample(), device=vague)
        assert found.visits == visits


def test_a_delta_that_would_publish_one_of_the_devices_is_refused(floor_of):
    # ten devices: one of them whole, at δ = 1/10
    with pytest.raises(
        ValueError, match=r"^privacy\.device\.delta=0\.1 would allow one of the 10"
    ):
        floor_of(OperatorPolicy(), example=NoExample(), device=replace(LOCAL, delta=0.1))


def test_a_clip_or_an_exposure_makes_a_run_without_privacy_too_weak(lab, floor_of):
    for policy in (OperatorPolicy(max_clip=1.0), OperatorPolicy(max_exposure=9.0)):
        found = floor_of(policy, example=NoExample())
        plain = replace(lab.plain, rate=0.5, steps=2)
        assert found.declines(plain, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_another_text_is_not_what_the_operator_agreed_to(text):
    agreed = OperatorPolicy(config_digest=hashlib.sha256(text().encode()).hexdigest())
    assert floor(text(), agreed).consented
    assert not floor(text() + " ", agreed).consented


def test_a_setting_that_the_promise_needs_is_missed_by_its_name(text, floor_of):
    with pytest.raises(SettingError, match=r"^privacy\.example\.delta=null must be a finite"):
        floor_of(example=replace(DPSGD, delta=None))
    with pytest.raises(SettingError, match=r"^privacy\.device\.clip=null must be a finite"):
        floor_of(device=replace(LOCAL, clip=None))
    for unit, chosen in (("example", DPSGD), ("device", LOCAL)):
        named = rf"^privacy\.{unit}\.max_participations=null must be a whole number"
        with pytest.raises(SettingError, match=named):
            floor_of(**{unit: replace(chosen, max_participations=None)})
    with pytest.raises(SettingError, match="'training' is missing"):
        floor(text().replace('"training"', '"trianing"'), OperatorPolicy())


def test_a_setting_that_another_kind_of_protection_has_is_refused(text):
    """Else a device would promise something else than the words of the configuration."""
    for unit, stray, owner in (
        ("example", '"delta": 1e-05', "dpsgd"),
        ("device", '"max_participations": 3', "local"),
    ):
        plain = f'"{unit}": {{"mechanism": "none"'
        written = text(example=NoExample())
        assert plain in written
        named = rf"^privacy\.{unit}\.\w+ belongs to .*privacy/{unit}={owner}"
        with pytest.raises(SettingError, match=named):
            floor(written.replace(plain, f"{plain}, {stray}"), OperatorPolicy())


def test_the_floor_is_derived_once_for_all_devices_of_a_run(monkeypatch, floor_of):
    floor_of(OperatorPolicy(max_epsilon=8.0))
    monkeypatch.setattr(configured_floor, "read_sections", None)
    for _ in range(64):
        assert floor_of(OperatorPolicy(max_epsilon=8.0)).visits == 2


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
def test_whatever_a_server_sends_no_moment_pays_more_than_the_budget(works, floor_of):
    visits = shown(works, floor_of(example=replace(DPSGD, epsilon=BUDGET)))
    assert example_epsilon(visits) <= BUDGET
    asked = shown(works, floor_of(OperatorPolicy(max_epsilon=5.0)))
    assert example_epsilon(asked) <= 5.0


@settings(deadline=None, max_examples=200)
@given(works=st.lists(SENT, max_size=10), budget=st.floats(0.5, 8))
@example(works=[AT_FLOOR] * 10, budget=2.0)
@example(works=[replace(AT_FLOOR, update_noise=20.0), AT_FLOOR] * 5, budget=2.0)
def test_whatever_a_server_sends_no_library_pays_more_than_the_budget(works, budget, floor_of):
    endless = replace(LOCAL, max_participations=1_000_000, epsilon=budget)
    visits = shown(works, floor_of(example=NoExample(), device=endless))
    assert update_epsilon(visits) <= budget * (1 + 1e-9)


def test_an_honest_server_gets_every_visit_that_was_promised(floor_of):
    found = floor_of(example=replace(DPSGD, epsilon=BUDGET))
    assert len(shown([AT_FLOOR] * 10, found)) == 3
    assert example_epsilon([AT_FLOOR] * 3) == pytest.approx(8.105, abs=0.01)
    derived = floor_of(example=replace(DPSGD, epsilon=BUDGET, noise_multiplier=None))
    honest = noise_search.noise_multiplier(BUDGET, delta=1e-5, rate=0.5, steps=8)
    visits = shown([replace(AT_FLOOR, noise_multiplier=honest)] * 10, derived)
    assert len(visits) == 4
    assert BUDGET - 0.2 < example_epsilon(visits) <= BUDGET


def test_terms_that_alternate_pass_no_budget_that_a_count_of_its_own_for_each_would(floor_of):
    found = floor_of(example=replace(DPSGD, epsilon=BUDGET))
    other = replace(AT_FLOOR, noise_multiplier=1.001)
    assert example_epsilon([AT_FLOOR, other] * 3) > BUDGET + 1
    assert shown([AT_FLOOR, other] * 3, found) == [AT_FLOOR, other, AT_FLOOR]
