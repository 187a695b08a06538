"""The command `darkroom bench`: what training and rounds cost on this machine."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ranking.initial import initial_ranker
from simulations.benchmarks import (
    peer_benchmark,
    photo_benchmark,
    scale_benchmark,
    training_benchmark,
)
from simulations.benchmarks.peer_benchmark import Pace
from simulations.benchmarks.photo_benchmark import PhotoTiming
from simulations.benchmarks.scale_benchmark import Scale
from simulations.benchmarks.training_benchmark import Load, Timing
from simulations.configuration.hydra_bridge import compose
from simulations.runs.run_folder import check_parent
from simulations.runs.whole_files import write_whole

REPEATS = 5
"""Times that each way to train is measured; the median counts. ``--quick`` takes two."""

ROUNDS, TURNS = 4, 3
"""Rounds that count of a framework's process, and its processes: twelve rounds, of which the
median counts. ``--quick`` takes one process, whose luck is then in the figure."""

POPULATIONS = (1_000, 10_000, 100_000, 1_000_000)
"""Devices: a thousandfold, to show that what a round costs does not follow them."""

COHORTS = (10, 100, 1_000, 10_000)
"""Devices expected in a round, to show that time follows them. The last takes most of the
time."""

QUICK_COHORTS = (10, 100)
"""The same for ``--quick``."""

HEADINGS = (
    "population",
    "cohort",
    "workers",
    "s to start",
    "s a round",
    "ms a device",
    "peak MB",
)


def bench(*, out: Path | None, quick: bool, peers: bool) -> None:
    """Measures on one thread, prints tables and writes them to ``out`` as JSON.

    Args:
        out: A file, or None for none.
        quick: Fewer repetitions and no cohort of 10,000.
        peers: Also rounds of Flower's own simulation and, where it is installed, of pfl.

    Raises:
        ValueError: The folder of ``out`` is missing or closed to us; nothing was measured.
    """
    if out is not None:
        check_parent("--out", out)
    torch.set_num_threads(1)
    console = Console(highlight=False)
    timings = _training(console, training_benchmark.LOADS, repeats=2 if quick else REPEATS)
    paces = _peers(console, turns=1 if quick else TURNS) if peers else []
    scales = _scales(console, QUICK_COHORTS if quick else COHORTS)
    if out is not None:
        found = {
            "training": [asdict(timing) for timing in timings],
            "peers": [asdict(pace) for pace in paces],
            "scale": [asdict(scale) for scale in scales],
        }
        write_whole(out, json.dumps(found, indent=2) + "\n")
        console.print(Text(f"written: {out}"), soft_wrap=True)


def bench_photographs(count: int, *, out: Path | None) -> None:
    """Measures reading photographs alone, with the encoder of ``ranking/encoder=real``.

    Args:
        count: Photographs; of those of 4 MB a tenth as many.
        out: Same as for ``bench``.

    Raises:
        ValueError: The folder of ``out`` is missing, or photographs would not fit the disk.
    """
    if out is not None:
        check_parent("--out", out)
    torch.set_num_threads(1)
    console = Console(highlight=False)
    config = compose(["experiment=real-photos", "photos.root=DIR"])
    encoder = initial_ranker(config.ranking, seed=0).encoder
    found = []
    for grain, number in ((False, count), (True, max(2, count // 10))):
        timings = photo_benchmark.measure(encoder, count=number, grain=grain)
        console.print(_photographs(timings, size="4 MB" if grain else "below 1 MB"))
        found += [{"grain": grain, **asdict(timing)} for timing in timings]
    if out is not None:
        write_whole(out, json.dumps({"photographs": found}, indent=2) + "\n")
        console.print(Text(f"written: {out}"), soft_wrap=True)


def _photographs(timings: Sequence[PhotoTiming], *, size: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"12-megapixel JPEGs, {size}", min_width=32)
    for heading in ("photos", "ms", "ms of CPU", "× plain", "MB more"):
        table.add_column(heading, justify="right")
    for one in timings:
        table.add_row(
            one.way,
            f"{one.photographs:,}",
            f"{1e3 * one.seconds / one.photographs:.2f}",
            f"{1e3 * one.processor / one.photographs:.2f}",
            f"{one.ratio(timings[0]):.1f}",
            f"{one.memory / 2**20:.0f}",
        )
    return table


def _training(console: Console, loads: Sequence[Load], *, repeats: int) -> list[Timing]:
    found = []
    for load in loads:
        table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        table.add_column(str(load), min_width=52)
        for heading in ("ms", "least", "most", "× plain"):
            table.add_column(heading, justify="right")
        for timing in training_benchmark.measure(load, repeats=repeats):
            found.append(timing)
            cells = (median(timing.seconds), min(timing.seconds), max(timing.seconds))
            table.add_row(timing.way, *(f"{1e3 * s:.0f}" for s in cells), f"{timing.ratio:.2f}")
        console.print(table)
        console.print()
    return found


def _peers(console: Console, *, turns: int) -> list[Pace]:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("50 devices × 50 lists × 12 photos", min_width=36)
    for heading in ("ms a round", "least", "most", "× darkroom"):
        table.add_column(heading, justify="right")
    found = peer_benchmark.measure(rounds=ROUNDS, turns=turns)
    for pace in found:
        cells = (median(pace.seconds), min(pace.seconds), max(pace.seconds))
        table.add_row(pace.way, *(f"{1e3 * s:.0f}" for s in cells), f"{pace.ratio:.2f}")
    console.print(table)
    if all(pace.way != peer_benchmark.PFL for pace in found):
        console.print(peer_benchmark.NO_PEERS)
    console.print()
    return found


def _scales(console: Console, cohorts: Sequence[int]) -> list[Scale]:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    found = []
    for words in scale_benchmark.overrides(POPULATIONS, tuple(cohorts)):
        scale = scale_benchmark.measure(compose(words))
        found.append(scale)
        table.add_row(
            f"{scale.population:,}",
            f"{scale.devices:,}",
            str(scale.workers),
            f"{scale.start:.1f}",
            f"{scale.seconds:.1f}",
            f"{1e3 * scale.seconds / max(1, scale.devices):.1f}",
            f"{scale.memory / 2**20:.0f}",
        )
    console.print(table)
    return found
