"""The recipes of CONTRIBUTING.md, followed to the letter on a copy of the tree.

A photo source is followed in ``tests/photos/test_new_source.py``.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recipes.encoder import ENCODER
from recipes.mechanism import MECHANISM
from recipes.on_devices import ON_DEVICES
from recipes.others import EXPERIMENT, LOSS, OPTIMIZER, PART, RULE
from safetensors.torch import load_file

from privacy.accounting import analytic_gaussian

# Every recipe is followed in a copy, in which runs and tools are started: 20 seconds.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGES = (
    *("client", "conf", "photos", "privacy"),
    *("protocol", "ranking", "server", "simulations"),
)
ENDINGS = (".py", ".yaml", ".safetensors")
TESTS = (
    "tests/test_doctests.py",
    "tests/ranking/losses/test_registry.py",
    "tests/ranking/model/test_build.py",
    "tests/shared/rankings.py",
    "tests/server/aggregation/test_optimizer.py",
    "tests/server/aggregation/test_rules.py",
)
CHOSEN = "hinge or margin or median or nesterov or farther or documentation or every_name"
CHOSEN += " or every_rule or every_optimizer or score- or grey"


RECIPES = {
    "A loss": LOSS,
    "A model part": PART,
    "An encoder": ENCODER,
    "A mechanism": MECHANISM,
    "A mechanism on devices": ON_DEVICES,
    "An aggregation rule": RULE,
    "A server optimizer": OPTIMIZER,
    "An experiment": EXPERIMENT,
}

STEADY = "simulate experiment=tiny privacy/device=steady"
OWN = "privacy/device=presence privacy/example=coinless"
COMMANDS = {
    "experiment": "simulate experiment=tiny simulation.runs=experiment",
    "mechanism": f"{STEADY} simulation.runs=mechanism",
    "its ledger": "ledger mechanism/*",
    "on devices": f"simulate experiment=tiny {OWN} simulation.runs=own",
    "ledgers of devices": "ledger own/*",
    "solved on devices": f"privacy plan {OWN} --solve noise",
    "solved for moments": f"privacy plan {OWN} --unit example --solve noise",
    "foreign setting": f"{STEADY} privacy.device.numbers=integers",
    "own setting elsewhere": "simulate privacy/device=gaussian privacy.device.margin=2",
    "out of range": f"{STEADY} privacy.device.margin=0.5",
    "loss": "simulate experiment=tiny ranking.loss=hinge server.rounds=1 simulation.runs=loss",
    "part": "simulate experiment=tiny ranking=score ranking.weights=public server.rounds=1 "
    "simulation.runs=part",
    "encoder": "simulate experiment=tiny ranking/encoder=grey ranking.encoder.cells=3 "
    "server.rounds=1 simulation.runs=encoder",
    "encoder over photographs": "simulate photos=folder photos.root=DIR ranking/encoder=grey "
    "--cfg job",
    "its setting elsewhere": "simulate ranking/encoder=real ranking.encoder.cells=3",
    "public list model": "simulate experiment=tiny ranking/encoder=grey ranking.weights=public",
    "rule": "simulate experiment=tiny server/aggregation=median simulation.runs=rule",
    "rule with noise": "simulate server/aggregation=median privacy/device=gaussian",
    "optimizer": "simulate experiment=tiny server/optimizer=nesterov simulation.runs=optimizer",
}
PROGRAM = """
import contextlib, glob, io, json, sys
import pytest

def answers(call):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            status = int(call())
        except SystemExit as end:
            status = end.code
    return {"status": status, "printed": printed.getvalue()}

def darkroom(command):
    from simulations.command import main

    words = [glob.glob(word) if "*" in word else [word] for word in command.split()]
    sys.argv = ["darkroom", *sum(words, [])]
    main()

