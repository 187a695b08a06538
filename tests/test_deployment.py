"""A real SuperLink with TLS and three nodes with keys: whatever one does, a run goes on.

Where a node must do what no SuperNode does, it is a program of the test's own that has a key.
"""

import json
import re
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from deployment import Deployment, OwnNode
from flwr.app import Array, ArrayRecord, Context, Message, MessageType, RecordDict
from flwr.supercore.inflatable.inflatable_object import add_header_to_object_body
from photo_files import photo

from client.app import app
from privacy.ledger.chain import examine
from privacy.statements.recomputation import state
from protocol.codec import decode_notice, decode_task, encode_device, encode_update
from protocol.messages import LeftOut, Update
from protocol.rebuild import to_json
from simulations.configuration.hydra_bridge import compose
from simulations.ranking.chosen_model import chosen_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="ends Flower's processes"),
]
WORDS = ["experiment=flower", "photos.devices=3", "server.cohort=3"]


@pytest.fixture
def deployment(tmp_path):
    made = Deployment(tmp_path, nodes=3)
    try:
        made.begin()
        yield made
    finally:
        made.close()


def written(folder, *words, **more):
    """A file of a run's configuration."""
    keys = {"config": to_json(compose([*WORDS, *words])), **more}
    file = folder / "run.toml"
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()))
    return file


def finished(deployment):
    """How the last run ended."""
    runs = json.loads(deployment.flwr("ls", "here", "--format", "json"))["runs"]
    assert len(runs) == 1
    return runs[0]["status"]


def honest(device):
    """A node that says which device it is and sends a small update."""

    def answer(message):
        if message.metadata.message_type == MessageType.QUERY:
            return Message(encode_device(device), reply_to=message)
        return update(message)

    return answer


def update(message):
    task = decode_task(message.content)
    delta = np.full(task.parameters.size, 0.001, np.float32)
    sent = Update(round=task.round, attempt=task.attempt, delta=delta)
    return Message(encode_update(sent), reply_to=message)


class Lying(Array):
    """An array whose body is none, as a node may send it."""

    def deflate(self):
        return add_header_to_object_body(b"{not json", self)


Lying.__qualname__ = "Array"


def with_a_lying_array(message):
    reply = update(message)
    true = reply.content["vectors"]["delta"]
    lying = Lying(dtype=true.dtype, shape=true.shape, stype=true.stype, data=true.data)
    arrays = ArrayRecord()
    arrays["delta"] = lying
    reply.content["vectors"] = arrays
    return reply


def as_another(reply, node):
    reply.metadata.__dict__["_src_node_id"] = node.node_id
    return reply


def empty(message):
    """Neither content nor an error, which no constructor of Flower's makes."""
    reply = update(message)
    reply.__dict__["_content"] = None
    return reply


def test_a_node_that_lies_in_every_round_is_refused_and_the_others_are_averaged(
    deployment, tmp_path
):
    """Another kind of lie in each of four rounds; none displaces an honest reply."""
    nodes = {}
    lies = {
        1: with_a_lying_array,
        2: lambda message: as_another(update(message), nodes[0]),
        3: empty,
        4: update,
    }

    def hostile(message):
        if message.metadata.message_type == MessageType.QUERY:
            return honest(2)(message)
        return lies[decode_task(message.content).round](message)

    words = ["server.rounds=4", "server.timeout=60"]
    with (
        OwnNode(deployment, 0, honest(0)) as nodes[0],
        OwnNode(deployment, 1, honest(1)) as nodes[1],
        OwnNode(deployment, 2, hostile) as nodes[2],
    ):
        logged = deployment.run(written(tmp_path, *words))
    assert "completed" in finished(deployment), logged[-4000:]
    lines = [re.search(rf"round {n} of 4 released, (.*?), sha", logged)[1] for n in range(1, 5)]
    lied = "2 of 3 updates admitted, 0 declined, 1 refused (1 × not a reply), 0 missing"
    assert lines == [lied] * 3 + ["3 of 3 updates admitted, 0 declined, 0 refused, 0 missing"]


