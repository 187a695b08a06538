"""Hydra composes, sweeps and is left as it was found."""

import sys

import pytest

from protocol.rebuild import SettingError, to_plain
from simulations.configuration.hydra_bridge import compose, run_hydra
from simulations.configuration.overrides import choices

ROOT = "photos.root=DIR"


@pytest.fixture
def hydras(monkeypatch, tmp_path):
    """Runs a task as Hydra has it, in an empty folder; every configuration counts as ready."""
    monkeypatch.chdir(tmp_path)
    return lambda words, task: run_hydra(words, task, ready=lambda config: None)


def test_a_setting_may_be_typed_with_two_pluses_as_hydra_allows():
    assert compose(["++server.rounds=3"]).server.rounds == 3


def test_a_composed_configuration_is_frozen_and_plain():
    config = compose([])
    assert hash(config.server) == hash(compose([]).server)
    assert to_plain(config)["server"]["rounds"] == config.server.rounds


def test_composing_leaves_hydras_global_state_as_it_was():
    from hydra.core.global_hydra import GlobalHydra

    compose([])
    assert not GlobalHydra.instance().is_initialized()


def test_composing_works_inside_another_hydra_application(tmp_path):
    import hydra
    from hydra.core.global_hydra import GlobalHydra

    (tmp_path / "config.yaml").write_text("a: 1")
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        others = GlobalHydra.instance().hydra
        assert compose([]).name == "quickstart"
        assert GlobalHydra.instance().hydra is others
        assert hydra.compose("config").a == 1


@pytest.mark.parametrize("photos", choices("photos"))
def test_photographs_take_the_encoder_for_them_and_made_photos_that_for_drawings(photos):
    made = photos == "synthetic"
    ranking = compose([f"photos={photos}", *([] if made else [ROOT])]).ranking
    assert ranking.encoder.kind == ("drawn" if made else "real")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["ranking/encoder=drawn", "photos=folder", ROOT], "drawn"),
        (["photos=folder", ROOT, "ranking/encoder=drawn"], "drawn"),
        (["experiment=real-photos", ROOT], "real"),
        (["experiment=real-photos", ROOT, "ranking/encoder=drawn"], "drawn"),
        (
            ["experiment=real-photos", "photos=library", ROOT, "photos.held_out_devices=0"],
            "real",
        ),
        (["experiment=para", "photos=synthetic"], "drawn"),
        (["ranking/encoder=real"], "real"),
    ],
)
def test_an_encoder_that_is_typed_wins_over_that_of_the_photos(words, kind):
    assert compose(words).ranking.encoder.kind == kind


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["photos=folder", "photos.root=A,B"], ["real", "real"]),
        (["photos=folder", ROOT, "ranking/encoder=drawn,real"], ["drawn", "real"]),
    ],
)
def test_each_job_of_a_sweep_has_the_encoder_of_its_photos(hydras, words, kinds):
    seen = []
    hydras(["-m", *words], lambda config, _: seen.append(config.ranking.encoder.kind) or 0)
    assert seen == kinds


def test_the_help_of_photographs_shows_their_encoder(hydras, capsys):
    hydras(["photos=folder", "--help"], lambda *given: 0)
    assert "kind: real" in capsys.readouterr().out


def test_hydras_command_line_is_put_back(hydras):
    before = list(sys.argv)
    hydras(["-m", "seed=1,2"], lambda config, overrides: 0)
    assert sys.argv == before


def test_without_flags_the_task_gets_what_was_typed_and_its_status_is_returned(hydras):
    asked = []
    assert hydras(["seed=3"], lambda *given: asked.append(given) or 7) == 7
    assert asked == [(compose(["seed=3"]), ("seed=3",))]


def test_a_sweep_has_a_job_for_each_value_and_returns_the_highest_status(hydras, tmp_path):
    seen = []

    def task(config, overrides):
        seen.append((config.seed, overrides))
        return config.seed

    assert hydras(["--multirun", "seed=2,1", "server.rounds=3"], task) == 2
    assert seen == [
        (2, ("seed=2", "server.rounds=3")),
        (1, ("seed=1", "server.rounds=3")),
    ]
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert files == ["multirun.yaml"]


def test_every_job_of_a_sweep_is_asked_whether_it_is_ready_before_the_first_runs(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    asked = []

    def ready(config):
        asked.append(config.seed)
        if config.seed == 2:
            raise SettingError("seed=2 is unlucky.")

    with pytest.raises(SettingError, match=r"^seed=2 is unlucky\.$"):
        run_hydra(["-m", "seed=1,2"], lambda *_: pytest.fail("it ran"), ready=ready)
    assert asked == [1, 2]


def test_a_study_composes_its_arms_inside_a_sweep(hydras):
    arms = []

    def task(config, overrides):
        arms.append(compose([*overrides, "server.rounds=5"]))
        return 0

    hydras(["-m", "experiment=no-privacy,flower"], task)
    assert [arm.name for arm in arms] == ["no-privacy", "flower"]
    assert [arm.server.rounds for arm in arms] == [5, 5]


def test_an_arm_finds_an_experiment_in_a_folder_of_ones_own(hydras, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nname: mine\n")
    arms = []

    def task(config, overrides):
        arms.append(compose([*overrides, "ranking=linear"]))
        return 0

    hydras(["--config-dir", str(tmp_path), "experiment=mine"], task)
    assert [(arm.name, arm.ranking.trained) for arm in arms] == [("mine", "linear")]


@pytest.mark.parametrize("words", [["--experimental-rerun", "x"], ["--cfg", "jobb"]])
def test_a_flag_that_is_refused_runs_nothing(refused, words):
    def task(*_):
        pytest.fail("it ran")

    assert words[0] in refused(lambda: run_hydra(words, task, ready=task))
