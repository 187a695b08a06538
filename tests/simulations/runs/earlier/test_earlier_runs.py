"""A run that starts from another's weights counts what these have cost the same devices."""

import dataclasses
import io
import json
import shutil

import pytest
from rich.console import Console

from photos.folder.settings import FolderPhotos
from privacy.ledger.chain import examine
from privacy.statements.composition import composed
from simulations.configuration.hydra_bridge import compose
from simulations.ledgers.composed_runs import show_runs
from simulations.runs.earlier.earlier_runs import earlier_runs

FEW = ("privacy.example.epsilon=null", "privacy.example.noise_multiplier=3")


@pytest.fixture(scope="module")
def first(simulated, tmp_path_factory):
    """A private run of the small population, in a folder of its own."""
    return simulated(tmp_path_factory.mktemp("first"), *FEW)


@pytest.fixture
def started(simulated, first, tmp_path):
    """Runs from the weights of ``first``, or of another file, in an empty folder."""

    def started(*words, weights=None):
        runs = tmp_path / "runs"
        named = f'ranking.weights="{weights or first.model}"'
        return simulated(runs, *FEW, named, *words)

    return started


@pytest.fixture
def configured_from(first, tiny, tmp_path):
    """A configuration that starts from weights, of ``first`` where none are named."""

    def configured_from(*words, weights=None):
        named = f'ranking.weights="{weights or first.model}"'
        return compose([*tiny, *FEW, f'simulation.runs="{tmp_path}"', named, *words])

    return configured_from


def charges(run):
    found = examine(run.ledgers, "example")
    return found.terms, found.spent


def test_the_epsilon_of_both_runs_is_composed_in_the_card_the_screen_and_the_ledger(
    started, first, capsys
):
    second = started()
    said = capsys.readouterr().out

    (terms, one), (_, other) = charges(first), charges(second)
    visits = {one.of(device) + other.of(device) for device in range(6)}
    cost = composed([(terms, max(visits))]).reported

    both = second.card["example"]["with_earlier"]
    assert both["runs"] == [first.path.name]
    assert both["epsilon"] == pytest.approx(cost, rel=1e-3)
    assert both["epsilon"] > second.card["example"]["as_it_ran"]["worst"]
    assert f"the start weights come from {first.path.name}" in said
    assert f"With {first.path.name}, from which it started: ε ≤" in said

    screen = io.StringIO()
    assert show_runs([second.path], Console(file=screen, width=200))
    assert f"{first.path.name}, from which {second.path.name} started" in screen.getvalue()
    assert "2 together" in screen.getvalue()


def test_the_planned_epsilon_is_of_a_device_that_comes_as_often_as_it_may(
    configured_from, first
):
    config = configured_from()
    protection = config.protection(devices=6)

    planned = earlier_runs(config).planned(protection, unit="example")

    terms, spent = charges(first)
    new = protection.units["example"]
    assert planned is not None
    assert planned.reported == pytest.approx(
        composed([(terms, spent.most + new.times)]).reported, rel=1e-3
    )


def test_a_third_run_counts_the_first_though_that_was_deleted(simulated, tmp_path):
    first = simulated(tmp_path / "a", *FEW)
    second = simulated(tmp_path / "b", *FEW, f'ranking.weights="{first.model}"')
    shutil.rmtree(first.path)

    third = simulated(tmp_path / "c", *FEW, f'ranking.weights="{second.model}"')

    both = third.card["example"]["with_earlier"]
    assert len(both["runs"]) == 2
    assert both["epsilon"] > second.card["example"]["with_earlier"]["epsilon"]


def test_another_made_population_has_paid_nothing(configured_from):
    assert earlier_runs(configured_from("seed=7")).name is None


def test_public_weights_have_cost_no_device_of_a_run(tiny):
    for weights in ("public", "null"):
        config = compose([*tiny, "ranking=taste", f"ranking.weights={weights}"])
        assert earlier_runs(config).name is None


def test_a_file_that_was_moved_is_found_by_its_run_in_the_folder_of_runs(
    configured_from, first, tmp_path
):
    moved = shutil.copy(first.model, tmp_path / "moved.safetensors")
    shutil.copytree(first.path, tmp_path / first.path.name)

    found = earlier_runs(configured_from(weights=moved))

    assert (found.name, found.unknown) == (first.path.name, "")


