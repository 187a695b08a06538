"""The floor of a run: what its configuration promises, and what its operator demands."""

import hashlib
import math
from dataclasses import replace

import pytest
from dp_accounting import get_epsilon_gaussian

from client.consent import configured_floor
from client.consent.configured_floor import floor
from client.consent.operator import OperatorPolicy
from privacy.accounting import noise_search
from privacy.mechanisms.base.unit_settings import Federation
from privacy.mechanisms.base.unprotected import NoDevice
from privacy.protection.derivation import Protection
from privacy.protection.settings import Privacy
from protocol.messages import DeclineReason
from protocol.rebuild import SettingError
from server.visit_terms import visit_terms as asked_by_server


def test_by_default_the_floor_is_what_the_configuration_promises(text, floor_of, dpsgd, local):
    found = floor_of(example=dpsgd, device=local)
    assert (found.rate, found.steps) == (0.5, 2)
    assert (found.noise_multiplier, found.clip) == (1.0, 0.3)
    assert (found.update_noise, found.update_clip) == (6.0, 2.0)
    assert found.visits == 3
    assert found.private
    assert found.consented
    assert (
        found.configuration
        == hashlib.sha256(text(example=dpsgd, device=local).encode()).hexdigest()
    )


@pytest.fixture
def integers(dpsgd):
    return replace(dpsgd, numbers="integers")


def test_the_floor_asks_for_integers_where_they_are_configured_and_only_there(
    floor_of, local, integers
):
    assert floor_of(example=integers).integers
    assert not floor_of().integers
    assert not floor_of(example=None, device=local).integers


def test_noise_in_integers_that_follows_from_epsilon_is_the_servers_to_nine_digits(
    lab, floor_of, integers
):
    derived = replace(integers, epsilon=8.2, noise_multiplier=None)
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


def test_visits_in_integers_are_counted_by_their_own_epsilon(floor_of, integers):
    assert floor_of(example=replace(integers, epsilon=8.2)).visits == 3
    assert floor_of(OperatorPolicy(max_epsilon=8.2), example=integers).visits == 3


def test_noise_that_follows_from_epsilon_is_the_floor_to_nine_digits(floor_of, dpsgd, local):
    found = floor_of(example=replace(dpsgd, epsilon=8.2, noise_multiplier=None))
    # Four visits cost 9.34 at σ = 1: 8.2 needs more.
    assert 1.0 < found.noise_multiplier < 1.2
    assert found.visits == 4
    derived = noise_search.noise_multiplier(8.2, delta=1e-5, rate=0.5, steps=8)
    assert found.noise_multiplier == pytest.approx(derived, rel=2e-9)
    assert found.noise_multiplier < derived
    update = floor_of(example=None, device=replace(local, epsilon=3.0, noise_multiplier=None))
    assert get_epsilon_gaussian(update.update_noise / (2 * math.sqrt(3)), 1e-5) == (
        pytest.approx(3.0, rel=1e-6)
    )


@pytest.mark.parametrize(
    ("epsilon", "visits"), [(4.8, 0), (4.9, 1), (8.1, 2), (8.2, 3), (99, 4)]
)
def test_an_epsilon_beside_a_noise_is_a_budget(epsilon, visits, floor_of, dpsgd):
    assert floor_of(example=replace(dpsgd, epsilon=epsilon)).visits == visits


def test_a_budget_of_local_noise_is_counted_in_closed_form(floor_of, local):
    of = [get_epsilon_gaussian(6 / (2 * math.sqrt(k)), 1e-5) for k in range(1, 7)]
    endless = replace(local, max_participations=1_000_000)
    for visits in (1, 2, 5):
        between = (of[visits - 1] + of[visits]) / 2
        found = floor_of(example=None, device=replace(endless, epsilon=between))
        assert found.visits == visits


def test_where_the_server_adds_the_noise_a_device_demands_a_private_run_only(
    floor_of, gaussian
):
    found = floor_of(example=None, device=gaussian)
    assert found.private
    assert (found.noise_multiplier, found.update_noise) == (0.0, 0.0)
    assert (found.clip, found.update_clip) == (math.inf, math.inf)
    assert found.visits is None


