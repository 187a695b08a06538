"""The command `darkroom simulate`: one run, or a study of several."""

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.text import Text

from privacy.protection.derivation import Protection
from simulations.configuration.arms import overrides_by_arm
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.preflight import ready
from simulations.configuration.settings import Config
from simulations.configuration.study_settings import PlainRun, Search
from simulations.display import closing, header
from simulations.display.console import Screen
from simulations.federation.federation import together, without_privacy
from simulations.runs.earlier_runs import earlier_runs
from simulations.runs.run import Result, perform
from simulations.runs.run_folder import RunFolder
from simulations.studies import search, study


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


def _single(config: Config, console: Console, *, overrides: Sequence[str]) -> int:
    prepared = ready(config)
    if config.simulation.algorithm == "federated":
        together(config.simulation)
    earlier = earlier_runs(config)
    folder = RunFolder.create(Path(config.simulation.runs), config.name)
    header.show(config, folder, console, prepared=prepared, earlier=earlier)
    try:
        result = _shown(config, folder, console, protection=prepared.protection)
        reference = _reference(config, folder, console)
    except KeyboardInterrupt:
        where = f"Interrupted: what was released until then is in {folder.path}."
        console.print(Text(where), soft_wrap=True)
        raise
    closing.show(config, console, result=result, reference=reference)
    closing.next_steps(config, console, folder.path, overrides=overrides)
    return 0


def _shown(
    config: Config, folder: RunFolder, console: Console, *, protection: Protection
) -> Result:
    with Screen(console, rounds=config.server.rounds) as screen:
        screen.heading()
        return perform(config, folder, audience=screen, protection=protection)


def _reference(config: Config, folder: RunFolder, console: Console) -> Result | None:
    if not config.simulation.reference or not config.privacy.example.protects:
        return None
    inner = RunFolder.at(folder.private / "without-privacy")
    rounds = config.server.rounds
    with Screen(console, rounds=rounds, title="without privacy, ") as screen:
        return perform(without_privacy(config), inner, audience=screen)
