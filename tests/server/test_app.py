import json
import logging
import math
import subprocess
import sys

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian
from flwr.app import Context, Message, MessageType, RecordDict
from rankings import ranker, ranking

from privacy.ledger.chain import examine
from privacy.ledger.ledger import Ledger
from protocol.codec import decode_task, encode_device, encode_update
from protocol.messages import Update
from protocol.rebuild import to_plain
from ranking.initial import initial_ranker
from ranking.model.build import trainable_names
from ranking.parameters import flatten
from ranking.weights import load_weights
from server.aggregation.uniform_mean import UniformMean
from server.app import app, result
from server.model import ServerModel
from server.rounds.directory import RangeDirectory
from simulations.ranking.chosen_model import chosen_model

DEVICES = 4


def device(message):
    """Says who it is, or moves each parameter by its number over sixteen."""
    number = 50 - message.metadata.dst_node_id
    if message.metadata.message_type == MessageType.QUERY:
        return Message(encode_device(number), reply_to=message)
    task = decode_task(message.content)
    delta = np.full(task.parameters.size, number / 16, np.float32)
    update = Update(round=task.round, attempt=task.attempt, delta=delta)
    return Message(encode_update(update), reply_to=message)


@pytest.fixture
def context(configuration):
    def made(output="", *, config=configuration, **more):
        return Context(
            run_id=7,
            node_id=1,
            node_config={},
            state=RecordDict(),
            run_config={"config": json.dumps(config), "output": str(output)} | more,
        )

    return made


@pytest.fixture
def central(configuration, at_server):
    """The same run with noise at the server, and none on devices."""
    device = to_plain(at_server.independent)
    privacy = {"example": {"mechanism": "none"}, "device": device}
    return {**configuration, "privacy": {**configuration["privacy"], **privacy}}


@pytest.fixture
def grid(device_grid):
    return device_grid(device, [47, 48, 49, 50])


def test_a_run_asks_once_who_is_who_and_leaves_the_released_parameters(grid, context):
    given = context()
    app(grid, given)
    released = result(given)
    assert released.tolist() == [2 * 1.5 / 16] * 64
    kinds = [message.metadata.message_type for message in grid.sent]
    assert kinds == [MessageType.QUERY] * 4 + [MessageType.TRAIN] * 8


def test_a_grid_that_knows_its_devices_is_not_asked(grid, context):
    grid.directory = RangeDirectory(47, DEVICES)
    app(grid, context())
    assert {message.metadata.message_type for message in grid.sent} == {MessageType.TRAIN}


def test_a_grid_that_observes_follows_every_round(grid, watcher, context):
    grid.started, grid.replied, grid.closed = watcher.started, watcher.replied, watcher.closed
    app(grid, context())
    assert [outcome.round for outcome in watcher.outcomes] == [1, 2]


