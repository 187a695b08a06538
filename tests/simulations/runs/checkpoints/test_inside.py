"""What is inside the checkpoints of a run, in words: no number of a device or of noise."""

from dataclasses import replace

import pytest
from checkpoints import some_checkpoint

from simulations.runs.checkpoints.checkpoint_folder import LAST, CheckpointFolder
from simulations.runs.checkpoints.inside import WARNING, lines
from simulations.runs.run_folder import RunFolder

CONFIG = {
    "name": "a",
    "seed": 3,
    "server": {"rounds": 9, "optimizer": {"name": "adam"}},
    "checkpoint": {"best": "best_shot"},
}


@pytest.fixture
def run(tmp_path):
    folder = RunFolder.at(tmp_path / "a run")
    kept = CheckpointFolder(folder.checkpoints)
    for number in (1, 2):
        kept.save(some_checkpoint(number, config=CONFIG))
    kept.save_best(some_checkpoint(1, config=CONFIG, figure=0.5))
    return folder


def test_every_checkpoint_says_where_it_is_in_the_run_and_how_to_go_on(run):
    said = "\n".join(lines(run.path))
    assert said.count("a, seed 3, darkroom 0.1.0") == 3
    assert [said.count(f"{number} of 9") for number in (1, 2)] == [2, 1]
    assert "adam: 1 vectors" in said
    assert "best_shot 0.5" in said
    assert "noise.past [2, 4]" in said
    assert said.endswith(f"darkroom simulate 'resume={run.path}'")
    assert WARNING not in said


def test_a_state_that_holds_secret_noise_says_so(run):
    secret = some_checkpoint(3, config=CONFIG)
    server = replace(secret.server, repeatable=False)
    CheckpointFolder(run.checkpoints).save(replace(secret, server=server))
    assert "\n".join(lines(run.path)).count(WARNING) == 1


def test_a_damaged_one_is_named_and_the_others_are_shown(run):
    (run.checkpoints / LAST).write_bytes(b"x")
    said = list(lines(run.path))
    assert [line for line in said if "damaged" in line and str(run.checkpoints / LAST) in line]
    assert sum("1 of 9" in line for line in said) == 2


def test_a_folder_without_checkpoints_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="holds no checkpoint") as refused:
        list(lines(tmp_path))
    assert "\n" not in str(refused.value)
