"""What protects a run, derived once from its settings: ``privacy/protection/derivation.py``."""

import dataclasses

import pytest
from privacy_settings import DPSGD, GAUSSIAN, LOCAL, RUN, VISIT

from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.protection.derivation import Protection
from privacy.protection.settings import Privacy

CENTRAL = dataclasses.replace(GAUSSIAN, epsilon=None, noise_multiplier=1.0)


def protection(*, example=None, device=None, noise="secure", run=RUN):
    privacy = Privacy(
        noise=noise, claim=False, example=example or NoExample(), device=device or NoDevice()
    )
    return Protection.of(privacy, visit=VISIT, run=run)


def test_no_mechanism_is_none():
    assert NoDevice().protected(RUN) is None
    assert NoExample().protected(VISIT) is None
    nothing = protection()
    assert (nothing.example, nothing.device, nothing.units) == (None, None, {})


def test_each_unit_has_what_its_settings_ask_for():
    both = protection(example=DPSGD, device=CENTRAL)
    assert both.example == DPSGD.protected(VISIT)
    assert both.device.mechanism == CENTRAL.protected(RUN).mechanism
    assert both.units == {"example": both.example, "device": both.device}


def test_draws_from_the_seed_are_no_claim():
    assert protection(device=CENTRAL).claim
    assert not protection(device=CENTRAL, noise="insecure_seeded").claim


def test_without_a_budget_all_rounds_run():
    for device in (NoDevice(), CENTRAL, GAUSSIAN, LOCAL):
        assert protection(device=device).rounds == RUN.rounds


def test_the_rounds_end_where_the_budget_does():
    fixed = dataclasses.replace(CENTRAL, epsilon=1.5)
    found = protection(device=fixed, run=dataclasses.replace(RUN, rounds=40))
    assert 1 < found.rounds < 40
    assert found.device.mechanism.epsilon(found.rounds) <= 1.5
    assert found.device.mechanism.epsilon(found.rounds + 1) > 1.5


def test_visits_of_a_device_end_no_round():
    fixed = dataclasses.replace(LOCAL, noise_multiplier=3.0, max_participations=40)
    found = protection(device=fixed, run=dataclasses.replace(RUN, rounds=40))
    assert found.device.times < found.rounds == 40


@pytest.mark.parametrize(
    ("unit", "settings", "once"),
    [
        ("device", dataclasses.replace(CENTRAL, noise_multiplier=0.3, epsilon=0.5), "round"),
        ("device", dataclasses.replace(LOCAL, noise_multiplier=0.3, epsilon=0.5), "visit"),
        ("example", dataclasses.replace(DPSGD, noise_multiplier=0.3, epsilon=0.5), "visit"),
    ],
)
def test_a_budget_for_no_round_or_visit_is_refused(unit, settings, once):
    with pytest.raises(
        ValueError,
        match=rf"^privacy\.{unit}\.epsilon=0\.5 is passed by the first {once}, whose ε is .*: "
        rf"raise it or privacy\.{unit}\.noise_multiplier\.$",
    ):
        protection(**{unit: settings})
