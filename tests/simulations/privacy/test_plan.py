"""`darkroom privacy plan`: the core's numbers in a table, and nothing that runs."""

import dataclasses
import io
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from privacy.correlation import toeplitz
from privacy.mechanisms.correlated import separated_gaussian
from privacy.planning import target
from simulations import command
from simulations.configuration.hydra_bridge import compose
from simulations.privacy.plan import Plan, choices
from simulations.privacy.question import Asked, Unit
from simulations.privacy.solution import Known, sentence, solved
from simulations.privacy.table import show

DEVICE = (
    "privacy/example=none",
    "privacy/device=gaussian",
    "photos.devices=1000",
    "server.cohort=50",
    "server.rounds=40",
    "privacy.device.epsilon=2",
)


@pytest.fixture(scope="module")
def config():
    return compose(DEVICE)


@pytest.fixture(scope="module")
def printed(config):
    screen = io.StringIO()
    show(config, Console(file=screen, width=80))
    return screen.getvalue()


@pytest.fixture
def darkroom(monkeypatch, capsys, tmp_path):
    """Runs the command in an empty folder, in which nothing may appear."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["darkroom", "privacy", "plan", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        assert not list(tmp_path.iterdir())
        return ended.value.code, said.out, said.err

    return run


def row(printed, epsilon):
    lines = (line.split() for line in printed.splitlines())
    return next(line[1:] for line in lines if len(line) == 9 and line[0] == epsilon)


@pytest.mark.parametrize("epsilon", ["0.5", "8"])
def test_a_row_holds_what_the_core_says_of_every_mechanism(config, printed, epsilon):
    plan, promised = Plan.of(config), float(epsilon)
    dpsgd = target.noise_multiplier(promised, plan.example, times=40)
    gaussian = target.noise_multiplier(promised, plan.gaussian, times=40)
    local = target.noise_multiplier(promised, plan.local, times=40)
    moments = config.training.rate * config.training.reference_size
    cells = row(printed, epsilon)
    assert cells[:4] == [
        f"{dpsgd:.3g}",
        f"{dpsgd / (moments * math.sqrt(50)):.2g}",
        f"{gaussian:.3g}",
        f"{gaussian / 50:.2g}",
    ]
    assert cells[6:] == [f"{local:.3g}", f"{local / math.sqrt(50):.2g}"]


def test_correlated_noise_is_compared_by_the_error_of_the_prefix_sums(config, printed):
    column = toeplitz.optimal(40, 20)
    # 1,000 devices in turns of 50: each twice in 40 rounds, 20 apart, in disjoint rows
    noise = separated_gaussian.least_noise(2.0, sensitivity=math.sqrt(2), delta=1e-4)
    inverse = toeplitz.inverse(column, 40)
    prefix = np.array([np.sum(np.cumsum(inverse[: t + 1]) ** 2) for t in range(40)])
    alone = np.arange(1, 41)
    independent = noise * math.sqrt(prefix.mean() / alone.mean())
    assert row(printed, "2")[4:6] == [f"{noise:.3g}", f"{independent / 50:.2g}"]


def test_the_table_fits_eighty_columns_and_says_the_facts(printed):
    assert max(map(len, printed.splitlines())) <= 80
    assert "1000 devices, 40 rounds, 50 expected in each" in printed
    assert "δ = 0.0001" in printed
    assert "ε ≤ 2 at δ = 0.0001 after 40 rounds needs noise multiplier" in printed
    assert re.search(
        r"twice that noise would last for \d+ rounds, or allow a cohort up", printed
    )


def test_a_unit_that_is_off_gets_a_usual_delta_and_it_is_printed():
    plan = Plan.of(compose(["photos.devices=2000", "privacy/device=none"]))
    assert plan.device_delta == 1 / 20_000
    assert Plan.of(compose(DEVICE)).example.delta == 1e-5


def test_noise_that_is_next_to_none_or_not_enough_is_no_error():
    plan = Plan.of(compose([*DEVICE, "privacy.device.delta=1e-12"]))
    gaussian = choices(plan)["gaussian"]
    assert gaussian(1e9).noise == 0
    assert math.isinf(gaussian(1e-9).noise)


def test_epsilon_of_the_noise_for_an_epsilon_is_that_epsilon(config):
    noise = solved(Asked.NOISE, Known.of(config))
    epsilon = solved(Asked.EPSILON, Known.of(config, noise=noise))
    assert 0.99 * 2 < epsilon <= 2


@pytest.mark.parametrize(
    ("unit", "extra"),
    [(Unit.EXAMPLE, ()), (Unit.DEVICE, ()), (Unit.DEVICE, ("privacy/device=local",))],
)
def test_solved_rounds_are_the_most(unit, extra):
    known = Known.of(compose([*DEVICE, *extra]), unit=unit, epsilon=2.0, noise=8.0)
    most = solved(Asked.ROUNDS, known)
    assert known.mechanism.epsilon(most) <= 2 < known.mechanism.epsilon(most + 1) / 0.997


def test_a_plan_in_integers_has_the_noise_of_float64_rounded_up():
    words = ("photos.devices=1000", "privacy/device=none")
    floats = Plan.of(compose(words))
    integers = Plan.of(compose([*words, "privacy.example.numbers=integers"]))
    noise = [choices(plan)["dpsgd"](2.0).noise for plan in (floats, integers)]
    assert noise[0] < noise[1] < noise[0] * (1 + 1e-6)
    known = Known.of(compose([*words, "privacy.example.numbers=integers"]), noise=noise[1])
    assert solved(Asked.EPSILON, known) <= 2


def test_a_plan_in_integers_that_needs_more_noise_than_there_is_says_so():
    words = ("photos.devices=1000", "privacy/device=none", "privacy.example.numbers=integers")
    strong = compose([*words, "training.rate=1", "training.steps=100"])
    assert math.isinf(choices(Plan.of(strong))["dpsgd"](0.1).noise)


def test_what_the_cohort_is_solved_for_is_the_rate_of_moments_in_a_step():
    known = Known.of(compose(DEVICE), unit=Unit.EXAMPLE, epsilon=2.0, noise=4.0)
    rate = solved(Asked.COHORT, known)
    assert rate == target.largest_rate(2.0, known.mechanism, visits=40)
    assert "with training.rate up to 0." in sentence(Asked.COHORT, rate, known)


def test_a_sentence_rounds_to_the_safe_side(config):
    known = Known.of(config, noise=1.0)
    assert "needs noise multiplier 1.235." in sentence(Asked.NOISE, 1.23401, known)
    assert "gives ε ≤ 1.235 at" in sentence(Asked.EPSILON, 1.23401, known)
    assert "a cohort up to 123.4." in sentence(Asked.COHORT, 123.49, known)


def test_one_number_is_one_sentence(darkroom):
    status, out, err = darkroom(*DEVICE, "--solve", "epsilon", "--noise", "2")
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
            [*DEVICE, "--unit", "example", "--solve", "noise"],
            "privacy.example.epsilon is null and this follows from it; add --epsilon.",
        ),
        (
            [*DEVICE, "privacy/device=local", "--solve", "cohort", "--noise", "9"],
            "with privacy/device=local a device's ε does not depend on the cohort; ask for "
            "rounds.",
        ),
        (
            ["photos=folder", "photos.root=DIR", "photos.devices=null"],
            "photos.devices is null: noise follows from the number of devices; add it, as "
            "photos.devices=72.",
        ),
        (
            [*DEVICE, "privacy.device.delta=0.01"],
            "privacy.device.delta=0.01 would allow one of the 1000 devices to be published "
            "whole; use one below 0.001.",
        ),
        (["--solv", "noise"], "'--solv' is not an option. Did you mean '--solve'?"),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(darkroom, words, sentence):
    assert darkroom(*words) == (1, "", f"darkroom: {sentence}\n")


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


@pytest.mark.parametrize(
    "setting",
    [
        ["privacy.device.numbers=integers"],
        ["privacy.device.noise_cohort=1000", "privacy.device.noise_population=100000"],
    ],
)
def test_a_plan_does_not_solve_for_another_mechanism_than_the_runs(setting):
    with pytest.raises(ValueError, match=r"^--solve knows no such privacy/device=gaussian"):
        Known.of(compose([*DEVICE, *setting]))


@pytest.mark.parametrize("mechanism", ["matrix", "auto"])
def test_what_is_not_solved_is_in_the_table_and_refused_with_the_way_out(mechanism, capsys):
    words = ["photos.devices=200", "server.cohort=20", f"privacy/device={mechanism}"]
    config = compose([*words, "privacy.device.delta=1e-3", "privacy/example=none"])
    show(config, Console(width=80))
    assert "matrix" in capsys.readouterr().out
    with pytest.raises(
        ValueError, match=rf"^--solve knows no such privacy/device={mechanism},"
    ):
        Known.of(config)


def test_devices_rest_no_longer_than_the_run():
    """A thousand devices in cohorts of 50 could rest 20 rounds; the run has 8."""
    plan = Plan.of(compose([*DEVICE, "server.rounds=8"]))
    found = dataclasses.replace(plan.matrix, epsilon=2.0).derive(plan.run)
    assert (found.separation, found.participations) == (8, 1)
