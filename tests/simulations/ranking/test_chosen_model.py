"""The model that ranks, wherever it stands, and what is said of it."""

import json
import os
from dataclasses import replace

import pytest
from rankings import ranker, ranking
from safetensors import safe_open
from safetensors.torch import save_file

from ranking.parameters import tensors_digest
from ranking.weights import Origin, read_origin, save_weights
from simulations.ranking.chosen_model import chosen_model, model_file

ORIGIN = Origin(seed=0, command="darkroom simulate", ranking=ranking("taste"), side=16)


def saved(path, photos=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(ranker("taste"), path, origin=replace(ORIGIN, photos=photos))
    return path


@pytest.mark.parametrize("half", ["", "public", "private"])
def test_a_model_is_found_in_a_run_in_a_half_and_as_a_file(tmp_path, half):
    file = saved(tmp_path / "my-run" / half / "model.safetensors", "folder")
    for named in (tmp_path / "my-run", file.parent, file):
        assert model_file(named) == file
        assert chosen_model(named).title == "my-run"


def test_the_public_half_goes_before_the_private_one(tmp_path):
    for half in ("private", "public"):
        saved(tmp_path / half / "model.safetensors")
    assert model_file(tmp_path) == tmp_path / "public" / "model.safetensors"


@pytest.mark.parametrize(
    ("photos", "words", "warning"),
    [
        ("synthetic", "trained on drawings", "The model was trained on drawings and has seen"),
        ("folder", "trained on photographs", ""),
        (
            None,
            "trained on photos unknown",
            "The model's file does not say what it was trained",
        ),
    ],
)
def test_what_a_model_was_trained_on_is_said_and_where_it_does_not_fit_warned_of(
    tmp_path, photos, words, warning
):
    model = chosen_model(saved(tmp_path / "model.safetensors", photos))
    assert model.trained_on == words
    assert model.warning.startswith(warning)
    assert bool(model.warning) == bool(warning)
    assert model.warning.count(".") <= 1


def test_a_file_of_before_it_said_so_is_read_and_its_photos_are_unknown(tmp_path):
    file = saved(tmp_path / "model.safetensors", "folder")
    with safe_open(file, framework="pt") as opened:
        facts = json.loads(opened.metadata()["darkroom"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    del facts["photos"]
    old = json.dumps(facts, sort_keys=True)
    metadata = {"darkroom": old, "sha256": tensors_digest(tensors, facts=old)}
    save_file(tensors, file, metadata=metadata)
    assert read_origin(file) == ORIGIN
    assert chosen_model(file).photos is None


def test_the_public_ranker_is_taken_where_no_run_is_named():
    model = chosen_model(None)
    assert model.trained_on == "trained on photographs"
    assert (model.title, model.photos, model.side) == ("the public ranker", "sample", 48)


@pytest.mark.parametrize("name", ["", "nothing", "empty", "x" * 300, "notes.txt/x"])
def test_a_place_without_a_model_is_one_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"holds no model\.safetensors: name the folder of a"):
        chosen_model(tmp_path / name)


def test_a_file_that_is_no_model_is_one_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="is damaged or not written by Darkroom"):
        chosen_model(tmp_path / "notes.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_model_without_permission_is_one_sentence(tmp_path):
    saved(tmp_path / "model.safetensors").chmod(0)
    with pytest.raises(ValueError, match=r"cannot be read: .*denied"):
        chosen_model(tmp_path)
