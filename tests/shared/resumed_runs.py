"""Cuts a run off at a named point, as a kill does: nothing is saved after it."""

import enum
import io
import json
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from rich.console import Console
from safetensors.numpy import load_file

from privacy.ledger.ledger import Ledger
from server.aggregation import optimizer
from server.rounds.strategy import RoundStrategy
from simulations import simulate as simulating
from simulations.evaluation.judge import Judge
from simulations.runs import run as performing
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder
from simulations.runs.recorder import Recorder
from simulations.runs.run_folder import METRICS, RunFolder

SEEDED = ("privacy.noise=insecure_seeded",)


class Killed(BaseException):
    """Stands for the end of the process."""


class Cut(enum.Enum):
    """Where a run is cut off, in the order of a round."""

    BEGUN = "before the first evaluation"
    DRAWN = "after the cohort was drawn"
    CHARGING = "before a charge"
    CHARGED = "after a charge, before anything is released"
    STEPPED = "after the optimizer's step"
    KEEPING = "before the checkpoint"
    KEPT = "after the checkpoint"
    JUDGING = "before the release is judged"
    JUDGED = "after the evaluation was written"
    CLOSED = "after the round"
    LEAVING = "before the files of the end"
    SEALING = "before the last of these files"


CUTS = list(Cut)
PLACES = {
    Cut.BEGUN: (Recorder, "begin", True),
    Cut.DRAWN: (Recorder, "started", False),
    Cut.CHARGING: (Ledger, "charge", True),
    Cut.CHARGED: (Ledger, "charge", False),
    Cut.STEPPED: (optimizer, "step", False),
    Cut.KEEPING: (CheckpointFolder, "save", True),
    Cut.KEPT: (CheckpointFolder, "save", False),
    Cut.JUDGING: (Judge, "figures", True),
    Cut.JUDGED: (RunFolder, "append_metrics", False),
    Cut.CLOSED: (RoundStrategy, "_closed", False),
    Cut.LEAVING: (performing, "save_weights", True),
    Cut.SEALING: (performing.run_parts, "seal", True),
}
PASSING = ("last.safetensors", "before-last.safetensors", "parts.json", "log.jsonl")
ONCE = {Cut.BEGUN, Cut.LEAVING, Cut.SEALING}


@contextmanager
def dying(cut, *, number, die):
    """Calls ``die`` the ``number``-th time that a run comes to ``cut``."""
    owner, name, before = PLACES[cut]
    honest, left = getattr(owner, name), 1 if cut in ONCE else number

    def counted(*words, **named):
        nonlocal left
        left -= 1
        if before and left == 0:
            die()
        found = honest(*words, **named)
        if not before and left == 0:
            die()
        return found

    with patch.object(owner, name, counted):
        yield


def _killed():
    raise Killed


def _nothing(*words, **named):
    """In the place of what an ending process would still do."""


@contextmanager
def cut_off(cut, *, number):
    """Ends the run of the block at ``cut``: it must come there, and saves nothing more."""
    with (
        patch.object(performing, "_leave_early", _nothing),
        dying(cut, number=number, die=_killed),
        pytest.raises(Killed),
    ):
        yield


def go_on(folder, *words):
    """Goes on with a run, as ``darkroom simulate resume=RUN`` does; returns what was said."""
    screen = Console(file=io.StringIO(), width=1000)
    with patch.object(simulating, "Console", lambda **_: screen):
        assert simulating.resume(folder.path, overrides=words) == 0
    return screen.file.getvalue()


def _told(path):
    """The bytes of a file; of tensors theirs, for safetensors writes its facts in any order.

    What an evaluation says of the machine, its seconds and memory, is another each time.
    """
    if path.name == METRICS:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [{name: row[name] for name in row if name != "machine"} for row in rows]
    if path.suffix != ".safetensors":
        return path.read_bytes()
    return {name: one.tobytes() for name, one in load_file(path).items()}


def files(folder):
    """All files of a run that is over, but lock, log and its two last checkpoints."""
    return {
        str(path.relative_to(folder.path)): _told(path)
        for path in sorted(folder.path.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and path.name != "config.yaml"
        if path.name
        not in ("last.safetensors", "before-last.safetensors", "parts.json", "log.jsonl")
    }
