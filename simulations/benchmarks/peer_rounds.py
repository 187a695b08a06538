"""Rounds of Darkroom and of Flower's own simulation, in a process that does nothing else.

``peer_benchmark`` begins it, with Flower and Ray kept offline.
"""

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.simulation import run_simulation

from client.app import app as client_app
from client.embeddings.disk_cache import DiskCache
from client.engine import Examples
from client.model import encoder_digest
from protocol.rebuild import to_json
from ranking.initial import initial_ranker
from server.app import app as server_app
from server.rounds.outcome import RoundOutcome
from simulations.benchmarks.peer_work import BATCH, DEVICES, LISTS, LR, PHOTOS, WARM_UP, lists
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.federation.federation import federate, without_privacy


@contextmanager
def work(rounds: int) -> Iterator[Config]:
    """Lends the configuration of the run, with every device's embeddings on disk."""
    with tempfile.TemporaryDirectory() as cache:
        config = compose(
            [
                f"photos.devices={DEVICES}",
                f"server.cohort={DEVICES}",
                f"server.rounds={rounds}",
                f"training.steps={LISTS // BATCH}",
                f"training.rate={BATCH / LISTS}",
                f"training.lr={LR}",
                f"privacy.example.max_participations={rounds}",
                "ranking=head",
                "privacy/device=none",
                "simulation.reference=false",
                f"simulation.cache={cache}",
            ]
        )
        encoder = encoder_digest(initial_ranker(config.ranking, seed=config.seed).encoder)
        kept = DiskCache(Path(cache), photos=config.photos, seed=config.seed, encoder=encoder)
        for device in range(DEVICES):
            kept.get(device, lambda own=device: _examples(own))  # type: ignore[misc]
        yield config


def _examples(device: int) -> Examples:
    inputs, gains = lists(device)
    where = torch.ones(LISTS, PHOTOS, dtype=torch.bool)
    return Examples(inputs=inputs, gains=gains, where=where, numbers=torch.arange(LISTS))


@dataclass
class Stopwatch:
    """Follows a run: from the end of one round to that of the next, and who counted in it."""

    seconds: list[float] = field(default_factory=list)
    admitted: list[int] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)

    def started(self, number: int, *, cohort: int) -> None:
        """Does nothing: what comes before it is part of a round, as it is for pfl."""

    def replied(self) -> None:
        """Does nothing."""

    def closed(self, outcome: RoundOutcome) -> None:
        """Ends a round and begins the next."""
        now = time.perf_counter()
        self.seconds.append(now - self.began)
        self.admitted.append(outcome.admitted)
        self.began = now

    def whole_rounds(self, rounds: int) -> list[float]:
        """Returns the seconds of all ``rounds``.

        Raises:
            RuntimeError: A round is missing, or the update of one of its devices.
        """
        if self.admitted != [DEVICES] * rounds:
            raise RuntimeError(
                f"{rounds} rounds of {DEVICES} updates were due, not {self.admitted}."
            )
        return self.seconds


def darkroom(config: Config) -> Stopwatch:
    """On the in-process grid, whose devices train together."""
    watch = Stopwatch()
    federate(config, DEVICES, observer=watch)
    return watch


def open_darkroom(config: Config) -> Stopwatch:
    """The same with neither clipping nor noise."""
    return darkroom(without_privacy(config))


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


def flower(config: Config) -> Stopwatch:
    """The same apps under Flower's simulation: one Ray actor of one core."""
    watch, text, app = Stopwatch(), to_json(config), ServerApp()

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
    return watch


RUNS: dict[str, Callable[[Config], Stopwatch]] = {
    "darkroom": darkroom,
    "open_darkroom": open_darkroom,
    "flower": flower,
}


def report(name: str, *, rounds: int) -> None:
    """Prints the seconds of each of ``rounds`` rounds, after some that count for nothing."""
    torch.set_num_threads(1)
    with work(rounds + WARM_UP) as config:
        print(json.dumps(RUNS[name](config).whole_rounds(rounds + WARM_UP)[WARM_UP:]))