def test_a_node_that_speaks_for_another_in_the_directory_is_left_out_and_told(
    deployment, tmp_path
):
    """It says that node 0 is device 2 too, which would be asked at twice the rate."""
    told, nodes, asked = [], {}, {0: [], 1: []}

    def hostile(message):
        reason = decode_notice(message.content)
        if reason is not None:
            told.append(reason)
            return None
        if message.metadata.message_type == MessageType.QUERY:
            return as_another(Message(encode_device(2), reply_to=message), nodes[0])
        return update(message)

    def counting(device):
        def answer(message):
            if message.metadata.message_type == MessageType.TRAIN:
                asked[device].append(decode_task(message.content).round)
            return honest(device)(message)

        return answer

    with (
        OwnNode(deployment, 0, counting(0)) as nodes[0],
        OwnNode(deployment, 1, counting(1)) as nodes[1],
        OwnNode(deployment, 2, hostile) as nodes[2],
    ):
        logged = deployment.run(written(tmp_path, "server.timeout=60"))
        time.sleep(1)
    assert "completed" in finished(deployment), logged[-4000:]
    assert told == [LeftOut.NO_NUMBER]
    assert asked == {0: [1, 2], 1: [1, 2]}
    assert f"node {nodes[2].node_id} is left out" in logged
    assert logged.count("2 of 3 updates admitted, 0 declined, 0 refused, 1 missing") == 2


def test_a_node_that_comes_late_joins_and_one_that_falls_silent_is_missing(
    deployment, tmp_path
):
    """Node 2 comes in the first round and is asked from the third on; node 1 stops then."""
    came, asked, nodes = threading.Event(), [], {}

    def waits(message):
        """Holds up the first round until node 2 is there, the second until it was asked."""
        number = round_of(message)
        if number:
            nodes[2].begin()
        assert number != 1 or nodes[2].online.wait(60)
        assert number != 2 or came.wait(60)
        return honest(0)(message)

    def falls_silent(message):
        return None if round_of(message) == 3 else honest(1)(message)

    def comes_late(message):
        asked.append(round_of(message))
        came.set()
        return honest(2)(message)

    nodes[2] = OwnNode(deployment, 2, comes_late)
    config = written(tmp_path, "server.rounds=3", "server.timeout=30", quorum=2)
    with OwnNode(deployment, 0, waits), OwnNode(deployment, 1, falls_silent):
        logged = deployment.run(config)
        nodes[2].end()
    assert "completed" in finished(deployment), logged[-4000:]
    assert "begins with 2 of photos.devices=3 devices" in logged
    lines = [re.search(rf"round {n} of 3 released, (.*?), sha", logged)[1] for n in (1, 2, 3)]
    assert lines == ["2 of 3 updates admitted, 0 declined, 0 refused, 1 missing"] * 3
    assert asked == [0, 3]


def round_of(message):
    """The round of a task; 0 for the question which device a node is."""
    if message.metadata.message_type == MessageType.QUERY:
        return 0
    return decode_task(message.content).round


def album(folder, device):
    """Six moments of two photographs."""
    for moment in range(6):
        for shot in range(2):
            photo(folder / f"moment {moment}" / f"{shot}.jpg", 10 * device + moment, like=shot)
    return folder


def private_run(tmp_path, **more):
    """A run that names the root of the disk and a cache, neither of which is its own."""
    words = [
        "photos=folder",
        "ranking/encoder=drawn",
        "photos.root=/",
        "photos.held_out_devices=0",
        "server.rounds=3",
    ]
    words += [f"simulation.cache={tmp_path / 'theirs'}", "privacy/example=dpsgd"]
    words += ["privacy.example.epsilon=null", "privacy.example.noise_multiplier=2"]
    return written(tmp_path, *words, "server.timeout=150", "training.rate=0.5", **more)


