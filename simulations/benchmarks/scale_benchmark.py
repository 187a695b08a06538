"""What a round costs as cohorts and populations grow: seconds and peak memory."""

import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from protocol.rebuild import from_json, to_json
from simulations.configuration.settings import Config


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """One round of new devices, in a process of its own.

    Attributes:
        population: Devices that exist.
        cohort: Devices of a round, expected.
        workers: Processes that train; with more than one, ``memory`` is the server's alone.
        seconds: Of the round, photos and embeddings included.
        start: Seconds from the settings to the first round.
        memory: Peak resident bytes of the process.
        devices: Devices of the round.
    """

    population: int
    cohort: int
    workers: int
    seconds: float
    start: float
    memory: int
    devices: int


@dataclass
class _Stopwatch:
    """Follows a run without judging it."""

    began: float = field(default_factory=time.perf_counter)
    rounds: list[float] = field(default_factory=list)
    cohorts: list[int] = field(default_factory=list)
    start: float = 0.0

    def started(self, number: int, *, cohort: int) -> None:
        self.start = self.start or time.perf_counter() - self.began
        self.cohorts.append(cohort)
        self._round = time.perf_counter()

    def replied(self) -> None:
        pass

    def closed(self, outcome: object) -> None:
        self.rounds.append(time.perf_counter() - self._round)


def measure(config: Config) -> Scale:
    """Runs the rounds of ``config`` in a fresh process and returns what they cost."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_run, args=(to_json(config), there), daemon=True)
    process.start()
    there.close()
    found = json.loads(here.recv())
    process.join()
    return Scale(**found)


def _run(text: str, connection: Connection) -> None:
    from simulations.federation.federation import federate

    torch.set_num_threads(1)
    config = from_json(Config, text)
    population = config.photos.devices or 0
    watch = _Stopwatch()
    federate(config, population, observer=watch)
    found = {
        "population": population,
        "cohort": int(config.server.cohort),
        "workers": config.simulation.workers,
        "seconds": watch.rounds[-1],
        "start": watch.start,
        "memory": peak(),
        "devices": watch.cohorts[-1],
    }
    connection.send(json.dumps(found))


def reset_peak() -> int:
    """Lets the peak begin anew where the system can, as Linux; returns what it is then."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Returns peak resident bytes of this process.

    Not ``ru_maxrss`` on Linux: a process inherits that of the one that began it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def overrides(populations: tuple[int, ...], cohorts: tuple[int, ...]) -> Iterator[list[str]]:
    """Yields the settings of every run: cohorts, then populations, then two workers."""
    most = max(populations)
    runs = [(most, cohort, 1) for cohort in cohorts]
    runs += [(population, cohorts[1], 1) for population in populations]
    runs.append((most, min(1_000, max(cohorts)), 2))
    for population, cohort, workers in dict.fromkeys(runs):
        yield [
            f"photos.devices={population}",
            f"server.cohort={cohort}",
            f"simulation.workers={workers}",
            "server.rounds=1",
            "ranking=head",
            "training.lr=2",
            "privacy/device=none",
            "simulation.reference=false",
            "privacy.example.max_participations=8",
        ]
