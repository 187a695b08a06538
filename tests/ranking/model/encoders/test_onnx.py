"""ONNX files: those that are encoders embed as they say, the others are one sentence."""

import hashlib
import os

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from own_encoders import WIDTH, mean_colours, onnx_file, onnx_settings, weights

from ranking.encoders import OnnxFile
from ranking.model.encoders.registry import build_encoder, check_encoder, known_encoder


@pytest.fixture
def file(tmp_path):
    return onnx_file(tmp_path / "own.onnx")


def test_an_embedding_is_what_the_file_makes_of_the_scaled_photo(file):
    settings = onnx_settings(file, mean=(0.5, 0.25, 0.0), deviation=(0.5, 1.0, 2.0))
    encoder, photos = build_encoder(settings), torch.rand(2, 9, 3, 16, 16)
    colours = (photos.mean((-1, -2)) - torch.tensor([0.5, 0.25, 0])) / torch.tensor([0.5, 1, 2])
    found = encoder(photos)
    assert found.shape == (2, 9, encoder.width) == (2, 9, WIDTH)
    torch.testing.assert_close(found, colours @ torch.from_numpy(weights()))


def test_its_width_and_its_digest_are_found_and_nothing_of_it_is_a_parameter(file):
    encoder = build_encoder(onnx_settings(file))
    assert isinstance(encoder.settings, OnnxFile)
    assert encoder.settings.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (encoder.settings.width, encoder.width) == (WIDTH, WIDTH)
    assert not list(encoder.parameters())
    assert not encoder.state_dict()
    assert known_encoder(onnx_settings(file)) == encoder.settings


@pytest.mark.parametrize("batch", [1, 3, "n"])
def test_a_file_of_any_number_of_photos_a_call_takes_any_number(tmp_path, batch):
    encoder = build_encoder(onnx_settings(onnx_file(tmp_path / "m", shape=(batch, 3, 16, 16))))
    photos = torch.rand(7, 3, 16, 16)
    expected = photos.mean((-1, -2)) @ torch.from_numpy(weights())
    torch.testing.assert_close(encoder(photos), expected)
    assert encoder(photos[:0]).shape == (0, WIDTH)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": 2}, "has 2 inputs and 1 outputs, and an encoder one of each"),
        ({"outputs": 2}, "has 1 inputs and 2 outputs, and an encoder one of each"),
        ({"type_": TensorProto.DOUBLE}, "takes tensor(double) of 4 axes"),
        ({"shape": ("n", 3, 16)}, "takes tensor(float) of 3 axes"),
        ({"shape": ("n", 3, 16, 24)}, "takes photos of shape [3, 16, 24]"),
        (
            {"shape": ("n", 3, 224, 224)},
            "takes photos of shape [3, 224, 224] and is asked with",
        ),
    ],
)
def test_a_file_of_other_inputs_or_outputs_is_refused(tmp_path, changes, said):
    path = onnx_file(tmp_path / "other.onnx", **changes)
    with pytest.raises(ValueError, match=r"other\.onnx") as refused:
        build_encoder(onnx_settings(path))
    assert said in str(refused.value)
    assert "export it with one input [photos, 3, side, side] of float32" in str(refused.value)


def test_an_output_that_is_no_list_of_embeddings_is_refused(tmp_path):
    model = mean_colours()
    del model.graph.node[2:]
    model.graph.output[0].name = "pooled"
    onnx.save(model, tmp_path / "map.onnx")
    with pytest.raises(ValueError, match=r"map\.onnx turns 16 photos into .*\(16, 3, 1, 1\)"):
        build_encoder(onnx_settings(tmp_path / "map.onnx"))


@pytest.mark.parametrize(
    ("scale", "said"),
    [((1e-38, 1.0, 1.0), r"own\.onnx gives numbers that are not finite: check ranking")],
)
def test_numbers_that_are_not_finite_are_refused(file, scale, said):
    model = onnx.load(file)
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.full((3, WIDTH), np.inf, np.float32), "w")
    )
    onnx.save(model, file)
    with pytest.raises(ValueError, match=said):
        build_encoder(onnx_settings(file, deviation=scale))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a model"),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: onnx.save(
            mean_colours(),
            path,
            save_as_external_data=True,
            location="beside.bin",
            size_threshold=0,
        ),
    ],
)
def test_what_is_no_whole_model_is_refused_also_with_its_weights_beside(
    file, spoil, monkeypatch
):
    monkeypatch.chdir(file.parent)
    spoil(file)
    with pytest.raises(ValueError, match=r"own\.onnx is no ONNX file that ONNX Runtime reads"):
        build_encoder(onnx_settings(file))


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "dangling"])
def test_what_is_no_file_is_refused_at_once(tmp_path, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=rf"^ranking\.encoder\.file={path} is no file: name"):
        build_encoder(onnx_settings(path))


def test_an_encoder_that_is_known_need_not_be_there_until_it_is_asked(file):
    known = known_encoder(onnx_settings(file))
    encoder = build_encoder(known.portable())
    assert encoder.width == WIDTH
    with pytest.raises(ValueError, match=r"^ranking\.encoder\.file= is no file"):
        encoder(torch.rand(1, 3, 16, 16))


@pytest.mark.parametrize(
    "known", [{"digest": "ab"}, {"width": 6}, {"digest": "ab", "width": 5}]
)
def test_another_encoder_than_was_agreed_is_refused(file, known):
    settings = onnx_settings(file, **known)
    with pytest.raises(ValueError, match=r"is not the encoder that was agreed: its digest is"):
        check_encoder(settings)
    with pytest.raises(ValueError, match=r"is not the encoder that was agreed"):
        build_encoder(settings)(torch.rand(1, 3, 16, 16))


def test_photos_of_another_side_are_refused(file):
    encoder = build_encoder(onnx_settings(file))
    with pytest.raises(ValueError, match=r"^photos\.side=24 and ranking\.encoder\.side=16"):
        encoder(torch.rand(1, 3, 24, 24))


def test_a_file_that_changed_is_another_encoder(file):
    before = known_encoder(onnx_settings(file))
    model = mean_colours()
    model.doc_string = "another"
    onnx.save(model, file)
    assert known_encoder(onnx_settings(file)) != before