commands, tests = json.loads(sys.argv[1])
found = {"tests": answers(lambda: pytest.main(tests))}
for name, command in commands.items():
    found[name] = answers(lambda: darkroom(command))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of all packages, after every recipe."""
    copy = tmp_path_factory.mktemp("tree")
    sources = [path for name in PACKAGES for path in (ROOT / name).rglob("*")]
    kept = [path for path in sources if path.suffix in ENDINGS]
    for path in [*kept, *(ROOT / name for name in TESTS), ROOT / "pyproject.toml"]:
        (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / path.relative_to(ROOT))
    for recipe in RECIPES.values():
        recipe.follow(copy)
    return copy


@pytest.fixture(scope="module")
def answers(tree) -> dict[str, dict]:
    """What each command says there, all in one process, and what the tests of a loss say."""
    line = [
        sys.executable,
        "-c",
        PROGRAM,
        json.dumps([COMMANDS, ["-v", "-k", CHOSEN, "tests"]]),
    ]
    done = subprocess.run(line, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def works(answer) -> str:
    assert answer["status"] == 0, answer["printed"]
    return answer["printed"]


def refusal(answer) -> str:
    assert answer["status"] == 1, answer["printed"]
    return answer["printed"].removeprefix("darkroom: ").strip()


def test_an_experiment_runs_under_its_own_name(answers, tree):
    assert "6 devices train, 2 never do" in works(answers["experiment"])
    (folder,) = (tree / "experiment").iterdir()
    assert "-tiny-" in folder.name


def test_a_mechanism_runs_and_its_epsilon_is_on_the_card(answers):
    printed = works(answers["mechanism"])
    noise = analytic_gaussian.noise(8.0, delta=1e-4)
    epsilon = analytic_gaussian.epsilon(2 * noise, delta=1e-4)
    assert f"ε ≤ {epsilon:.2f} at δ = 0.0001 for each device's whole library" in printed
    assert f"steady noise {2 * 2**0.5 * noise:.2f} × clip 1" in printed


def test_the_ledger_of_a_mechanism_is_verified_and_its_epsilon_found_anew(answers):
    printed = works(answers["its ledger"])
    epsilon = analytic_gaussian.epsilon(
        2 * analytic_gaussian.noise(8.0, delta=1e-4), delta=1e-4
    )
    assert "takes part  steady: with probability 0.833" in printed
    assert f"{epsilon:.2f} by closed form" in printed


def test_mechanisms_on_devices_run_and_their_epsilon_is_on_the_card(answers):
    printed = works(answers["on devices"])
    noise = analytic_gaussian.noise(8.0, delta=1e-5)
    assert "ε ≤ 8.00 at δ = 1e-05 for each moment of a device" in printed
    assert "ε ≤ 8.00 at δ = 1e-05 for each device's whole library" in printed
    # two visits, of two steps each
    assert f"noise {2**0.5 * noise:.2f} × clip 1 on updates" in printed
    assert f"noise {4**0.5 * noise:.2f} × clip 0.3, no coins" in printed


def test_the_ledgers_of_devices_are_verified_and_their_epsilon_found_anew(answers):
    printed = works(answers["ledgers of devices"])
    assert "takes part  presence: with probability 1" in printed
    assert "one device's whole library" in printed
    assert printed.count("ε worst     8.00 by closed form") == 2


def test_a_plan_does_not_solve_for_a_mechanism_on_devices_that_it_does_not_have(answers):
    for solved, setting in (
        ("solved on devices", "privacy/device=presence"),
        ("solved for moments", "privacy/example=coinless"),
    ):
        assert refusal(answers[solved]).startswith(f"--solve knows no such {setting}, only ")


def test_settings_of_another_mechanism_are_refused(answers):
    assert refusal(answers["foreign setting"]) == (
        "privacy.device.numbers belongs to privacy/device=gaussian: take that, or leave the "
        "setting out."
    )
    assert refusal(answers["own setting elsewhere"]) == (
        "privacy.device.margin belongs to privacy/device=steady: take that, or leave the "
        "setting out."
    )
    assert refusal(answers["out of range"]) == (
        "privacy.device.margin=0.5 is out of range: it must be at least 1 and at most 10."
    )


def test_a_loss_trains(answers):
    assert "hinge loss" in works(answers["loss"])


def test_a_part_of_the_model_is_trained_from_the_public_weights(answers):
    assert "score from public weights" in works(answers["part"])


def test_an_encoder_trains_and_the_model_is_as_wide_as_it_is(answers, tree):
    assert "over encoder grey" in works(answers["encoder"])
    (model,) = (tree / "encoder").glob("*/private/model.safetensors")
    assert load_file(model)["list_ranker.taste.weight"].shape == (1, 9)


def test_an_encoder_is_chosen_over_photographs_too(answers):
    assert "kind: grey" in works(answers["encoder over photographs"])


def test_what_an_encoder_does_not_have_is_refused(answers):
    assert refusal(answers["its setting elsewhere"]) == (
        "ranking.encoder.cells belongs to ranking/encoder=grey: take that, or leave the "
        "setting out."
    )
    assert "ranking/encoder=grey where the file has real" in refusal(
        answers["public list model"]
    )


def test_an_aggregation_rule_without_a_bound_runs_only_without_noise(answers):
    works(answers["rule"])
    assert "server.aggregation.rule=median has no bound" in refusal(answers["rule with noise"])


def test_a_server_optimizer_moves_parameters_that_devices_accept(answers, tree):
    works(answers["optimizer"])
    (metrics,) = (tree / "optimizer").rglob("metrics.jsonl")
    lines = metrics.read_text().splitlines()
    rounds = [json.loads(line)["simulation_only"] for line in lines]
    assert [one["admitted"] > 0 for one in rounds] == [False, True, True]
    assert [one["declined"] for one in rounds] == [{}, {}, {}]


def test_what_the_recipes_add_passes_the_tests_of_its_kind(answers):
    printed = works(answers["tests"])
    for name in (
        *("hinge", "losses.margin", "median", "score-changes", "nesterov", "every_rule"),
        "test_a_grey_photo",
    ):
        assert name in printed


@pytest.mark.parametrize("line", ["ruff format", "ruff check", "lint-imports"])
def test_what_the_recipes_add_is_clean(tree, line):
    program, *words = line.split()
    command = [Path(sys.executable).with_name(program), *words, "--no-cache"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", RECIPES)
def test_contributing_names_every_file_that_a_recipe_touches(name):
    _, recipes = (ROOT / "CONTRIBUTING.md").read_text().split("## Recipes")
    (answers,) = (part for part in recipes.split("\n\n") if part.startswith(f"**{name}.**"))
    recipe = RECIPES[name]
    touched = {f"{Path(path).parent}/" for path in recipe.files}
    touched |= {path for path, _, _ in recipe.lines}
    assert [path for path in sorted(touched) if path not in answers] == []