def test_without_its_ledgers_the_cost_is_unknown_and_no_bound_is_told(
    started, first, tmp_path, capsys
):
    moved = shutil.copy(first.model, tmp_path / "moved.safetensors")

    second = started(weights=moved)

    both = second.card["example"]["with_earlier"]
    assert (both["epsilon"], both["unknown"]) == ("infinity", "its ledgers are not at hand")
    assert "no bound for each moment of a device" in capsys.readouterr().out


def test_privacy_claim_refuses_weights_whose_cost_is_unknown(configured_from, first, tmp_path):
    moved = shutil.copy(first.model, tmp_path / "moved.safetensors")

    with pytest.raises(ValueError, match=r"privacy.claim=true.*its ledgers are not at hand"):
        earlier_runs(configured_from("privacy.claim=true", weights=moved))


def test_privacy_claim_refuses_weights_of_a_run_without_privacy(simulated, tiny, tmp_path):
    open_run = simulated(tmp_path / "a", "privacy/example=none")
    words = [*tiny, *FEW, f'ranking.weights="{open_run.model}"']

    with pytest.raises(ValueError, match="did not protect what this run protects"):
        earlier_runs(compose([*words, "privacy.claim=true"]))
    told = earlier_runs(compose(words))
    protection = compose(words).protection(devices=6)
    assert told.planned(protection, unit="example") is None


@pytest.mark.parametrize("part", ["private/ledger/example.jsonl", "private/summary.json"])
def test_a_run_of_which_a_part_was_changed_is_not_taken_for_what_it_says(
    configured_from, first, tmp_path, part
):
    copied = tmp_path / "copied"
    shutil.copytree(first.path, copied)
    model = copied / first.model.relative_to(first.path)
    changed = copied / part
    changed.write_bytes(changed.read_bytes()[:-10])

    assert earlier_runs(configured_from(weights=model)).unknown


def test_photographs_are_never_known_to_be_of_other_devices(
    configured_from, first, tmp_path, monkeypatch
):
    copied = tmp_path / "copied"
    shutil.copytree(first.path, copied)
    config = copied / "private/config.yaml"
    folder = "photos: {source: folder, devices: null, held_out_devices: 0, "
    folder += "held_out_share: .3, side: 48, root: /x}\nseed: 0\n"
    config.write_text(folder)
    monkeypatch.setattr("simulations.runs.earlier.earlier_runs._whole", lambda run: True)
    model = copied / first.model.relative_to(first.path)
    theirs = configured_from(weights=model)
    assert earlier_runs(theirs).name is None  # drawings have no device in common with it

    ours = FolderPhotos(
        devices=None, held_out_devices=0, held_out_share=0.3, side=48, root="/y"
    )
    found = earlier_runs(dataclasses.replace(theirs, photos=ours))
    assert (found.name, found.aligned) == ("copied", False)


def test_what_is_shared_of_earlier_runs_is_what_they_promised(started, first):
    second = started()

    shared = json.loads((second.public / "privacy.json").read_text())["example"]
    ours, theirs = second.card["example"], first.card["example"]
    assert shared["with_earlier"] == {
        "runs": [first.path.name],
        "promised": {
            "epsilon": ours["epsilon"] + theirs["epsilon"],
            "delta": ours["delta"] + theirs["delta"],
        },
    }


def test_a_ledger_of_an_earlier_run_that_is_taken_away_is_missed(started, verified):
    second = started()
    shutil.rmtree(next((second.private / "earlier").iterdir()))

    holds, said = verified(second.path)

    assert not holds
    assert "has 0 ledgers of runs from which this one started" in said


def test_runs_in_a_folder_are_composed_apart_for_each_population_and_each_counts_once(
    simulated, tmp_path
):
    runs = tmp_path / "runs"
    first = simulated(runs, *FEW)
    simulated(runs, *FEW, f'ranking.weights="{first.model}"')
    simulated(runs, *FEW, "seed=5")
    simulated(runs, "privacy/example=none")

    screen = io.StringIO()
    assert show_runs([runs], Console(file=screen, width=200))

    assert screen.getvalue().count("2 together") == 1
