"""Rounds end to end against peers that run the same work: Flower's own simulation, and pfl.

50 devices a round, 50 lists of 12 photos each, batches of 10 (a rate of 0.2 where batches are
drawn), one epoch, the list part of the ranker (35,713 weights), embeddings at hand. Darkroom
and Flower run the same two apps under DP-SGD; pfl trains the same model without privacy.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.simulation import run_simulation

from client.app import app as client_app
from client.disk_cache import DiskCache
from client.engine import Examples
from protocol.rebuild import to_json
from ranking.encoder import EMBEDDING
from ranking.parameters import module_digest
from server.app import app as server_app
from server.model import initial_ranker
from simulations.federation import federate
from simulations.hydra_bridge import compose
from simulations.settings import Config

DEVICES, LISTS, PHOTOS, BATCH = 50, 50, 12, 10
WARM_UP = 2
PEERS = Path(".venv-peers/bin/python")
ROOT = Path(__file__).parents[1]
OURS, FLOWER, PFL = "darkroom, DP-SGD", "flower's simulation, DP-SGD", "pfl, no privacy"
NO_PEERS = f"pfl is not measured: `make bench-peers` makes {PEERS.parent.parent}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Rounds of one framework.

    Attributes:
        way: Which, and what it runs.
        seconds: Of every round after the first two.
        ratio: Median over Darkroom's median.
    """

    way: str
    seconds: tuple[float, ...]
    ratio: float


def measure(*, rounds: int) -> list[Pace]:
    """Measures one after another, each on one thread and in a process of its own."""
    found = {OURS: _apart("_darkroom", rounds), FLOWER: _apart("_flower", rounds)}
    if (ROOT / PEERS).is_file():
        work = {"devices": DEVICES, "lists": LISTS, "photos": PHOTOS, "batch": BATCH}
        line = [str(ROOT / PEERS), "-m", "simulations.pfl_peer"]
        found[PFL] = _last_line([*line, json.dumps({**work, "rounds": rounds})])
    return paces(found)


def paces(found: dict[str, list[float]]) -> list[Pace]:
    """Returns the rounds with their ratios to Darkroom's."""
    ours = median(found[OURS])
    return [
        Pace(way=way, seconds=tuple(seconds), ratio=median(seconds) / ours)
        for way, seconds in found.items()
    ]


def _apart(name: str, rounds: int) -> list[float]:
    program = f"from simulations import peer_benchmark as p; p.report(p.{name}, {rounds})"
    return _last_line([sys.executable, "-c", program])


def _last_line(command: list[str]) -> list[float]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def report(run: Any, rounds: int) -> None:
    """Prints the seconds of every round after the first ones, in the process of its own."""
    torch.set_num_threads(1)
    with _work(rounds + WARM_UP) as config:
        print(json.dumps(run(config)[WARM_UP:]))


@contextmanager
def _work(rounds: int) -> Iterator[Config]:
    """The configuration of the run, with every device's embeddings on disk."""
    with tempfile.TemporaryDirectory() as cache:
        config = compose(
            [
                f"photos.devices={DEVICES}",
                f"server.cohort={DEVICES}",
                f"server.rounds={rounds}",
                f"training.steps={LISTS // BATCH}",
                f"training.rate={BATCH / LISTS}",
                f"privacy.example.max_participations={rounds}",
                "ranking=head",
                "simulation.reference=false",
                f"simulation.cache={cache}",
            ]
        )
        encoder = module_digest(initial_ranker(config.ranking, seed=config.seed).encoder)
        kept = DiskCache(Path(cache), photos=config.photos, seed=config.seed, encoder=encoder)
        for device in range(DEVICES):
            kept.get(device, lambda own=device: _lists(own))  # type: ignore[misc]
        yield config


def _lists(device: int) -> Examples:
    draws = torch.Generator().manual_seed(device)
    gains = torch.randint(0, 4, (LISTS, PHOTOS), generator=draws).float()
    return Examples(
        inputs=torch.rand(LISTS, PHOTOS, EMBEDDING, generator=draws),
        gains=gains,
        where=torch.ones(LISTS, PHOTOS, dtype=torch.bool),
        numbers=torch.arange(LISTS),
    )


@dataclass
class _Stopwatch:
    """Notes how long each round took."""

    seconds: list[float] = field(default_factory=list)

    def started(self, number: int, *, cohort: int) -> None:
        self._began = time.perf_counter()

    def replied(self) -> None:
        pass

    def closed(self, outcome: object) -> None:
        self.seconds.append(time.perf_counter() - self._began)


def _darkroom(config: Config) -> list[float]:
    watch = _Stopwatch()
    federate(config, DEVICES, observer=watch)
    return watch.seconds


class _Configured(ClientApp):
    """Darkroom's ClientApp with the configuration that `flwr run` would hand over."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def __call__(self, message: Message, context: Context) -> Message:
        return client_app(message, _configured(context, self._text))


def _configured(context: Context, text: str) -> Context:
    """The same context, state included, of a run that has our configuration."""
    return Context(
        run_id=context.run_id,
        node_id=context.node_id,
        node_config=context.node_config,
        state=context.state,
        run_config={"config": text, "output": ""},
    )


def _flower(config: Config) -> list[float]:
    """The same apps under Flower's simulation: one Ray actor of one core."""
    watch, text, app = _Stopwatch(), to_json(config), ServerApp()

    @app.main()
    def main(grid: Any, context: Context) -> None:
        grid.started, grid.replied, grid.closed = watch.started, watch.replied, watch.closed
        server_app(grid, _configured(context, text))

    logging.getLogger("flwr").setLevel(logging.ERROR)
    run_simulation(
        server_app=app,
        client_app=_Configured(text),
        num_supernodes=DEVICES,
        backend_config={
            "init_args": {"num_cpus": 1, "log_to_driver": False, "include_dashboard": False},
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
        },
    )
    return watch.seconds
