"""What a server can make a device read, write, derive or wait for: nothing of its choosing."""

import hashlib
import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from flwr.app import MessageType, RecordDict
from photo_files import photo

from client import app as module
from client import local_device
from client.app import FAILED
from client.consent import configured_floor
from client.embeddings.lru_cache import LruCache
from protocol.codec import decode_device, encode_notice
from protocol.messages import DeclineReason, LeftOut, Update

WORD = "beach-at-dusk"


@pytest.fixture
def album(tmp_path):
    """Eight moments of two photos."""
    for moment in range(8):
        for shot in range(2):
            photo(tmp_path / "album" / f"{WORD}-{moment}" / f"{shot}.jpg", moment, like=shot)
    return tmp_path / "album"


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch, identity):
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    monkeypatch.setattr(local_device, "_kept", LruCache(weigh=local_device._bytes))


def run_over(text, source, **simulation):
    """The run's configuration with photographs where whoever wrote it says."""
    plain = json.loads(text)
    shared = {"devices": 10, "held_out_devices": 0, "held_out_share": 0.0, "side": 16}
    plain["photos"] = {"source": source, "root": "/", **shared}
    if source == "library":
        plain["photos"] |= {"devices_by": "folder", "gap": 30.0, "zone": "UTC"}
        plain["photos"] |= {"burst_gap": 2.0, "burst_distance": 10, "favourite_from": 4}
    if source == "para":
        plain["photos"] |= {"moment_size": 4, "rating": "aestheticScore"}
        plain["photos"] |= {"favourite_from": 4.0, "delete_to": 2.0}
    plain["simulation"] |= simulation
    return json.dumps(plain)


@pytest.mark.parametrize("source", ["folder", "library", "para"])
@pytest.mark.parametrize(
    "started", [{}, {"num-partitions": 4}, {"max-epsilon": 9}], ids=["", "flowers", "limit"]
)
def test_a_folder_that_a_run_names_is_never_opened(node, caplog, monkeypatch, source, started):
    """Also where the node was started as Flower's documentation says, with a partition-id."""
    opened = []
    monkeypatch.setattr(local_device, "open_source", lambda *a, **k: opened.append(a))
    own = node.context(0, run_over(node.config(noise="secure"), source), **started)
    for kind in (MessageType.TRAIN, MessageType.QUERY):
        answer = node.ask(node.task(), own, kind)
        assert (answer.error.code, answer.error.reason) == (FAILED, "device failed")
    assert "node-config: 'photos' is missing" in caplog.text
    assert not opened


def test_a_device_trains_on_its_own_photographs_and_writes_where_it_says(
    node, album, tmp_path, monkeypatch
):
    """The run names a cache too, in which nothing appears."""
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    mine.mkdir()
    text = run_over(node.config(), "folder", cache=str(theirs))
    own = node.context(0, text, photos=str(album), cache=str(mine))
    update = node.reply(node.task(), own)
    assert isinstance(update, Update)
    assert not theirs.exists()
    assert len(list(mine.rglob("*.safetensors"))) == 1
    other = node.context(0, text, photos=str(album))
    assert np.array_equal(node.reply(node.task(), other).delta, update.delta)


def test_a_number_of_ones_own_is_the_device_whatever_its_folder_is_called(node, album):
    own = node.context(0, run_over(node.config(), "folder"), photos=str(album))
    own.node_config["device"] = 7
    answer = node.ask(RecordDict(), own, MessageType.QUERY)
    assert decode_device(answer.content) == 7


@pytest.mark.parametrize("wrong", [-1, "7", True])
def test_a_node_whose_number_is_none_is_no_device(node, wrong, caplog):
    own = node.context(0, node.config())
    own.node_config["device"] = wrong
    answer = node.ask(RecordDict(), own, MessageType.QUERY)
    assert answer.error.reason == "device failed"
    assert "node-config: device=" in caplog.text


def test_an_empty_folder_is_named_in_the_devices_log_and_nowhere_else(node, tmp_path, caplog):
    empty = tmp_path / "empty"
    empty.mkdir()
    private = node.context(0, run_over(node.config(), "folder"), photos=str(empty))
    assert node.reply(node.task(), private).delta.all()
    assert f"photos={empty} holds no moment" in caplog.text
    caplog.clear()
    open_run = run_over(node.config(mechanism="none"), "folder")
    answer = node.ask(node.task(private=False), node.context(0, open_run, photos=str(empty)))
    assert answer.error.reason == "device failed"
    assert f"photos={empty} holds no moment" in caplog.text


@pytest.mark.parametrize("kind", [MessageType.TRAIN, MessageType.EVALUATE])
def test_of_a_configuration_that_is_not_agreed_to_nothing_is_derived_or_waited_for(
    libraries, node, monkeypatch, caplog, kind
):
    text = node.config(noise="secure").replace('"seconds": null', '"seconds": 86400.0')
    slept = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    monkeypatch.setattr(configured_floor, "own_protection", lambda text: pytest.fail(text))
    own = node.context(0, text, config_digest="ab" * 32)
    answer = node.ask(node.task(), own, kind)
    assert node.declined_as(answer, DeclineReason.ANOTHER_CONFIGURATION)
    if kind == MessageType.TRAIN:
        assert hashlib.sha256(text.encode()).hexdigest() in caplog.text
        assert "ab" * 32 in caplog.text
    assert not libraries.asked
    assert not any(slept)


def test_a_configuration_that_is_costly_to_derive_ends_in_a_sentence(
    libraries, node, monkeypatch, caplog
):
    stop = []

    def endless(text, policy):
        while not stop:
            pass

    monkeypatch.setattr(configured_floor, "floor", endless)
    monkeypatch.setattr("client.consent.derivation_limit.MOST_SECONDS", 0.1)
    answer = node.ask(node.task(), node.context(0, node.config(noise="secure")))
    stop.append(True)
    assert answer.error.reason == "device failed"
    assert "takes more than 0.1 s to derive" in caplog.text
    assert not libraries.asked


def test_a_visit_says_in_the_devices_log_what_it_has_shown(libraries, node, caplog):
    logger = logging.getLogger("flwr.darkroom")
    logger.addHandler(caplog.handler)
    task, own = node.task(), node.context(0, node.config(noise="secure"))
    with caplog.at_level(logging.INFO, logger="flwr.darkroom"):
        node.ask(task, own)
        node.ask(replace(task, round=2), own)
    logger.removeHandler(caplog.handler)
    assert "visit 1 is charged: ε ≤ 4.37" in caplog.text
    assert "visit 2 is charged: ε ≤ 6.57" in caplog.text


def test_a_spent_budget_is_said_in_the_devices_log(libraries, node, caplog):
    own = node.context(0, node.config(budget=1.0))
    node.ask(node.task(), own)
    assert "the device declines: " in caplog.text


def test_a_node_that_the_server_leaves_out_reads_why(node, caplog):
    own = node.context(3, node.config())
    answer = node.ask(encode_notice(LeftOut.NUMBER_TAKEN), own, MessageType.QUERY)
    assert decode_device(answer.content) == 3
    assert "another node says that it is device 3 too" in caplog.text
    caplog.clear()
    forged = RecordDict()
    forged["scalars"] = encode_notice(LeftOut.NUMBER_TAKEN)["scalars"]
    forged["scalars"]["left out"] = "\x1b[2Jyour photos are gone"
    node.ask(forged, own, MessageType.QUERY)
    assert "photos are gone" not in caplog.text