class Device:
    """The device's app with node-config of its own: a SuperNode without a process a message."""

    alone = threading.Lock()

    def __init__(self, tmp_path, device, config):
        self.ledger = tmp_path / f"ledger {device}"
        self.ledger.mkdir()
        photos = album(tmp_path / f"photos {device}", device)
        self.context = Context(
            run_id=1,
            node_id=device,
            node_config={"device": device, "photos": str(photos), "ledger": str(self.ledger)},
            state=RecordDict(),
            run_config=tomllib.loads(config.read_text()),
        )

    def __call__(self, message):
        with self.alone:
            return app(message, self.context)

    def charged(self):
        """What its ledger says."""
        (folder,) = self.ledger.iterdir()
        return examine(folder, "example")


def test_devices_train_on_their_own_photographs_whatever_paths_the_run_names(
    deployment, tmp_path
):
    """Each visit is in its device's ledger; one node is gone from the third round on."""
    model = tmp_path / "trained.safetensors"
    config = private_run(tmp_path, output=str(model))
    devices = [Device(tmp_path, device, config) for device in range(3)]

    def dies(message):
        if round_of(message) == 3:
            nodes[0].end(wait=False)
            return None
        return devices[0](message)

    nodes = [OwnNode(deployment, 0, dies)]
    with nodes[0], OwnNode(deployment, 1, devices[1]), OwnNode(deployment, 2, devices[2]):
        logged = deployment.run(config)
    assert "completed" in finished(deployment), logged[-4000:]
    lines = [re.search(rf"round {n} of 3 released, (.*?), sha", logged)[1] for n in (1, 2, 3)]
    every = "3 of 3 updates admitted, 0 declined, 0 refused, 0 missing"
    assert lines == [every, every, "2 of 3 updates admitted, 0 declined, 0 refused, 1 missing"]
    assert "for each moment, of a device with all 3 visits" in logged
    assert chosen_model(model).trained_on == "trained on photographs"
    assert not (tmp_path / "theirs").exists()
    for number, visits in enumerate((2, 3, 3)):
        found = devices[number].charged()
        assert found.spent.of(number) == visits
        assert state(found.terms, found.spent).claim


def test_a_supernode_trains_on_its_own_photographs_and_its_log_says_what_was_shown(
    deployment, tmp_path
):
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    photos = album(tmp_path / "photos", 2)
    deployment.supernode(2, f'device=2 photos="{photos}" ledger="{ledger}"')
    with OwnNode(deployment, 0, honest(0)), OwnNode(deployment, 1, honest(1)):
        logged = deployment.run(private_run(tmp_path), timeout=900)
    assert "completed" in finished(deployment), logged[-4000:]
    assert "round 3 of 3 released, 3 of 3 updates admitted" in logged
    (folder,) = ledger.iterdir()
    assert examine(folder, "example").spent.of(2) == 3
    assert "visit 3 is charged: ε ≤ " in deployment.log("supernode-2")
    assert not (tmp_path / "theirs").exists()


def test_a_supernode_without_photographs_of_its_own_reads_none_and_says_so(
    deployment, tmp_path
):
    """It was started as Flower's documentation says; the others go on without it."""
    words = [
        "photos=folder",
        "ranking/encoder=drawn",
        "photos.root=/",
        "photos.held_out_devices=0",
        "server.timeout=90",
    ]
    deployment.supernode(2, "partition-id=2 num-partitions=3")
    with OwnNode(deployment, 0, honest(0)), OwnNode(deployment, 1, honest(1)):
        logged = deployment.run(written(tmp_path, *words))
    assert "completed" in finished(deployment), logged[-4000:]
    assert "begins with 2 of photos.devices=3 devices" in logged
    assert "node-config: 'photos' is missing" in deployment.log("supernode-2")
    assert "'photos' is missing" not in logged
