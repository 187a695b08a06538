import json

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

from protocol.rebuild import rebuild
from ranking.model.build import build_ranker, trainable_names
from ranking.parameters import flatten
from ranking.weights import load_weights
from server.model import ServerModel
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.evaluation.judge import Judge
from simulations.federation.federation import federate
from simulations.runs import recorder
from simulations.runs import run as performing
from simulations.runs.recorder import plain_figures
from simulations.runs.run_folder import RunFolder
from simulations.simulate import simulate

TINY = (
    "photos.devices=6",
    "photos.held_out_devices=3",
    "photos.held_out_share=0.5",
    "photos.side=16",
    "ranking=head",
    "ranking.weights=null",
    "privacy/device=none",
    "server.cohort=4",
    "server.rounds=2",
    "training.steps=2",
    "simulation.reference=false",
)
SEEDED = ("privacy.noise=insecure_seeded",)


def run(tmp_path, *overrides):
    words = [*TINY, f"simulation.runs={tmp_path}", *overrides]
    assert simulate(compose(words), overrides=words) == 0
    return sorted(path for path in tmp_path.iterdir())[-1]


def summary(folder):
    return json.loads((folder / "private" / "summary.json").read_text())


def test_a_run_leaves_its_files(tmp_path, capsys):
    folder = run(tmp_path)
    assert {file.name for file in folder.iterdir()} == {"public", "private"}
    assert {file.name for file in (folder / "public").iterdir()} == {
        "config.yaml",
        "privacy.json",
        "model.safetensors",
    }
    assert {file.name for file in (folder / "private").iterdir()} == {
        "config.yaml",
        "metrics.jsonl",
        "privacy.json",
        "summary.json",
        "environment.json",
        "ledger",
        "parts.json",
    }
    shown = capsys.readouterr().out
    for word in ("against anyone", "ε moment", "random weights", "Bayes", "darkroom rank"):
        assert word in shown
    assert max(map(len, shown.splitlines()[:12])) <= 80 + len(str(folder))


def test_the_resolved_configuration_runs_again(tmp_path):
    folder = run(tmp_path)
    assert config_of(folder) == compose([*TINY, f"simulation.runs={tmp_path}"])


def counts(folder):
    lines = (folder / "private" / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["simulation_only"] for line in lines]


def config_of(folder):
    return rebuild(Config, yaml.safe_load((folder / "private" / "config.yaml").read_text()))


