"""The command `darkroom simulate`: what a run shows, and what is refused before it begins."""

import pytest
from PIL import Image


def test_a_run_leaves_its_files(simulated, tmp_path, capsys):
    folder = simulated(tmp_path)
    assert {file.name for file in folder.path.iterdir()} == {"public", "private"}
    assert {file.name for file in folder.public.iterdir()} == {
        "config.yaml",
        "privacy.json",
        "model.safetensors",
    }
    assert {file.name for file in folder.private.iterdir()} == {
        "config.yaml",
        "log.jsonl",
        "metrics.jsonl",
        "privacy.json",
        "summary.json",
        "environment.json",
        "ledger",
        "checkpoints",
        ".run.lock",
        "parts.json",
    }
    shown = capsys.readouterr().out
    for word in ("against anyone", "ε moment", "random weights", "Bayes", "darkroom rank"):
        assert word in shown
    assert max(map(len, shown.splitlines()[:12])) <= 80 + len(str(folder.path))


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
def test_what_cannot_run_is_refused_before_anything_is_written(
    simulated, tmp_path, words, capsys
):
    with pytest.raises(
        ValueError, match=r"^(privacy\.example\.epsilon|ranking\.weights|simulation\.cache)="
    ):
        simulated(tmp_path, *words)
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""


def test_a_cohort_larger_than_the_devices_that_a_source_finds_is_refused(simulated, tmp_path):
    for device in ("a", "b"):
        (tmp_path / "photos" / device / "moment").mkdir(parents=True)
        for name in ("1.png", "2.png"):
            Image.new("RGB", (8, 8)).save(tmp_path / "photos" / device / "moment" / name)
    words = ("photos=folder", "photos.held_out_devices=1", "photos.devices=null")
    with pytest.raises(
        ValueError, match=r"server.cohort=4 exceeds the number of .* train, 1; lower it"
    ):
        simulated(tmp_path / "runs", *words, f"photos.root={tmp_path / 'photos'}")
    assert not (tmp_path / "runs").exists()


def test_a_seeded_epsilon_is_marked_where_it_is_read(simulated, tmp_path, capsys):
    folder = simulated(tmp_path, "privacy.noise=insecure_seeded")
    assert folder.summary["privacy"]["example"]["claim"] is False
    assert capsys.readouterr().out.count("not a claim") == 2


def test_the_reference_run_stands_beside_the_private_one(simulated, left, tmp_path, capsys):
    folder = simulated(tmp_path, "simulation.reference=true")
    inner = left(folder.private)
    assert (inner.path.name, inner.summary["privacy"]) == ("without-privacy", None)
    assert "this run without privacy" in capsys.readouterr().out


@pytest.mark.parametrize("choice", ["gaussian", "local"])
def test_both_units_are_protected_reported_and_written_down(
    simulated, tmp_path, capsys, choice
):
    words = (
        f"privacy/device={choice}",
        "privacy.device.epsilon=3",
        "privacy.device.delta=1e-3",
    )
    folder = simulated(tmp_path, *words)
    assert set(folder.card) == {"example", "device"}
    device = folder.card["device"]
    assert 0 < device["as_it_ran"]["worst"] <= device["epsilon"] <= 3
    assert device["claim"]
    assert device["delta"] == 1e-3
    shown = capsys.readouterr().out
    assert "for each moment of a device," in shown
    assert "for each device's whole library," in shown
    assert folder.summary["privacy"]["device"] == device["as_it_ran"]


@pytest.fixture
def runs(tmp_path):
    """A folder whose name is longer than a line, and has what rich takes for a style."""
    return tmp_path / f"[bold]{'runs' * 30}"


def test_a_folder_is_printed_whole_to_be_typed_again(simulated, left, runs, capsys):
    folder = simulated(runs)
    assert capsys.readouterr().out.count(f"{folder.path}") == 2
    assert str(left(runs).path) == str(folder.path)


def test_an_interrupt_says_where_what_was_released_is(
    simulated, left, runs, monkeypatch, capsys
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("simulations.simulate.perform", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulated(runs)
    where = f"what was released until then is in {left(runs).path}."
    assert f"Interrupted: {where}\n" in capsys.readouterr().out


def test_an_arm_is_what_was_typed_with_its_own_changes_on_top(simulated, tmp_path, monkeypatch):
    tried = {}

    def remember(config, study, console, *, arms):
        tried.update(arms)
        return 0

    monkeypatch.setattr("simulations.studies.study.run", remember)
    (tmp_path / "nothing").mkdir()
    words = ("study=comparison", "training.lr=3", "seed=7")
    simulated(tmp_path, *words, '+study.arms.a=["training.lr=4"]', "+study.arms.b=[]")
    assert {name: (arm.training.lr, arm.seed) for name, arm in tried.items()} == {
        "a": (4.0, 7),
        "b": (3.0, 7),
    }
