"""One run: its model, its figures and its ε are those of what the server released."""

import json

import numpy as np
import pytest
from rankings import ranker
from safetensors.torch import load_file

from ranking.model.build import trainable_names
from ranking.parameters import flatten
from ranking.weights import load_weights
from server.model import ServerModel
from simulations.configuration.hydra_bridge import compose
from simulations.evaluation.judge import Judge
from simulations.federation.federation import federate
from simulations.runs import course
from simulations.runs import run as performing
from simulations.runs.recorder import plain_figures

HEAD = ("ranking=head", "training.steps=2")
SEEDED = "privacy.noise=insecure_seeded"


@pytest.fixture(scope="module")
def plain(simulated, tmp_path_factory):
    """A run of the small configuration."""
    return simulated(tmp_path_factory.mktemp("runs"))


def test_the_resolved_configuration_runs_again(plain, tiny):
    assert plain.config == compose([*tiny, f"simulation.runs={plain.path.parent}"])


def test_every_figure_of_a_held_out_device_is_labelled_simulation_only(plain):
    assert len(plain.rows) == 3
    for row in plain.rows:
        assert set(row) == {"round", "privacy", "released", "simulation_only", "machine"}
        assert {"invited", "admitted", "missing", "loss"} <= set(row["simulation_only"])


def test_the_epsilon_printed_is_that_of_the_rounds_that_ran(plain):
    privacy = plain.summary["privacy"]["example"]
    assert 0 < privacy["median"] <= privacy["worst"] <= privacy["ceiling"] <= 8
    assert privacy["delta"] == 1e-5


def test_seeded_runs_are_equal_bit_for_bit_and_secure_ones_differ(simulated, tmp_path):
    models = []
    for number, words in enumerate([(SEEDED,), (SEEDED,), (), ()]):
        folder = simulated(tmp_path / str(number), *HEAD, *words)
        models.append(load_file(folder.model)["list_ranker.reader.read.weight"])
    seeded, again, one, two = (model.numpy() for model in models)
    assert (seeded == again).all()
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("trained", ["taste", "taste_scenes", "head", "lora", "all"])
def test_every_choice_of_what_is_trained_runs(simulated, tmp_path, trained):
    folder = simulated(tmp_path, f"ranking={trained}", "server.rounds=1")
    assert folder.summary["status"] == "finished"


def saved(folder):
    """The parameters that were trained, of the ranker that a run left."""
    trained = folder.config.ranking.trained
    left = ranker(trained)
    load_weights(left, folder.model)
    return flatten(left, trainable_names(left, trained))


def test_the_model_that_is_saved_is_the_one_that_the_server_returned(
    simulated, tmp_path, monkeypatch
):
    returned = []

    def moved(*words, **named):
        returned.append(federate(*words, **named) + np.float32(1))
        return returned[0]

    monkeypatch.setattr(course, "federate", moved)
    assert (saved(simulated(tmp_path)) == returned[0]).all()


def test_the_figures_of_a_run_are_those_of_the_model_that_is_saved(simulated, tmp_path):
    folder = simulated(tmp_path, *HEAD, "server.averaged=2", "simulation.evaluate_every=9")
    config = folder.config
    _, held_out = performing.population(config.photos, config.seed)
    start = ServerModel.initial(config.ranking, seed=config.seed)
    judge = Judge(start.ranker, start.names, held_out, loss="softmax", frozen_encoder=True)
    after = plain_figures(judge.figures(saved(folder)))
    assert folder.summary["simulation_only"]["after"] == after


def test_an_adaptive_clip_is_reported_as_it_was_released(simulated, tmp_path):
    words = ("privacy/device=adaptive", "privacy.device.delta=1e-3", "privacy/example=none")
    rows = simulated(tmp_path, *words).rows
    assert rows[0]["released"] == {}
    assert rows[1]["released"]["clip"] == 1.0
    assert rows[2]["released"]["clip"] != 1.0


def test_a_run_ends_when_its_budget_is_spent_with_what_was_released(
    simulated, tmp_path, capsys
):
    words = ("privacy/device=gaussian", "privacy.device.delta=1e-3", "privacy/example=none")
    words = (*words, "privacy.device.noise_multiplier=1", "privacy.device.epsilon=5")
    folder = simulated(tmp_path, *words, "server.rounds=30")
    found = folder.summary
    assert found["status"] == "finished"
    assert 1 <= found["round"] < 30
    assert found["privacy"]["device"]["worst"] <= 5
    lines = (folder.ledgers / "device.jsonl").read_text().splitlines()
    assert len(lines) == 1 + found["round"]
    assert "stops there: one more of the 30 rounds" in capsys.readouterr().out


def test_a_population_is_opened_once_for_every_run_over_it(plain):
    photos, seed = plain.config.photos, plain.config.seed
    source, held_out = performing.population(photos, seed)
    assert performing.population(photos, seed) == (source, held_out)
    assert (source.devices, held_out.devices) == (6, (6, 7))
    assert performing.known_orders(photos, seed) is performing.known_orders(photos, seed)
    told = plain.summary["simulation_only"]["orders"]
    assert told == {
        name: figures.normalised()
        for name, figures in performing.known_orders(photos, seed).items()
    }
    assert json.dumps(told)


def test_each_round_is_a_line_of_the_log_and_each_row_says_what_it_cost(plain):
    log = [json.loads(line) for line in (plain.private / "log.jsonl").read_text().splitlines()]
    assert [line["round"] for line in log if line["event"] == "round"] == [1, 2]
    for row in plain.rows[1:]:
        assert set(row["machine"]["seconds"]) == {"drawing", "devices", "server", "judging"}
        assert row["machine"]["memory_mb"] > 10
        assert row["machine"]["open_files"] > 2
