"""A model over an encoder of one's own ranks with it, or says in a sentence what it lacks."""

import shutil

import pytest
from own_encoders import mean_colours, module_settings, onnx_file, onnx_settings, package
from rankings import ranker, ranking

from ranking.model.encoders import module
from ranking.model.encoders.registry import known_encoder
from ranking.weights import Origin, save_weights
from simulations.ranking.chosen_model import chosen_model
from simulations.ranking.found_encoder import recorded_file
from simulations.ranking.rank import rank

CODE = "def colours(settings):\n    return lambda photos: photos.mean((-1, -2))\n"


def saved(path, encoder):
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = ranking("taste", encoder=encoder)
    origin = Origin(
        seed=None, command="darkroom simulate", ranking=asked, side=16, photos="folder"
    )
    save_weights(ranker("taste", encoder=encoder), path, origin=origin)
    return path


@pytest.fixture
def file(tmp_path):
    return onnx_file(tmp_path / "own.onnx")


@pytest.fixture
def run(tmp_path, file):
    """A run over an ONNX file, which its private half names and its public half does not."""
    folder = tmp_path / "runs" / "mine-1"
    saved(folder / "public" / "model.safetensors", known_encoder(onnx_settings(file)))
    (folder / "private").mkdir()
    (folder / "private" / "config.yaml").write_text(
        f"ranking:\n  encoder: {{kind: onnx, file: {file}}}\n"
    )
    (folder / "public" / "config.yaml").write_text("ranking: {encoder: {kind: onnx}}\n")
    return folder


@pytest.mark.parametrize("named", ["", "public", "public/model.safetensors"])
def test_a_run_ranks_with_the_file_that_its_record_names(run, tmp_path, photos, named):
    photos(tmp_path / "album", 3)
    ranked = rank(run / named, tmp_path / "album", out=tmp_path / "out")
    assert (ranked.photos, ranked.warning) == (3, "")


def test_a_file_that_moved_is_taken_where_it_is_named(run, tmp_path, photos, file):
    photos(tmp_path / "album", 3)
    moved = file.rename(tmp_path / "moved.onnx")
    ranked = rank(run, tmp_path / "album", out=tmp_path / "out", encoder=moved)
    assert ranked.photos == 3


def test_what_is_missing_is_one_sentence_and_nothing_is_written(run, tmp_path, photos, file):
    photos(tmp_path / "album", 2)
    before = {*tmp_path.rglob("*")} - {file}
    file.unlink()
    with pytest.raises(ValueError, match=r"own\.onnx is no file: name it with --encoder FILE"):
        rank(run, tmp_path / "album", out=tmp_path / "out")
    assert {*tmp_path.rglob("*")} == before


def test_a_file_of_another_digest_is_refused_with_both(run, file):
    right = known_encoder(onnx_settings(file)).digest
    changed = mean_colours()
    changed.doc_string = "another"
    file.write_bytes(changed.SerializeToString())
    with pytest.raises(ValueError, match=rf"of SHA-256 {right}, and that of .*own\.onnx is "):
        chosen_model(run)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[",
        "3",
        "ranking: 3",
        "ranking: {encoder: {file: ''}}",
        "2001-99-99",
        "\udcff",
    ],
)
def test_a_public_half_alone_has_no_record_and_neither_has_a_damaged_one(run, tmp_path, text):
    alone = shutil.copytree(run / "public", tmp_path / "given" / "public")
    if text is not None:
        (tmp_path / "given" / "private").mkdir()
        config = tmp_path / "given" / "private" / "config.yaml"
        config.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match="which no record names: name it with --encoder FILE"):
        chosen_model(alone)


def test_an_unprotected_run_keeps_its_model_beside_the_record(run, file):
    private = (run / "public" / "model.safetensors").rename(
        run / "private" / "model.safetensors"
    )
    assert recorded_file(private) == file


@pytest.mark.parametrize("over", [None, "drawn"])
def test_a_file_is_refused_where_the_model_asks_none(tmp_path, file, over):
    named = over and saved(tmp_path / "model.safetensors", ranking("taste").encoder)
    with pytest.raises(ValueError, match=r"own\.onnx is for models over an ONNX file, and "):
        chosen_model(named, encoder=file)


def test_an_installed_encoder_is_found_by_its_name_and_missed_in_one_sentence(
    tmp_path, monkeypatch, photos
):
    folder = package(tmp_path / "colours", code=CODE, names=["colours"])
    module._opened.cache_clear()
    with monkeypatch.context() as installed:
        installed.syspath_prepend(folder)
        known = known_encoder(module_settings("colours"))
        model = saved(tmp_path / "runs" / "model.safetensors", known)
        photos(tmp_path / "album", 2)
        assert rank(model, tmp_path / "album", out=tmp_path / "out").photos == 2
    module._opened.cache_clear()
    with pytest.raises(ValueError, match=r"name=colours is no entry point of the group"):
        chosen_model(model)
