"""`darkroom privacy plan`: what every mechanism needs for every ε, and nothing that runs."""

import dataclasses
import math
import re
import subprocess
import sys

import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.privacy.plan import Plan, choices


@pytest.fixture
def asked(darkroom, tmp_path):
    """Asks for a plan in an empty folder, in which nothing may appear."""

    def asked(*words):
        said = darkroom("privacy", "plan", *words)
        assert not list(tmp_path.iterdir())
        return said

    return asked


def test_a_unit_that_is_off_gets_a_usual_delta(config):
    plan = Plan.of(compose(["photos.devices=2000", "privacy/device=none"]))
    assert plan.device_delta == 1 / 20_000
    assert Plan.of(config).example.delta == 1e-5


def test_noise_that_is_next_to_none_or_not_enough_is_no_error(planned):
    plan = Plan.of(compose([*planned, "privacy.device.delta=1e-12"]))
    gaussian = choices(plan)["gaussian"]
    assert gaussian(1e9).noise == 0
    assert math.isinf(gaussian(1e-9).noise)


def test_a_plan_in_integers_that_needs_more_noise_than_there_is_says_so():
    words = ("photos.devices=1000", "privacy/device=none", "privacy.example.numbers=integers")
    strong = compose([*words, "training.rate=1", "training.steps=100"])
    assert math.isinf(choices(Plan.of(strong))["dpsgd"](0.1).noise)


def test_one_number_is_one_sentence(asked, planned):
    status, out, err = asked(*planned, "--solve", "epsilon", "--noise", "2")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        r"noise multiplier 2 gives ε ≤ 0\.\d+ at δ = 0\.0001 after 40 rounds\.\n", out
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["server.ruonds=3"],
            "'server.ruonds' is not a setting. Did you mean 'server.rounds'?",
        ),
        (
            ["privacy/device=none", "--solve", "rounds"],
            "privacy.example.noise_multiplier is null and this follows from it; add --noise.",
        ),
        (
            ["photos=folder", "photos.root=DIR", "photos.devices=null"],
            "photos.devices is null: noise follows from the number of devices; add it, as "
            "photos.devices=72.",
        ),
        (["--solv", "noise"], "'--solv' is not an option. Did you mean '--solve'?"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(asked, words, sentence):
    assert asked(*words) == (1, "", f"darkroom: {sentence}\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--unit", "example", "--solve", "noise"],
            "privacy.example.epsilon is null and this follows from it; add --epsilon.",
        ),
        (
            ["privacy/device=local", "--solve", "cohort", "--noise", "9"],
            "with privacy/device=local a device's ε does not depend on the cohort; ask for "
            "rounds.",
        ),
        (
            ["privacy.device.delta=0.01"],
            "privacy.device.delta=0.01 would allow one of the 1000 devices to be published "
            "whole; use one below 0.001.",
        ),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(asked, planned, words, sentence):
    assert asked(*planned, *words) == (1, "", f"darkroom: {sentence}\n")


def test_help_answers_before_anything_heavy_is_imported():
    program = (
        "import sys; from simulations import command\n"
        "sys.argv = ['darkroom', 'privacy', 'plan', '--help']\n"
        "try: command.main()\n"
        "finally: print({'torch', 'scipy', 'dp_accounting', 'hydra'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("set()\n")
    assert "--solve" in done.stdout


def test_devices_rest_no_longer_than_the_run(planned):
    """A thousand devices in cohorts of 50 could rest 20 rounds; the run has 8."""
    plan = Plan.of(compose([*planned, "server.rounds=8"]))
    found = dataclasses.replace(plan.matrix, epsilon=2.0).derive(plan.run)
    assert (found.separation, found.participations) == (8, 1)