def test_the_output_is_a_ranker_with_the_released_parameters(grid, tmp_path, context):
    path = tmp_path / "model.safetensors"
    given = context(path)
    app(grid, given)
    written = ranker("linear")
    origin = load_weights(written, path)
    released = result(given)
    taste = flatten(written, ["list_ranker.taste.weight"])
    assert taste.tolist() == released.tolist()
    assert (origin.seed, origin.ranking.trained, origin.side) == (None, "linear", 48)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("output", ["model.safetensors", "/no/such/folder/model.safetensors"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(
    output, grid, context
):
    with pytest.raises(ValueError, match=f"output={output} must be an absolute path"):
        app(grid, context(output))
    assert not grid.sent


def test_a_rule_without_a_bound_is_refused_before_anything_runs(
    grid, context, central, monkeypatch
):
    monkeypatch.setattr(UniformMean, "sensitivity", None)
    with pytest.raises(ValueError, match=r"aggregation\.rule=mean has no bound on how far"):
        app(grid, context(config=central))
    assert not grid.sent


@pytest.fixture
def logged(caplog):
    """The messages of Flower's child logger."""
    caplog.set_level(logging.DEBUG)
    logger = logging.getLogger("flwr.darkroom")
    logger.addHandler(caplog.handler)
    yield lambda: [
        record.getMessage() for record in caplog.records if record.name == logger.name
    ]
    logger.removeHandler(caplog.handler)


def test_nothing_is_printed_and_the_log_names_no_device(grid, context, capsys, logged):
    app(grid, context())
    lines = sorted(set(logged()))
    assert [line.split(",")[0] for line in lines] == [
        "darkroom: round 1 of 2 released",
        "darkroom: round 2 of 2 released",
        "darkroom: ε ≤ 6.573 at δ = 1e-05 for each moment",
    ]
    assert capsys.readouterr().out == ""


def test_updates_are_counted_in_the_log_unless_devices_are_protected(
    grid, context, central, logged
):
    app(grid, context())
    assert "4 of 4 updates admitted" in logged()[-1]
    app(grid, context(config=central))
    assert "admitted" not in logged()[-1]


def test_the_promise_is_logged_where_the_server_protects_devices_and_shows_no_rounds(
    grid, context, central, watcher, logged
):
    """Two rounds of everybody at σ = 1 are one of σ = 1/√2, at δ = 1e-3."""
    app(grid, context(config=central))
    epsilon = get_epsilon_gaussian(1 / math.sqrt(2), 1e-3)
    (said,) = {line for line in logged() if "ε" in line}
    assert said.startswith(f"darkroom: ε ≤ {epsilon:.4g} at")
    assert "darkroom: no ledger is kept: name a folder, ledger=DIR, to have one" in logged()
    count = len(logged())
    grid.started, grid.replied, grid.closed = watcher.started, watcher.replied, watcher.closed
    app(grid, context(config=central))
    assert len(logged()) == count


def test_the_promise_for_each_moment_is_logged_with_whether_it_is_a_claim(
    grid, context, configuration, logged
):
    """All of a moment at σ = 1, δ = 1e-5: ε is 4.38 after one visit, 6.57 after two."""
    configuration["privacy"]["noise"] = "insecure_seeded"
    app(grid, context(config=configuration))
    (said,) = {line for line in logged() if "ε" in line}
    assert said.startswith("darkroom: ε ≤ 6.573 at δ = 1e-05 for each moment, of a device with")
    assert said.endswith("all 2 visits; no claim, for the noise is not secret")


@pytest.mark.parametrize("quorum", [-1, 5, 1.0, "2", True])
def test_a_quorum_that_is_none_is_refused_before_anybody_is_asked(grid, context, quorum):
    with pytest.raises(ValueError, match=r"quorum=.* whole number of devices, at most .*4"):
        app(grid, context(quorum=quorum))
    assert not grid.sent


def test_a_run_begins_with_its_quorum(grid, context):
    grid.nodes = [49, 50]
    given = context(quorum=2)
    app(grid, given)
    assert result(given).tolist() == [2 * 0.5 / 16] * 64


def test_under_flower_a_run_begins_its_ledger_in_a_folder_of_its_number(
    grid, context, central, tmp_path, logged
):
    app(grid, context(config=central, ledger=str(tmp_path / "ledgers")))
    found = examine(tmp_path / "ledgers" / "7", "device")
    assert found.spent.charges == 2
    assert not [line for line in logged() if "no ledger is kept" in line]


def test_a_grid_that_knows_its_devices_has_the_ledger_in_the_very_folder(
    grid, context, central, tmp_path
):
    grid.directory = RangeDirectory(47, DEVICES)
    app(grid, context(config=central, ledger=str(tmp_path)))
    assert examine(tmp_path, "device").spent.charges == 2


def test_no_ledger_is_begun_where_the_server_protects_nothing(grid, context, tmp_path):
    app(grid, context(ledger=str(tmp_path)))
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_run_that_fails_lets_go_of_its_ledger(grid, context, central, tmp_path):
    grid.directory = RangeDirectory(47, DEVICES)

    def breaks(messages, *, timeout):
        raise ConnectionError

    grid.send_and_receive = breaks
    with pytest.raises(ConnectionError):
        app(grid, context(config=central, ledger=str(tmp_path)))
    Ledger.open(tmp_path, "device").close()


@pytest.fixture
def free(configuration):
    """The same run without privacy, in which no clip bounds an update."""
    nothing = {"example": {"mechanism": "none"}, "device": {"mechanism": "none"}}
    return {**configuration, "privacy": {**configuration["privacy"], **nothing}}


def test_one_device_that_sends_the_end_of_float32_changes_no_model(
    device_grid, context, free, tmp_path, logged
):
    def answer(message):
        if (
            message.metadata.message_type == MessageType.QUERY
            or message.metadata.dst_node_id < 50
        ):
            return device(message)
        task = decode_task(message.content)
        delta = np.full(task.parameters.size, -3.4e38, np.float32)
        update = Update(round=task.round, attempt=task.attempt, delta=delta)
        return Message(encode_update(update), reply_to=message)

    given = context(tmp_path / "model.safetensors", config=free)
    app(device_grid(answer, [47, 48, 49, 50]), given)
    assert result(given).tolist() == [2 * 2 / 16] * 64
    assert "1 refused" in logged()[-1]


def test_a_run_whose_scores_overflow_says_so_and_leaves_the_last_good_model(
    device_grid, context, free, tmp_path
):
    """Finite parameters of 10²⁰ in two layers: their products are beyond float32."""
    server = {**free["server"], "optimizer": {"name": "sgd", "lr": 1e6}, "rounds": 3}
    path = tmp_path / "model.safetensors"
    sent = {1: 1e-9, 2: 1e14}

    def answer(message):
        if message.metadata.message_type == MessageType.QUERY:
            return device(message)
        task = decode_task(message.content)
        delta = np.full(task.parameters.size, sent[task.round], np.float32)
        update = Update(round=task.round, attempt=task.attempt, delta=delta)
        return Message(encode_update(update), reply_to=message)

    two_layers = {**free, "server": server, "ranking": to_plain(ranking("head"))}
    given = context(path, config=two_layers)
    with pytest.raises(ValueError, match=r"round 2 diverged: its scores .* lower training\.lr"):
        app(device_grid(answer, [47, 48, 49, 50]), given)
    written = ranker("head")
    load_weights(written, path)
    saved = flatten(written, trainable_names(written, "head"))
    start = initial_ranker(ranking("head"), seed=1)
    began = flatten(start, trainable_names(start, "head"))
    assert saved == pytest.approx(began + 1e-3, abs=1e-6)
    assert result(given).tobytes() == saved.tobytes()


def test_weights_that_score_nothing_are_refused_before_a_device_is_asked_to_train(
    grid, context, free, monkeypatch
):
    monkeypatch.setattr(ServerModel, "scores_finitely", lambda self, parameters, *, side: False)
    with pytest.raises(ValueError, match=r"starts from are no model: its scores"):
        app(grid, context(config=free))
    assert {message.metadata.message_type for message in grid.sent} == {MessageType.QUERY}


def test_importing_the_app_loads_neither_torch_nor_an_image_library():
    code = "import sys, server.app; sys.exit(bool({'torch', 'PIL', 'photos'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("kind", ["linear", "taste", "head", "lora"])
def test_the_ranker_that_is_written_ranks_like_that_of_any_run(
    grid, context, configuration, tmp_path, kind
):
    path = tmp_path / "model.safetensors"
    configuration["ranking"] = to_plain(ranking(kind))
    app(grid, context(path, config=configuration))
    chosen = chosen_model(path)
    assert chosen.side == 48
    assert chosen.warning