def test_a_configuration_without_privacy_promises_none(floor_of):
    found = floor_of(example=None)
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


def test_exposure_is_counted_to_the_last_visit_whatever_the_digits_of_the_rate(floor_of, dpsgd):
    many = replace(dpsgd, max_participations=10)
    assert (
        floor_of(OperatorPolicy(max_exposure=0.9), example=many, rate=0.1, steps=3).visits == 3
    )


def test_demands_hold_for_the_noise_and_the_clip_of_an_update_too(floor_of, local, gaussian):
    alone = {"example": None, "device": local}
    found = floor_of(OperatorPolicy(min_noise=7.0, max_clip=1.0), **alone)
    assert (found.update_noise, found.update_clip) == (7.0, 1.0)
    assert (found.noise_multiplier, found.clip) == (0.0, math.inf)
    once = get_epsilon_gaussian(6 / 2, 1e-5)
    assert floor_of(OperatorPolicy(max_epsilon=once + 0.01), **alone).visits == 1
    central = floor_of(OperatorPolicy(max_clip=1.0), example=None, device=gaussian)
    assert central.update_clip == 1.0


@pytest.mark.parametrize(
    "policy", [OperatorPolicy(max_epsilon=9.0), OperatorPolicy(min_noise=0.1)]
)
@pytest.mark.parametrize("at_server", [False, True])
def test_an_operator_who_wants_noise_gets_it_on_the_device_or_takes_part_in_nothing(
    policy, at_server, floor_of, gaussian
):
    found = floor_of(policy, example=None, device=gaussian if at_server else None)
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


def test_an_operators_epsilon_has_a_delta_of_its_own_at_most(floor_of, local):
    """A configuration that allows δ = 0.09 would make any ε small."""
    vague = replace(local, delta=0.09)
    once = get_epsilon_gaussian(6 / 2, 1e-5)
    for budget, visits in ((once - 0.01, 0), (once + 0.01, 1)):
        found = floor_of(OperatorPolicy(max_epsilon=budget), example=None, device=vague)
        assert found.visits == visits


def test_a_delta_that_would_publish_one_of_the_devices_is_refused(floor_of, local):
    with pytest.raises(
        ValueError, match=r"^privacy\.device\.delta=0\.1 would allow one of the 10"
    ):
        floor_of(OperatorPolicy(), example=None, device=replace(local, delta=0.1))


def test_a_clip_or_an_exposure_makes_a_run_without_privacy_too_weak(lab, floor_of):
    for policy in (OperatorPolicy(max_clip=1.0), OperatorPolicy(max_exposure=9.0)):
        found = floor_of(policy, example=None)
        plain = replace(lab.plain, rate=0.5, steps=2)
        assert found.declines(plain, visits=0) == DeclineReason.WEAKER_THAN_FLOOR


def test_another_text_is_not_what_the_operator_agreed_to(text):
    agreed = OperatorPolicy(config_digest=hashlib.sha256(text().encode()).hexdigest())
    assert floor(text(), agreed).consented
    assert not floor(text() + " ", agreed).consented


def test_a_setting_that_the_promise_needs_is_missed_by_its_name(text, floor_of, dpsgd, local):
    with pytest.raises(SettingError, match=r"^privacy\.example\.delta=null must be a finite"):
        floor_of(example=replace(dpsgd, delta=None))
    with pytest.raises(SettingError, match=r"^privacy\.device\.clip=null must be a finite"):
        floor_of(device=replace(local, clip=None))
    for unit, chosen in (("example", dpsgd), ("device", local)):
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
        written = text(example=None)
        assert plain in written
        named = rf"^privacy\.{unit}\.\w+ belongs to .*privacy/{unit}={owner}"
        with pytest.raises(SettingError, match=named):
            floor(written.replace(plain, f"{plain}, {stray}"), OperatorPolicy())


def test_the_floor_is_derived_once_for_all_devices_of_a_run(monkeypatch, floor_of):
    floor_of(OperatorPolicy(max_epsilon=8.0))
    monkeypatch.setattr(configured_floor, "read_sections", None)
    for _ in range(64):
        assert floor_of(OperatorPolicy(max_epsilon=8.0)).visits == 2
