"""Rounds end to end against peers that run the same work: Flower's own simulation, and pfl.

50 devices a round, 50 lists of 12 photos each, batches of 10 (a rate of 0.2 where batches are
drawn), one epoch, the list part of the ranker (35,713 weights), embeddings at hand. Darkroom
and Flower run the same two apps under DP-SGD; pfl trains the same model on the same lists
without privacy, and so does Darkroom once more, to compare like with like. Of Flower it is one
Ray actor of one core; its server and Ray's own processes may use others.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from simulations.environment import OFFLINE

PEERS = Path(".venv-peers/bin/python")
ROOT = Path(__file__).parents[2]
BESIDE = "simulations.benchmarks"
OURS, OPEN = "darkroom, DP-SGD", "darkroom, no privacy"
FLOWER, PFL = "flower's simulation, DP-SGD", "pfl, no privacy"
OWN = {OURS: "darkroom", OPEN: "open_darkroom", FLOWER: "flower"}
ALONE = {"OMP_NUM_THREADS": "1", "PFL_PYTORCH_DEVICE": "cpu", "PYTHONPATH": str(ROOT)}
NO_PEERS = f"pfl is not measured: `make bench-peers` makes {PEERS.parent.parent}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Rounds of one framework.

    Attributes:
        way: Which, and what it runs.
        seconds: Of every round after the first two of its process.
        ratio: Median over that of Darkroom's rounds under DP-SGD.
    """

    way: str
    seconds: tuple[float, ...]
    ratio: float


def measure(*, rounds: int, turns: int) -> list[Pace]:
    """Measures all in turn, each on one thread and in a process of its own.

    Args:
        rounds: Rounds that count, of every process.
        turns: How often each has its turn.

    Raises:
        RuntimeError: A framework failed, or did less than its work.
    """
    ways = {way: [sys.executable, "-c", _program(name)] for way, name in OWN.items()}
    if (ROOT / PEERS).is_file():
        ways[PFL] = [str(ROOT / PEERS), "-m", "simulations.benchmarks.pfl_peer"]
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(turns):
        for way, line in ways.items():
            found[way] += seconds([*line, str(rounds)])
    return paces(found)


def _program(name: str) -> str:
    # Not ``-m``: Ray ships an app that is defined in ``__main__`` by value, every time.
    words = f"{name!r}, rounds=int(sys.argv[1])"
    return f"import sys; from {BESIDE} import peer_rounds; peer_rounds.report({words})"


def paces(found: dict[str, list[float]]) -> list[Pace]:
    """Returns the rounds with their ratios to Darkroom's."""
    ours = median(found[OURS])
    return [
        Pace(way=way, seconds=tuple(seconds), ratio=median(seconds) / ours)
        for way, seconds in found.items()
    ]


def seconds(line: list[str]) -> list[float]:
    """Runs a command offline on one thread and returns what the last line it prints says.

    Raises:
        RuntimeError: It failed.
    """
    environment = {**os.environ, **OFFLINE, **ALONE}
    done = subprocess.run(  # noqa: S603
        line, env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} failed:\n{done.stderr[-2000:]}")
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found
