import dataclasses
import json
import re
from pathlib import Path

import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.privacy import card

DEVICES = 240
BASE = (
    f"photos.devices={DEVICES}",
    "server.cohort=24",
    "server.rounds=6",
    "privacy/example=none",
)
DELTA = "privacy.device.delta=1e-3"


def promises(config, *, devices):
    moments = round(config.training.reference_size)
    return card.promises(config.protection(devices=devices), moments=moments)


def promise(*words):
    (found,) = promises(compose([*BASE, *words]), devices=DEVICES)
    return found


def told(*words):
    return " ".join(card.lines(promise(*words)))


@pytest.mark.parametrize(
    ("choice", "noise", "cohorts"),
    [
        ("gaussian", "× clip 0.5, at the server", "secret cohorts of 69 at most"),
        (
            "adaptive",
            "× a clip that follows the updates from 1, at the",
            "secret cohorts of 69",
        ),
        ("matrix", "correlated noise", "takes part every 6 rounds at most; who does is no"),
    ],
)
def test_each_mechanism_says_its_noise_and_who_takes_part(choice, noise, cohorts):
    text = told(f"privacy/device={choice}", DELTA)
    assert re.match(
        r"ε ≤ (7.9\d|8.00) at δ = 0.001 for each device.s whole library, after 6", text
    )
    assert noise in text
    assert cohorts in text


def test_integers_say_so():
    text = told("privacy/device=gaussian", "privacy.device.numbers=integers", DELTA)
    assert "discrete noise" in text
    assert "× clip 0.5 on integers, at the server a guess" in text
    assert "secret cohorts of 69 at most" in text


@pytest.mark.parametrize(
    ("numbers", "amount", "words"),
    [
        ("float64", "noise", "up to floating point"),
        ("integers", "integer noise", "proven of what runs"),
    ],
)
def test_a_moments_noise_says_in_which_numbers_it_is(numbers, amount, words):
    config = compose(["privacy/device=none", f"privacy.example.numbers={numbers}"])
    (found,) = promises(config, devices=120)
    assert re.fullmatch(rf"{amount} \d\.\d\d × clip 0\.3, on the device, {words}", found.noise)
    assert 7.9 < found.epsilon <= 8 < found.second
    assert max(map(len, card.lines(found))) <= 68


def test_bands_say_how_many_take_turns():
    words = ("privacy/device=matrix", "privacy.device.participation=bands", DELTA)
    assert "4 bands take turns, secret" in told(*words, "privacy.device.separation=4")


def test_auto_says_what_it_took_and_why():
    text = told("privacy/device=auto", DELTA)
    assert "auto took matrix: " in text
    assert " clips of noise add up, with gaussian " in text


def test_no_line_is_longer_than_a_terminal():
    for choice in ("gaussian", "adaptive", "matrix", "auto", "local"):
        found = promise(f"privacy/device={choice}", "privacy.device.delta=1e-3")
        assert max(map(len, card.lines(found))) <= 68


def test_a_larger_federation_is_reported_after_the_run_itself_and_as_what_it_is():
    words = ("privacy.device.noise_cohort=240", "privacy.device.noise_population=24000")
    found = promise("privacy/device=gaussian", "privacy.device.epsilon=2", DELTA, *words)
    lines = card.lines(found)
    assert found.epsilon > 2 >= found.extrapolated
    assert lines[0].startswith(f"ε ≤ {found.epsilon:.2f} at δ = 0.001")
    (place,) = [number for number, line in enumerate(lines) if "extrapolated" in line]
    assert place > 0
    assert "not of this run" in lines[place]
    assert "240 of 24000 devices" in " ".join(lines[place : place + 2])


def test_a_budget_says_where_the_run_stops():
    words = (
        "privacy.device.noise_multiplier=1",
        "privacy.device.epsilon=2",
        "server.rounds=60",
    )
    found = promise("privacy/device=gaussian", *words, DELTA)
    assert found.epsilon <= 2
    assert "stops there: one more of the 60 rounds would pass the budget" in found.remarks


def test_the_card_of_a_run_that_stopped_is_of_the_rounds_that_ran(tmp_path):
    config = compose([*BASE, "privacy/device=gaussian", DELTA])
    promised = promises(config, devices=DEVICES)
    found = card.plain(promised, as_it_ran={}, ledger=Path(tmp_path))["device"]
    assert found["as_it_ran"] is None
    assert found["extrapolated"] is None
    assert json.dumps(found)
    assert set(found) >= {field.name for field in dataclasses.fields(card.Guarantee)}


def test_a_promise_for_a_moment_says_what_it_is_worth_to_a_library():
    (found,) = promises(compose(["privacy/device=none"]), devices=120)
    (line,) = found.remarks
    assert line.startswith("for 16 moments together, as a group: ε ≤ 4")
    assert line.endswith(", in effect no promise")
    assert max(map(len, card.lines(found))) <= 68


@pytest.mark.parametrize(
    ("choice", "question"),
    [
        ("gaussian", "a guess whether a device took part: right at most "),
        ("local", "a guess whether it was this library: right at most "),
    ],
)
def test_a_card_says_how_often_a_guess_is_right(choice, question):
    found = promise(f"privacy/device={choice}", DELTA)
    (guess,) = [line for line in card.lines(found) if question in line]
    shown = float(re.fullmatch(rf"{question}(\S+)% of the time", guess)[1]) / 100
    assert shown - 1e-3 < found.profile.right <= shown
    (points,) = [line for line in card.lines(found) if "smaller ε" in line]
    told_at = re.findall(r"(\S+) at (\S+?)(?:,|$)", points.removeprefix("δ at smaller ε: "))
    assert [float(epsilon) for _, epsilon in told_at] == [0.5, 1.0, 2.0, 4.0]
    exact = [delta for epsilon, delta in found.profile.points if 0 < epsilon < found.epsilon]
    for (shown, _), delta in zip(told_at, exact, strict=True):
        assert delta <= float(shown) < 1.1 * delta


def test_the_profile_is_in_the_card_as_json(tmp_path):
    config = compose([*BASE, "privacy/device=gaussian", DELTA])
    promised = promises(config, devices=DEVICES)
    found = card.plain(promised, as_it_ran={}, ledger=Path(tmp_path))
    (profile,) = [one["profile"] for one in json.loads(json.dumps(found)).values()]
    assert profile["right"] == (1 + profile["points"][0][1]) / 2
    assert profile["points"][-1][1] <= 1e-3
    assert 0.01 < profile["caught"] < profile["right"]


def test_a_run_without_noise_has_no_profile():
    words = ("privacy.device.noise_multiplier=0", "privacy.device.epsilon=null")
    found = promise("privacy/device=gaussian", *words, DELTA)
    assert found.profile is None
    assert card.lines(found) == [
        "no bound for each device's whole library: noise 0.00 × clip 0.5, at the server"
    ]
