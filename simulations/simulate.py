"""The command `darkroom simulate`: one run, or a study of several."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.text import Text

from protocol.rebuild import to_plain
from simulations.configuration.arms import overrides_by_arm
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.preflight import ready
from simulations.configuration.settings import Config
from simulations.configuration.study_settings import Comparison, PlainRun, Search
from simulations.display import closing, header
from simulations.display.console import Screen
from simulations.federation.federation import together, without_privacy
from simulations.runs import stopping
from simulations.runs.earlier.earlier_runs import earlier_runs
from simulations.runs.resuming import changes
from simulations.runs.run import Result, perform
from simulations.runs.run_folder import CONFIG, RunFolder
from simulations.studies import search, study
from simulations.studies.plan import StudyPlan

WITHOUT = "without-privacy"


def simulate(config: Config, *, overrides: Sequence[str] = ()) -> int:
    """Runs ``config``, shows it, and returns the exit status.

    Args:
        config: What to run.
        overrides: What was typed to get ``config``; a study's arms stand on top of it.

    Raises:
        ValueError: A folder, a file or an arm that ``config`` names cannot be used; nothing is
            written then.
    """
    torch.set_num_threads(1)
    console = Console(highlight=False)
    if isinstance(config.study, PlainRun):
        return _single(config, console, overrides=overrides)
    arms = {
        name: compose([*overrides, *changes])
        for name, changes in overrides_by_arm(config.study).items()
    }
    for arm in arms.values():
        ready(arm)
    if isinstance(config.study, Search):
        return search.run(config, config.study, console, arms=arms)
    return study.run(config, config.study, console, arms=arms)


def resume(run: Path, *, overrides: Sequence[str] = ()) -> int:
    """Goes on with a run or study that ended before its time, and returns the exit status.

    Args:
        run: Its folder.
        overrides: What was typed beside: settings that may change.

    Raises:
        ValueError: It cannot go on, or not with these settings; one sentence.
    """
    torch.set_num_threads(1)
    console = Console(highlight=False)
    folder = RunFolder(run)
    if plan := StudyPlan.read(folder):
        return _study(plan, folder, console, overrides)
    begun = changes.config_of(folder)
    config = changes.changed(begun, overrides)
    devices = ready(config).source.devices
    config = changes.lengthened(begun, config, devices=devices)
    if config.server.rounds > begun.server.rounds:
        both = (one.protection(devices=devices) for one in (begun, config))
        for sentence in changes.said(*both):
            console.print(Text(sentence), soft_wrap=True)
    elif finished(config, folder):
        console.print(Text(f"{run} is finished: more rounds, server.rounds=N, would go on."))
        return 0
    return _single(config, console, overrides=overrides, resumed=folder)


def _study(
    plan: StudyPlan, folder: RunFolder, console: Console, overrides: Sequence[str]
) -> int:
    config = changes.changed(plan.config, overrides)
    pairs = changes.differences(to_plain(plan.config), to_plain(config))
    if others := [name for name in pairs if name != "study.workers"]:
        raise ValueError(
            f"{', '.join(others)}: a study goes on with the settings of its arms; only "
            "study.workers may change."
        )
    for arm in plan.arms.values():
        ready(arm)
    if isinstance(config.study, Search):
        return search.run(
            config, config.study, console, arms=plan.arms, resumed=(folder, plan.trials or ())
        )
    if isinstance(config.study, Comparison):
        return study.run(config, config.study, console, arms=plan.arms, resumed=folder)
    raise ValueError(f"{folder.path} is of no study; start it anew.")


def finished(config: Config, folder: RunFolder) -> bool:
    """Whether a run, and the run without privacy that was asked for beside it, are over."""
    inner = RunFolder(folder.private / WITHOUT)
    return folder.finished and (not _wants_reference(config) or inner.finished)


def _single(
    config: Config,
    console: Console,
    *,
    overrides: Sequence[str],
    resumed: RunFolder | None = None,
) -> int:
    prepared = ready(config)
    if config.simulation.algorithm == "federated":
        together(config.simulation)
    earlier = earlier_runs(config)
    folder = resumed or RunFolder.create(Path(config.simulation.runs), config.name)
    with _stoppable(folder, console):
        if resumed is None:
            folder.write_config(to_plain(config))
        header.show(config, folder, console, prepared=prepared, earlier=earlier)
        with Screen(console, rounds=config.server.rounds) as screen:
            screen.heading()
            result = perform(
                config,
                folder,
                audience=screen,
                protection=prepared.protection,
                resume=resumed is not None,
            )
        reference = _reference(config, folder, console)
        closing.show(config, console, result=result, reference=reference)
        closing.next_steps(config, console, folder.path, overrides=overrides)
    return 0


@contextmanager
def _stoppable(folder: RunFolder, console: Console) -> Iterator[None]:
    try:
        with stopping.stoppable(folder.path):
            yield
    except KeyboardInterrupt as end:
        console.print(Text(stopping.stopped(folder.path)), soft_wrap=True)
        raise stopping.as_exit(end) from None


def _wants_reference(config: Config) -> bool:
    return config.simulation.reference and config.privacy.example.protects


def _reference(config: Config, folder: RunFolder, console: Console) -> Result | None:
    if not _wants_reference(config):
        return None
    inner = RunFolder(folder.private / WITHOUT)
    begun = (inner.private / CONFIG).exists()
    if not begun:
        inner.private.mkdir(parents=True, exist_ok=True)
    rounds = config.server.rounds
    with Screen(console, rounds=rounds, title="without privacy, ") as screen:
        return perform(without_privacy(config), inner, audience=screen, resume=begun)