def test_every_figure_of_a_held_out_device_is_labelled_simulation_only(tmp_path):
    folder = run(tmp_path)
    for line in (folder / "private" / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert set(row) == {"round", "privacy", "released", "simulation_only"}
        assert {"invited", "admitted", "missing", "loss"} <= set(row["simulation_only"])


def test_the_epsilon_printed_is_that_of_the_rounds_that_ran(tmp_path):
    privacy = summary(run(tmp_path))["privacy"]["example"]
    assert 0 < privacy["median"] <= privacy["worst"] <= privacy["ceiling"] <= 8
    assert privacy["delta"] == 1e-5


def test_seeded_runs_are_equal_bit_for_bit_and_secure_ones_differ(tmp_path):
    models = []
    for number, overrides in enumerate([SEEDED, SEEDED, (), ()]):
        folder = run(tmp_path / str(number), *overrides)
        models.append(load_file(RunFolder(folder).model)["list_ranker.score.weight"])
    seeded, again, one, two = (model.numpy() for model in models)
    assert (seeded == again).all()
    assert not np.array_equal(one, two)


def test_the_wire_format_changes_no_result(tmp_path):
    plain = run(tmp_path / "plain", *SEEDED)
    strict = run(tmp_path / "strict", *SEEDED, "simulation.strict=true")
    assert load_file(RunFolder(plain).model).keys()
    for name, values in load_file(RunFolder(plain).model).items():
        assert (load_file(RunFolder(strict).model)[name] == values).all()


def test_a_device_that_had_its_visits_declines_and_is_counted(tmp_path):
    folder = run(
        tmp_path,
        "server.cohort=6",
        "server.rounds=3",
        "privacy.example.max_participations=1",
    )
    rows = counts(folder)
    assert [row["admitted"] for row in rows] == [0, 6, 0, 0]
    assert [row["declined"] for row in rows[2:]] == [{"participations spent": 6}] * 2
    privacy = summary(folder)["privacy"]["example"]
    assert privacy["worst"] == privacy["ceiling"]


def test_lost_replies_do_not_end_a_round(tmp_path):
    folder = run(tmp_path, "simulation.dropout=0.5", "server.cohort=6")
    rows = counts(folder)
    assert sum(row["missing"] for row in rows) > 0
    for row in rows:
        assert row["admitted"] + row["missing"] == row["invited"]


@pytest.mark.parametrize("trained", ["linear", "lora", "all"])
def test_every_choice_of_what_is_trained_runs(tmp_path, trained):
    folder = run(tmp_path, f"ranking={trained}", "server.rounds=1")
    assert summary(folder)["status"] == "finished"


@pytest.mark.parametrize("algorithm", ["local_only", "centralised"])
def test_the_baselines_run_without_privacy(tmp_path, algorithm):
    folder = run(
        tmp_path, "privacy/example=none", f"simulation.algorithm={algorithm}", "training.lr=0.1"
    )
    found = summary(folder)
    assert found["privacy"] is None
    figures = found["simulation_only"]
    assert figures["after_by_device"] != figures["before_by_device"]


def test_an_interrupt_leaves_what_was_released_and_goes_on_upwards(tmp_path, monkeypatch):
    honest = recorder.Recorder.closed

    def interrupted(self, outcome):
        honest(self, outcome)
        raise KeyboardInterrupt

    monkeypatch.setattr(recorder.Recorder, "closed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert summary(folder)["status"] == "interrupted"
    assert len((folder / "private" / "metrics.jsonl").read_text().splitlines()) == 2


def test_an_interrupted_run_tells_the_epsilon_and_the_figures_of_its_own_model(
    tmp_path, monkeypatch
):
    honest = recorder.Recorder.started

    def interrupted(self, number, *, cohort):
        honest(self, number, cohort=cohort)
        if number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(recorder.Recorder, "started", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "simulation.evaluate_every=9", "privacy.example.max_participations=9")
    (folder,) = tmp_path.iterdir()
    found = summary(folder)
    rows = [
        json.loads(line)
        for line in (folder / "private" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [row["round"] for row in rows] == [0, 1]
    assert found["round"] == 1
    assert found["simulation_only"]["after"].items() <= rows[1]["simulation_only"].items()
    chosen = config_of(folder).protection(devices=2).example.mechanism
    assert found["privacy"]["example"]["worst"] == chosen.epsilon(2)


def saved(folder):
    """The parameters that were trained, of the ranker that a run left."""
    ranker = build_ranker("head", generator=torch.Generator().manual_seed(0))
    load_weights(ranker, RunFolder(folder).model)
    return flatten(ranker, trainable_names(ranker, "head"))


def test_the_model_that_is_saved_is_the_one_that_the_server_returned(tmp_path, monkeypatch):
    returned = []

    def moved(*words, **named):
        returned.append(federate(*words, **named) + np.float32(1))
        return returned[0]

    monkeypatch.setattr(performing, "federate", moved)
    assert (saved(run(tmp_path)) == returned[0]).all()


def test_the_figures_of_a_run_are_those_of_the_model_that_is_saved(tmp_path):
    folder = run(tmp_path, "server.averaged=2", "simulation.evaluate_every=9")
    config = config_of(folder)
    _, held_out = performing.population(config.photos, config.seed)
    start = ServerModel.initial(config.ranking, seed=config.seed)
    judge = Judge(start.ranker, start.names, held_out, loss="softmax", frozen_encoder=True)
    after = plain_figures(judge.figures(saved(folder)))
    assert summary(folder)["simulation_only"]["after"] == after


@pytest.mark.parametrize("when", ["started", "closed"])
def test_an_interrupt_leaves_the_model_of_the_last_round_that_was_closed(
    tmp_path, monkeypatch, when
):
    released = []
    closed, honest = recorder.Recorder.closed, getattr(recorder.Recorder, when)

    def remembered(self, outcome):
        closed(self, outcome)
        released.append(outcome.parameters)

    def interrupted(self, *words, **named):
        (remembered if when == "closed" else honest)(self, *words, **named)
        if len(released) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(recorder.Recorder, "closed", remembered)
    monkeypatch.setattr(recorder.Recorder, when, interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "server.rounds=3", "simulation.evaluate_every=9")
    (folder,) = tmp_path.iterdir()
    assert (saved(folder) == released[-1]).all()
    assert (summary(folder)["status"], summary(folder)["round"]) == ("interrupted", 2)


def test_an_interrupt_while_a_release_is_taken_over_leaves_it_whole(tmp_path, monkeypatch):
    honest, taken = Judge.take, []

    def torn(self, parameters):
        taken.append(parameters)
        if len(taken) == 2:
            honest(self, np.full_like(parameters, np.nan))
            raise KeyboardInterrupt
        honest(self, parameters)

    monkeypatch.setattr(Judge, "take", torn)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert (saved(folder) == taken[1]).all()
    assert summary(folder)["round"] == 1


FAST = ("training.lr=1e6", "server.optimizer.lr=1e6")


def test_a_run_that_diverges_names_the_setting_and_keeps_what_was_released(tmp_path):
    with pytest.raises(ValueError, match=r"round 1 diverged.*training\.lr"):
        run(tmp_path, "ranking=head", "privacy/example=none", *FAST)
    (folder,) = tmp_path.iterdir()
    assert summary(folder)["status"] == "failed"
    assert summary(folder)["round"] == 0


@pytest.mark.parametrize("every", [1, 2])
def test_a_model_that_orders_no_photos_is_not_kept(tmp_path, every):
    loud = ("ranking=head", "privacy.example.clip=1e6", *FAST)
    words = (*loud, f"simulation.evaluate_every={every}")
    with pytest.raises(ValueError, match=r"round [12] diverged.*training\.lr"):
        run(tmp_path, *words)
    (folder,) = tmp_path.iterdir()
    assert (summary(folder)["status"], summary(folder)["round"]) == ("failed", 0)
    assert summary(folder)["privacy"]["example"]["worst"] > 0
    model = load_file(RunFolder(folder).model)
    assert all(value.isfinite().all() for value in model.values())


@pytest.mark.parametrize(
    "words",
    [
        ("privacy.example.epsilon=1e-9",),
        ("privacy.example.epsilon=1e6",),
        ("ranking.weights=pyproject.toml",),
        ("simulation.cache=pyproject.toml/x",),
        ("study=comparison", "+study.arms.a=['privacy.example.epsilon=1e-9']"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(tmp_path, words, capsys):
    with pytest.raises(
        ValueError, match=r"^(privacy\.example\.epsilon|ranking\.weights|simulation\.cache)="
    ):
        run(tmp_path, *words)
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""


def test_a_cohort_larger_than_the_devices_that_a_source_finds_is_refused(tmp_path):
    for device in ("a", "b"):
        (tmp_path / "photos" / device / "moment").mkdir(parents=True)
        for name in ("1.png", "2.png"):
            Image.new("RGB", (8, 8)).save(tmp_path / "photos" / device / "moment" / name)
    words = ("photos=folder", "photos.held_out_devices=1", "photos.devices=null")
    with pytest.raises(
        ValueError, match=r"server.cohort=4 exceeds the number of .* train, 1; lower it"
    ):
        run(tmp_path / "runs", *words, f"photos.root={tmp_path / 'photos'}")
    assert not (tmp_path / "runs").exists()


def test_a_seeded_epsilon_is_marked_where_it_is_read(tmp_path, capsys):
    folder = run(tmp_path, "privacy.noise=insecure_seeded")
    assert summary(folder)["privacy"]["example"]["claim"] is False
    assert capsys.readouterr().out.count("not a claim") == 2


def test_the_reference_run_stands_beside_the_private_one(tmp_path, capsys):
    folder = run(tmp_path, "simulation.reference=true")
    assert summary(folder / "private" / "without-privacy")["privacy"] is None
    assert "this run without privacy" in capsys.readouterr().out


@pytest.mark.slow
def test_a_study_compares_its_arms_over_seeds(tmp_path, capsys):
    folder = run(
        tmp_path,
        "study=comparison",
        "study.seeds=[0,1]",
        "study.workers=2",
        "+study.arms.private=[]",
        "+study.arms.no-privacy=['privacy/example=none']",
        "server.rounds=1",
    )
    study = json.loads((folder / "private" / "study.json").read_text())
    assert [arm["name"] for arm in study["arms"]] == ["private", "no-privacy"]
    assert study["arms"][1]["kept"] == pytest.approx(1.0)
    assert study["orders"]["Bayes"] == pytest.approx(1.0)
    assert RunFolder(folder / "private" / "private" / "seed-1").model.is_file()
    assert "no-privacy" in capsys.readouterr().out


@pytest.mark.parametrize("choice", ["gaussian", "local"])
def test_both_units_are_protected_told_and_written_down(tmp_path, capsys, choice):
    words = (
        f"privacy/device={choice}",
        "privacy.device.epsilon=3",
        "privacy.device.delta=1e-3",
    )
    folder = run(tmp_path, *words)
    card = json.loads((folder / "private" / "privacy.json").read_text())
    assert set(card) == {"example", "device"}
    device = card["device"]
    assert 0 < device["as_it_ran"]["worst"] <= device["epsilon"] <= 3
    assert device["claim"]
    assert device["delta"] == 1e-3
    shown = capsys.readouterr().out
    assert "for each moment of a device," in shown
    assert "for each device's whole library," in shown
    assert summary(folder)["privacy"]["device"] == device["as_it_ran"]


def test_an_empty_cohort_releases_noise_and_is_charged(tmp_path):
    words = ("privacy/device=gaussian", "privacy.device.noise_multiplier=1")
    words = (*words, "privacy.device.epsilon=null", "server.cohort=0.01", "server.rounds=1")
    words = (*words, "server.optimizer.lr=1e-3")
    folder = run(tmp_path, *words, *SEEDED)
    rows = counts(folder)
    assert rows[1]["invited"] == 0
    assert rows[0]["loss"] != rows[1]["loss"]


def test_an_adaptive_clip_is_told_as_it_was_released(tmp_path):
    words = ("privacy/device=adaptive", "privacy.device.delta=1e-3", "privacy/example=none")
    folder = run(tmp_path, *words, "server.rounds=2")
    rows = [
        json.loads(line)
        for line in (folder / "private" / "metrics.jsonl").read_text().splitlines()
    ]
    assert rows[0]["released"] == {}
    assert rows[1]["released"]["clip"] == 1.0
    assert rows[2]["released"]["clip"] != 1.0


def test_a_run_ends_when_its_budget_is_spent_with_what_was_released(tmp_path, capsys):
    words = ("privacy/device=gaussian", "privacy.device.delta=1e-3", "privacy/example=none")
    words = (*words, "privacy.device.noise_multiplier=1", "privacy.device.epsilon=5")
    folder = run(tmp_path, *words, "server.rounds=30")
    found = summary(folder)
    assert found["status"] == "finished"
    assert 1 <= found["round"] < 30
    assert found["privacy"]["device"]["worst"] <= 5
    lines = (folder / "private" / "ledger" / "device.jsonl").read_text().splitlines()
    assert len(lines) == 1 + found["round"]
    assert "stops there: one more of the 30 rounds" in capsys.readouterr().out
