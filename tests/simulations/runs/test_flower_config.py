"""What `flwr run` is given is the whole configuration, readable from any folder."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.rebuild import from_json
from ranking.weights import public_weights_path
from server.model import ServerModel
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.pinned_weights import pinned
from simulations.configuration.settings import Config
from simulations.runs.flower_config import write_run_config


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a configuration; returns it as Flower has it, and whatever stands beside it."""
    monkeypatch.chdir(tmp_path)

    def written(*words):
        write_run_config(compose(words), Path("run.toml"))
        found = tomllib.loads(Path("run.toml").read_text())
        return from_json(Config, found.pop("config")), found

    return written


def test_a_run_that_needs_no_file_is_carried_as_it_is(written):
    config, more = written("experiment=flower", "seed=3")
    assert config == compose(["experiment=flower", "seed=3"])
    assert more == {}


def test_the_public_weights_are_named_by_their_file_and_pinned(written):
    config, _ = written("experiment=flower", "ranking.weights=public")
    words = ("experiment=flower", f"ranking.weights={public_weights_path()}")
    assert config == pinned(compose(words))
    assert config.ranking.frozen_digest is not None


def test_the_weights_that_an_encoder_comes_with_are_written_beside_the_configuration(
    written, tmp_path
):
    """Flower's bundle has no such file, and a run may start from nothing else."""
    config, _ = written("experiment=flower", "ranking/encoder=real", "seed=5")
    beside = tmp_path / "run.start.safetensors"
    assert config.ranking.weights == str(beside)
    typed = compose(["experiment=flower", "ranking/encoder=real", "seed=5"])
    began = ServerModel.initial(typed.ranking, seed=5)
    assert config.ranking.frozen_digest == began.digest
    assert ServerModel.initial(config.ranking, seed=5).digest == began.digest
    assert config == pinned(replace(typed, ranking=config.ranking))


def test_paths_become_absolute(written, tmp_path):
    config, _ = written("experiment=flower", "photos=folder", "photos.root=DIR")
    assert config.photos.root == str(tmp_path / "DIR")


@pytest.mark.parametrize(
    ("choice", "ledger"), [("gaussian", True), ("local", False), ("none", False)]
)
def test_where_the_server_protects_devices_its_ledgers_stand_beside_the_file(
    written, tmp_path, choice, ledger
):
    _, more = written("experiment=flower", f"privacy/device={choice}", "server.cohort=2")
    assert more == ({"ledger": str(tmp_path / "run.ledger")} if ledger else {})


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    file = tmp_path / "nowhere" / "run.toml"
    with pytest.raises(ValueError, match=rf"^--flower {file}: its folder does not exist"):
        write_run_config(compose(["experiment=flower"]), file)
