import json
import logging
import subprocess
import sys

import numpy as np
import pytest
from flwr.app import Context, Message, MessageType, RecordDict

from protocol.codec import decode_task, encode_device, encode_update
from protocol.messages import Update
from ranking.model.build import build_ranker
from ranking.parameters import flatten
from ranking.weights import load_weights
from server.aggregation.uniform_mean import UniformMean
from server.app import app, result
from server.rounds.directory import RangeDirectory

DEVICES = 4
CONFIG = {
    "seed": 1,
    "photos": {"devices": DEVICES, "side": 48},
    "ranking": {
        "trained": "linear",
        "loss": "softmax",
        "weights": None,
        "frozen_digest": None,
        "start_norm": None,
    },
    "training": {
        "steps": 1,
        "rate": 1.0,
        "reference_size": 10,
        "largest_library": 10,
        "lr": 1.0,
        "seconds": None,
    },
    "privacy": {
        "noise": "secure",
        "claim": False,
        "example": {
            "mechanism": "dpsgd",
            "epsilon": None,
            "noise_multiplier": 1.0,
            "delta": 1e-5,
            "clip": 1.0,
            "numbers": "float64",
            "max_participations": 5,
        },
        "device": {"mechanism": "none"},
    },
    "server": {
        "rounds": 2,
        "cohort": float(DEVICES),
        "averaged": 1,
        "timeout": 30.0,
        "aggregation": {"rule": "mean"},
        "optimizer": {"name": "sgd", "lr": 1.0},
    },
}


def device(message):
    """Says who it is, or moves each parameter by its number over sixteen."""
    number = 50 - message.metadata.dst_node_id
    if message.metadata.message_type == MessageType.QUERY:
        return Message(encode_device(number), reply_to=message)
    task = decode_task(message.content)
    delta = np.full(task.parameters.size, number / 16, np.float32)
    update = Update(round=task.round, attempt=task.attempt, delta=delta)
    return Message(encode_update(update), reply_to=message)


def context(output="", config=CONFIG):
    return Context(
        run_id=1,
        node_id=1,
        node_config={},
        state=RecordDict(),
        run_config={"config": json.dumps(config), "output": str(output)},
    )


@pytest.fixture
def grid(device_grid):
    return device_grid(device, [47, 48, 49, 50])


def test_a_run_asks_once_who_is_who_and_leaves_the_released_parameters(grid):
    given = context()
    app(grid, given)
    released = result(given)
    assert released.tolist() == [2 * 1.5 / 16] * 64
    kinds = [message.metadata.message_type for message in grid.sent]
    assert kinds == [MessageType.QUERY] * 4 + [MessageType.TRAIN] * 8


def test_a_grid_that_knows_its_devices_is_not_asked(grid):
    grid.directory = RangeDirectory(47, DEVICES)
    app(grid, context())
    assert {message.metadata.message_type for message in grid.sent} == {MessageType.TRAIN}


def test_a_grid_that_observes_is_told_of_every_round(grid, watcher):
    grid.started, grid.replied, grid.closed = watcher.started, watcher.replied, watcher.closed
    app(grid, context())
    assert [outcome.round for outcome in watcher.outcomes] == [1, 2]


def test_the_output_is_a_ranker_with_the_released_parameters(grid, tmp_path):
    path = tmp_path / "model.safetensors"
    given = context(path)
    app(grid, given)
    import torch

    ranker = build_ranker("linear", generator=torch.Generator().manual_seed(0))
    origin = load_weights(ranker, path)
    released = result(given)
    taste = flatten(ranker, ["list_ranker.taste.weight"])
    assert taste.tolist() == released.tolist()
    assert (origin.seed, origin.trained, origin.side) == (None, "linear", 48)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("output", ["model.safetensors", "/no/such/folder/model.safetensors"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(output, grid):
    with pytest.raises(ValueError, match=f"output={output} must be an absolute path"):
        app(grid, context(output))
    assert not grid.sent


def test_a_rule_without_a_bound_is_refused_before_anything_runs(grid, monkeypatch):
    monkeypatch.setattr(UniformMean, "sensitivity", None)
    device = {
        "mechanism": "gaussian",
        "epsilon": None,
        "noise_multiplier": 1.0,
        "delta": 1e-3,
        "clip": 1.0,
        "clipping": "whole",
        "numbers": "float64",
        "largest_cohort": None,
        "noise_cohort": None,
        "noise_population": None,
    }
    central = {**CONFIG, "privacy": {**CONFIG["privacy"], "device": device}}
    with pytest.raises(ValueError, match=r"aggregation\.rule=mean has no bound on how far"):
        app(grid, context(config=central))
    assert not grid.sent


def test_nothing_is_printed_and_the_log_names_no_device(grid, capsys, caplog):
    caplog.set_level(logging.DEBUG)
    logger = logging.getLogger("flwr.darkroom")
    logger.addHandler(caplog.handler)
    try:
        app(grid, context())
    finally:
        logger.removeHandler(caplog.handler)
    lines = sorted({record.getMessage() for record in caplog.records})
    assert [line.split(",")[0] for line in lines] == [
        "darkroom: round 1 of 2 released",
        "darkroom: round 2 of 2 released",
    ]
    assert capsys.readouterr().out == ""


def test_importing_the_app_loads_neither_torch_nor_an_image_library():
    code = "import sys, server.app; sys.exit(bool({'torch', 'PIL', 'photos'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
