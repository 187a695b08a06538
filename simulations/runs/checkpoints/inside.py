"""What `darkroom checkpoint RUN` shows: what is inside the checkpoints of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulations.runs.checkpoints.checkpoint import Checkpoint
from simulations.runs.checkpoints.checkpoint_folder import BEFORE, BEST, LAST, read
from simulations.runs.checkpoints.sealed_file import DamagedError
from simulations.runs.run_folder import RunFolder
from simulations.runs.stopping import resume_command

WARNING = "noise that can be taken off what was released: show it to nobody who sees the model"


def lines(run: Path) -> Iterator[str]:
    """Yields what the checkpoints of a run hold; a damaged one is said to be.

    Raises:
        ValueError: The folder is of no run, or has no checkpoint.
    """
    folder = RunFolder(run)
    there = [name for name in (LAST, BEFORE, BEST) if (folder.checkpoints / name).exists()]
    if not there:
        raise ValueError(
            f"{folder.checkpoints} holds no checkpoint; name the folder of a run, such as "
            "runs/NAME."
        )
    for name in there:
        yield name
        try:
            found = read(folder.checkpoints / name)
        except DamagedError as failure:
            yield f"  damaged     {failure}"
        else:
            yield from (f"  {key:<11} {value}" for key, value in told(found))
    yield f"Go on: {resume_command(run)}"


def told(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yields the facts of a checkpoint by their names; no parameter, noise or device."""
    server, config = checkpoint.server, checkpoint.config
    yield "run", f"{config['name']}, seed {config['seed']}, darkroom {checkpoint.code}"
    yield "round", f"{server.round} of {config['server']['rounds']}"
    yield (
        "parameters",
        f"{server.parameters.size}, norm {np.linalg.norm(server.parameters):.6g}",
    )
    name = config["server"]["optimizer"]["name"]
    yield "optimizer", f"{name}: {len(server.moments)} vectors"
    yield "average", f"of {max(1, len(server.recent))} rounds"
    arrays = (f"{key} {list(one.shape)}" for key, one in sorted(server.release.items()))
    yield "mechanism", ", ".join(arrays) or "remembers nothing"
    for unit, head in sorted(checkpoint.heads.items()):
        yield "ledger", f"{unit}: {head.count} lines, {head.hash[:16]}…"
    yield (
        "metrics",
        f"{checkpoint.rows} rows, the last judged after round {checkpoint.judged_round}",
    )
    if checkpoint.figure is not None:
        yield "best", f"{config['checkpoint']['best']} {checkpoint.figure:.4g}"
    if checkpoint.secret:
        yield "secret", WARNING
