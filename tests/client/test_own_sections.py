"""A device embeds by an encoder of its own, and takes part in nothing where it has another."""

import json
from dataclasses import replace

import pytest
from onnx import save
from own_encoders import mean_colours, module_settings, onnx_file, onnx_settings
from rankings import ranking

from client.app import FAILED
from client.consent.operator import OperatorPolicy
from client.own_sections import own_sections
from client.sections import read_sections
from protocol.rebuild import to_plain
from ranking.model.encoders.registry import known_encoder
from server.model import ServerModel


@pytest.fixture
def file(tmp_path):
    return onnx_file(tmp_path / "own.onnx")


def configured(text, encoder, **changes):
    """A whole configuration with another encoder."""
    plain = json.loads(text)
    plain["ranking"]["encoder"] = to_plain(encoder)
    for section, values in changes.items():
        plain[section] |= values
    return json.dumps(plain)


def test_a_device_without_an_encoder_of_its_own_keeps_the_sections(lab, tmp_path):
    sections = read_sections(lab.configuration())
    assert own_sections(sections, OperatorPolicy()) is sections


def test_the_path_of_whoever_wrote_the_configuration_is_not_read(lab, file):
    text = configured(lab.configuration(), onnx_settings(file))
    sections = read_sections(text)
    assert sections.ranking.encoder.file == ""
    with pytest.raises(ValueError, match=r"^node-config: 'encoder' is missing, .* ONNX file"):
        own_sections(sections, OperatorPolicy())


def test_a_device_takes_its_own_file_of_the_agreed_content_wherever_it_is(lab, file, tmp_path):
    known = known_encoder(onnx_settings(file))
    sections = read_sections(configured(lab.configuration(), known))
    own = tmp_path / "elsewhere"
    own.write_bytes(file.read_bytes())
    found = own_sections(sections, OperatorPolicy(encoder=own)).ranking.encoder
    assert found == replace(known, file=str(own))
    model = mean_colours()
    model.doc_string = "another"
    save(model, own)
    with pytest.raises(ValueError, match=r"elsewhere is not the encoder that was agreed"):
        own_sections(sections, OperatorPolicy(encoder=own))


def test_a_module_that_is_not_installed_is_refused_by_its_name(lab):
    wanted = module_settings("not-here", width=3, digest="ab")
    sections = read_sections(configured(lab.configuration(), wanted))
    with pytest.raises(ValueError, match=r"name=not-here is no entry point of the group dark"):
        own_sections(sections, OperatorPolicy())


FOLDER = {"source": "folder", "root": "/", "devices": None, "held_out_devices": 0}


def photographs(lab, **simulation):
    """The configuration of a run whose photos and cache are named by whoever wrote it."""
    plain = json.loads(lab.configuration())
    plain["photos"] = FOLDER | {"held_out_share": 0.25, "side": 16}
    plain["simulation"] |= {"cache": "/of/the/server"} | simulation
    return json.dumps(plain)


def test_a_simulation_keeps_embeddings_of_photographs_only_where_its_owner_says(lab, tmp_path):
    named = {"simulation": {"cache": "/of/the/server"}}
    made = read_sections(configured(lab.configuration(), ranking("head").encoder, **named))
    assert own_sections(made, OperatorPolicy(), simulated=True).cache == "/of/the/server"
    real = read_sections(photographs(lab))
    assert own_sections(real, OperatorPolicy(), simulated=True).photos.root == "/"
    assert own_sections(real, OperatorPolicy(), simulated=True).cache is None
    kept = own_sections(real, OperatorPolicy(cache=tmp_path), simulated=True)
    assert kept.cache == str(tmp_path)


def test_a_device_keeps_nothing_where_a_run_says_not_even_of_made_photos(lab, tmp_path):
    named = {"simulation": {"cache": str(tmp_path / "of the server")}}
    made = read_sections(configured(lab.configuration(), ranking("head").encoder, **named))
    assert own_sections(made, OperatorPolicy()).cache is None
    assert own_sections(made, OperatorPolicy(cache=tmp_path)).cache == str(tmp_path)


def test_a_device_reads_no_folder_that_a_run_names(lab, tmp_path):
    real = read_sections(photographs(lab))
    with pytest.raises(ValueError, match=r"^node-config: 'photos' is missing, .* add photos="):
        own_sections(real, OperatorPolicy())
    own = own_sections(real, OperatorPolicy(photos=tmp_path)).photos
    assert (own.folder, own.held_out_share, own.side) == (str(tmp_path), 0.25, 16)


def test_a_devices_photographs_go_before_made_ones(lab, tmp_path):
    made = read_sections(lab.configuration())
    assert own_sections(made, OperatorPolicy(photos=tmp_path)).photos.folder == str(tmp_path)


def test_a_run_asks_a_device_for_no_more_memory_than_the_default(lab, tmp_path):
    much = read_sections(photographs(lab, memory=1_000_000))
    assert own_sections(much, OperatorPolicy(photos=tmp_path)).memory == 512
    for absurd in (10**15, 0, -1):
        with pytest.raises(ValueError, match=r"simulation\.memory=.* is out of range"):
            read_sections(photographs(lab, memory=absurd))


def started(node, known):
    """The first task of a run whose encoder is an ONNX file."""
    model = ServerModel.initial(ranking("head", encoder=known.portable()), seed=3)
    first = node.task()
    return replace(first, parameters=model.trainable, frozen=model.frozen, digest=model.digest)


def test_a_device_trains_by_its_file_and_fails_without_it(libraries, node, file, caplog):
    """What the server has is no file: its digest and its width."""
    known = known_encoder(onnx_settings(file))
    task, text = started(node, known), configured(node.config(), known)
    own = node.context(0, text, encoder=str(file))
    answer = node.ask(task, own)
    assert node.found(answer, task).delta.shape == task.parameters.shape
    without = node.ask(task, node.context(1, text))
    assert (without.has_error(), without.error.code) == (True, FAILED)
    assert "node-config: 'encoder' is missing" in caplog.text
    assert libraries.asked == [0]


def test_the_digest_of_the_encoder_is_a_part_of_the_frozen_one(file):
    known = known_encoder(onnx_settings(file))
    digests = {
        ServerModel.initial(ranking("head", encoder=one.portable()), seed=3).digest
        for one in (known, replace(known, digest="ab"), replace(known, mean=(0.5,) * 3))
    }
    assert len(digests) == 3
