import dataclasses
import json
import re
from functools import cache

import pytest
from rich.console import Console

from privacy.noise import SeededSource
from privacy.planning.selection import Selection
from simulations.configuration.hydra_bridge import compose
from simulations.ledgers.run_ledger import show_run
from simulations.studies.search import cost, drawn, is_claim, recomputed, report_lines

ARMS = (
    "study=search",
    '+study.arms.slow=["training.lr=0.1"]',
    '+study.arms.quick=["training.lr=1"]',
    "study.seed=1",
)


@pytest.fixture(scope="module")
def composed(tiny):
    """Composes the small run with more typed after it, once."""
    return cache(lambda *words: compose([*tiny, *words]))


@pytest.fixture(scope="module")
def arms(composed):
    """Two arms, of which one has a lower learning rate."""
    return lambda *words: {
        "slow": composed(*words, "training.lr=0.1"),
        "quick": composed(*words),
    }


@pytest.fixture(scope="module")
def of_choice(arms):
    """Gives what a choice between both arms costs."""

    def of_choice(trials, *words, unit="example", distribution="geometric"):
        selection = Selection(trials=trials, distribution=distribution)
        return cost(selection, arms(*words), unit=unit, devices=6)

    return of_choice


def test_a_choice_costs_more_than_a_run_and_more_with_every_trial_expected(composed, of_choice):
    single = composed().privacy.example.epsilon
    costs = [of_choice(trials)[0] for trials in (1, 2, 8)]
    assert costs == sorted(costs)
    assert single <= costs[1]
    assert costs[2] < 8 * single


def test_the_costliest_arm_is_what_counts(composed):
    """Noise of half, everything else alike: the same as both arms with that noise."""
    loud = composed("privacy.example.noise_multiplier=2", "privacy.example.epsilon=null")
    soft = dataclasses.replace(
        loud,
        privacy=dataclasses.replace(
            loud.privacy,
            example=dataclasses.replace(loud.privacy.example, noise_multiplier=1.0),
        ),
    )
    selection = Selection(trials=3)
    mixed = cost(selection, {"loud": loud, "soft": soft}, unit="example", devices=6)
    alike = cost(selection, {"a": soft, "b": soft}, unit="example", devices=6)
    assert mixed == alike


def test_an_arm_without_protection_leaves_no_promise_for_the_choice(arms, composed, of_choice):
    assert of_choice(2, unit="device") is None
    mixed = {**arms(), "open": composed("privacy/example=none")}
    assert cost(Selection(trials=2), mixed, unit="example", devices=6) is None


@pytest.mark.parametrize("choice", ["gaussian", "adaptive", "matrix", "local"])
def test_every_mechanism_of_the_unit_device_can_be_searched(of_choice, choice):
    words = (f"privacy/device={choice}", "privacy.device.delta=1e-3", "server.cohort=2")
    epsilon, delta = of_choice(2, *words, unit="device")
    assert 8 * 0.9 < epsilon < 8 * 3
    assert delta == 1e-3


def test_trials_are_drawn_from_all_arms_alike():
    selection = Selection(trials=2000, distribution="poisson")
    names = drawn(selection, ("a", "b", "c", "d"), source=SeededSource(4))
    assert len(names) == pytest.approx(2000, abs=4 * 2000**0.5)
    for name in "abcd":
        assert names.count(name) == pytest.approx(
            len(names) / 4, abs=4 * (len(names) / 5.3) ** 0.5
        )


def test_a_search_is_of_the_seed_that_is_typed_unless_it_has_its_own(composed):
    assert composed(*ARMS[:-1], "seed=5").study.seed == 5
    assert composed(*ARMS, "seed=5").study.seed == 1


def test_a_search_tells_its_best_trial_and_what_the_choice_cost(simulated, tmp_path, capsys):
    folder = simulated(tmp_path, *ARMS, "study.trials=2", "name=find")
    found = json.loads((folder.private / "search.json").read_text())
    trials = found["simulation_only"]["trials"]
    assert found["best"] == max(trials, key=lambda trial: trial["score"])["arm"]
    lines = recomputed(folder.private / "search.json")
    assert lines[0] == f"Best: {found['best']}"
    assert re.fullmatch(
        r"ε of the choice ≤ \d+\.\d\d at δ = 1e-05 for each moment of a device,", lines[1]
    )
    assert lines[2] == "  against who sees the best trial and no other"
    assert lines[3] == (
        "no ε of the choice for each device's whole library: an arm does not protect it"
    )
    shown = capsys.readouterr().out
    assert all(line in shown for line in lines)
    assert show_run(folder.path, Console(), lines=False)
    shown = capsys.readouterr().out
    assert shown.count("example.jsonl") == len(trials)
    assert all(line in shown for line in lines)


def test_a_search_is_no_claim_where_any_of_its_draws_is_seeded(composed):
    secure, seeded = composed(), composed("privacy.noise=insecure_seeded")
    assert is_claim(secure, {"a": secure})
    assert not is_claim(seeded, {"a": secure})
    assert not is_claim(secure, {"a": secure, "b": seeded})
    (_, said, caveat) = report_lines({"example": (3.0, 1e-5)}, best="a", claim=False)
    assert said.startswith("ε of the choice ≤ 3.00")
    assert caveat.endswith("(not a claim: the draws follow from the seed)")


def test_a_draw_of_no_trial_is_said():
    assert report_lines({}, best=None, claim=True) == [
        "The draw was no trial: there is nothing to release."
    ]


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (
            '["photos.devices=4","server.cohort=2"]',
            r"^study: the arm other changes photos",
        ),
        (
            '["privacy/example=none"]',
            r"^study=search: no unit is protected in every arm",
        ),
    ],
)
def test_a_search_without_one_epsilon_is_refused_before_it_trains(
    simulated, tmp_path, arm, message
):
    with pytest.raises(ValueError, match=message):
        simulated(tmp_path / "runs", *ARMS, f"+study.arms.other={arm}")
    assert not (tmp_path / "runs").exists()


def test_a_damaged_search_is_refused_by_name(tmp_path):
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(ValueError, match=r"search\.json is damaged or another version"):
        recomputed(tmp_path / "search.json")
