"""Encoders of a user's own train under privacy, in one process and in two."""

import sys

import pytest
from own_encoders import WIDTH, onnx_file, package
from safetensors.torch import load_file

from ranking.model.encoders import module
from ranking.weights import read_origin

CODE = "def colours(settings):\n    return lambda photos: photos.mean((-1, -2))\n"
SEEDED = "privacy.noise=insecure_seeded"


@pytest.fixture(params=["onnx", "module"])
def chosen(request, tmp_path, monkeypatch):
    """What is typed to choose an encoder of one's own, and its width."""
    if request.param == "onnx":
        file = onnx_file(tmp_path / "own.onnx")
        return ("ranking/encoder=onnx", f"ranking.encoder.file={file}"), WIDTH
    module._opened.cache_clear()
    folder = package(tmp_path / "own", code=CODE, names=["colours"])
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return ("ranking/encoder=module", "ranking.encoder.name=colours"), 3


def test_a_run_under_privacy_trains_over_it_and_its_model_says_what_it_is(
    simulated, tmp_path, chosen
):
    words, width = chosen
    folder = simulated(tmp_path / "runs", SEEDED, *words)
    assert all(row["admitted"] for row in folder.counts[1:])
    tensors = load_file(folder.model)
    assert tensors["list_ranker.taste.weight"].shape == (1, width)
    assert tensors["list_ranker.taste.weight"].any()
    assert not [name for name in tensors if name.startswith("encoder.")]
    encoder = read_origin(folder.model).ranking.encoder
    assert encoder.width == width
    assert len(encoder.digest) == 64
    assert encoder == encoder.portable()


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::FutureWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
def test_two_workers_give_the_bits_of_one(simulated, tmp_path, chosen):
    words, _ = chosen
    more = ("photos.devices=80", "server.cohort=70")
    one, two = (
        load_file(
            simulated(
                tmp_path / str(count), SEEDED, *words, *more, f"simulation.workers={count}"
            ).model
        )
        for count in (1, 2)
    )
    assert all((two[name] == values).all() for name, values in one.items())
    assert "ray" in sys.modules
