"""The table of choices holds the core's numbers and fits a terminal."""

import io
import math
import re

import numpy as np
import pytest
from rich.console import Console

from privacy.correlation import toeplitz
from privacy.mechanisms.correlated import separated_gaussian
from privacy.planning import target
from privacy.statements.profile import EPSILONS
from simulations.configuration.hydra_bridge import compose
from simulations.privacy import table
from simulations.privacy.plan import Choice, Plan
from simulations.privacy.table import show


def shown(config):
    screen = io.StringIO()
    show(config, Console(file=screen, width=80))
    return screen.getvalue()


@pytest.fixture(scope="module")
def printed(config):
    return shown(config)


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


def test_every_epsilon_has_a_row_and_more_privacy_costs_more_noise(printed):
    rows = [row(printed, f"{epsilon:g}") for epsilon in EPSILONS]
    for column in range(0, 8, 2):
        noise = [float(one[column]) for one in rows]
        assert noise == sorted(noise, reverse=True)


def test_where_next_to_no_noise_is_enough_or_none_is_there_is_a_bound_and_no_mean(
    config, monkeypatch
):
    found = {0.5: math.inf, 1.0: 0.0}
    usual = Choice(noise=1.23456, on_mean=0.098765)

    def choice(epsilon):
        return Choice(noise=found[epsilon], on_mean=1.0) if epsilon in found else usual

    monkeypatch.setattr(table, "choices", lambda plan: dict.fromkeys(table.HEADS, choice))
    rows = [line.split() for line in shown(config).splitlines()]
    assert ["0.5", *[">10000"] * 4] in rows
    assert ["1", *["<0.1"] * 4] in rows
    assert ["2", *["1.23", "0.099"] * 4] in rows


def test_what_is_not_solved_for_is_in_the_table_all_the_same():
    words = ["photos.devices=200", "server.cohort=20", "privacy/device=auto"]
    config = compose([*words, "privacy.device.delta=1e-3", "privacy/example=none"])
    printed = shown(config)
    assert "200 devices, " in printed
    assert "twice that noise" not in printed


def test_a_unit_that_is_off_gets_the_usual_delta_and_it_is_printed():
    config = compose(["photos.devices=2000", "privacy/device=none"])
    assert Plan.of(config).device_delta == 1 / 20_000
    assert "device   δ = 5e-05: a whole library" in shown(config)
