"""Several runs side by side: every arm at every seed."""

import dataclasses
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

import torch
from rich.console import Console
from rich.text import Text

from protocol.rebuild import from_json, to_json
from simulations.configuration.arms import axes_by_arm, opponents
from simulations.configuration.settings import Config
from simulations.configuration.study_settings import Comparison, PlainRun
from simulations.runs import stopping
from simulations.runs.recorder import Silence
from simulations.runs.run import Result, perform
from simulations.runs.run_folder import CONFIG, OWNERS, RunFolder
from simulations.studies import study_table
from simulations.studies.plan import StudyPlan

Job = tuple[str, str]


def run(
    config: Config,
    study: Comparison,
    console: Console,
    *,
    arms: Mapping[str, Config],
    resumed: RunFolder | None = None,
) -> int:
    """Runs every arm at every seed of ``study`` and prints how they compare.

    Each run leaves the files of a run of its own in ``<study>/private/<arm>/seed-<n>``, the
    study ``study.json`` and ``study.md`` beside them. All of it is private: its figures are
    simulation only, and no ε covers a choice among its arms. A study that is stopped compares
    the seeds at which all arms are finished, and goes on with the runs that are not.

    Args:
        config: The configuration that the arms change.
        study: The seeds, and the processes that share the runs.
        console: Where to print.
        arms: The configuration of each arm, at any seed.
        resumed: The folder of a study that goes on; None for one that begins.

    Returns:
        0, or 1 when a run failed.
    """
    seeds = study.seeds
    folder = resumed or RunFolder.create(Path(config.simulation.runs), config.name)
    StudyPlan(config=config, arms=arms).write(folder)
    jobs = [
        (to_json(alone(arm, seed=seed)), str(folder.private / name / f"seed-{seed}"))
        for seed in seeds
        for name, arm in _by_population(arms)
    ]
    size = f"{len(arms)} arms × {len(seeds)} seeds"
    console.print(Text(f"darkroom   {config.name}   {size}   {folder.path}"), soft_wrap=True)
    left = [job for job in jobs if not RunFolder(Path(job[1])).finished]
    finished = len(jobs) - len(left)
    against = {} if study.against is None else opponents(study, study.against)
    grid = study_table.Grid(axes=axes_by_arm(study), against=against)
    try:
        with stopping.stoppable(folder.path):
            for done in _finished(left, workers=study.workers):
                finished += 1
                console.print(f"  {finished}/{len(jobs)}   {done.parent.name}   {done.name}")
    except KeyboardInterrupt as end:
        _compare_whole_seeds(folder, console, arms=tuple(arms), seeds=seeds, grid=grid)
        console.print(Text(stopping.stopped(folder.path)), soft_wrap=True)
        raise stopping.as_exit(end) from end
    if finished < len(jobs):
        _compare_whole_seeds(folder, console, arms=tuple(arms), seeds=seeds, grid=grid)
        failed = f"{len(jobs) - finished} runs failed; the others are in {folder.path}."
        console.print(Text(f"darkroom: {failed}"), soft_wrap=True)
        return 1
    study_table.show(folder, console, arms=tuple(arms), seeds=seeds, grid=grid)
    return 0


def _compare_whole_seeds(
    folder: RunFolder,
    console: Console,
    *,
    arms: Sequence[str],
    seeds: Sequence[int],
    grid: study_table.Grid,
) -> None:
    """Compares what there is of a study, at the seeds that all arms have."""

    def whole(seed: int) -> bool:
        runs = (RunFolder(folder.private / arm / f"seed-{seed}") for arm in arms)
        return all(run.finished for run in runs)

    if there := [seed for seed in seeds if whole(seed)]:
        study_table.show(folder, console, arms=arms, seeds=there, grid=grid)


def _by_population(arms: Mapping[str, Config]) -> list[tuple[str, Config]]:
    """Returns the arms, those on the same photos together: each population is opened once."""
    places = {photos: at for at, photos in enumerate({arm.photos: 0 for arm in arms.values()})}
    return sorted(arms.items(), key=lambda named: places[named[1].photos])


def alone(arm: Config, *, seed: int) -> Config:
    """Returns the plain run of ``arm`` at ``seed``."""
    return dataclasses.replace(arm, seed=seed, study=PlainRun())


def shares(jobs: Sequence[Job], workers: int) -> list[Sequence[Job]]:
    """Cuts ``jobs`` into contiguous shares: most populations are then opened only once."""
    bounds = [len(jobs) * worker // workers for worker in range(workers + 1)]
    return [jobs[a:b] for a, b in pairwise(bounds) if a < b]


def work(share: Sequence[Job], finished: "Queue[str]") -> None:
    """Runs one worker's share, one thread, and reports every run that finished."""
    # The command that began it stops it: every round that was released is on disk by then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for config, folder in share:
        begun_or_resumed(from_json(Config, config), RunFolder(Path(folder)))
        finished.put(folder)


def begun_or_resumed(config: Config, folder: RunFolder) -> Result:
    """Runs ``config`` in ``folder``, or goes on with what is there."""
    begun = (folder.private / CONFIG).exists()
    if not begun:
        folder.private.mkdir(mode=OWNERS, parents=True, exist_ok=True)
    return perform(config, folder, audience=Silence(), resume=begun)


def _end_with_parent() -> None:
    """Ends this worker when the command that began it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _finished(jobs: Sequence[Job], *, workers: int) -> Iterator[Path]:
    spawn = multiprocessing.get_context("spawn")
    queue: Queue[str] = spawn.Queue()
    processes = [
        spawn.Process(target=work, args=(share, queue), daemon=True)
        for share in shares(jobs, workers)
    ]
    for process in processes:
        process.start()
    try:
        yield from _arriving(queue, processes, expected=len(jobs))
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _arriving(
    queue: "Queue[str]", processes: Sequence[BaseProcess], *, expected: int
) -> Iterator[Path]:
    arrived = 0
    while arrived < expected:
        working = any(process.is_alive() for process in processes)
        try:
            path = Path(queue.get(timeout=1))
        except Empty:
            if not working:
                return
            continue
        arrived += 1
        yield path
