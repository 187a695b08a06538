"""The word ``resume=RUN`` among those that were typed: no setting, for it is of no run."""

from collections.abc import Sequence
from pathlib import Path

RESUME = "resume="


def resumed_run(words: Sequence[str]) -> tuple[Path, list[str]] | None:
    """Returns the folder of the run to go on with, and the other words; None without one.

    Raises:
        ValueError: Two are named, none is after the sign, or a flag stands beside.
    """
    named = [word for word in words if word.startswith(RESUME)]
    if not named:
        return None
    others = [word for word in words if word not in named]
    if len(named) > 1:
        raise ValueError(
            f"{named[0]} and {named[1]}: one run goes on at a time; leave one out."
        )
    if flags := [word for word in others if word.startswith("-")]:
        raise ValueError(f"{flags[0]} does not go with {named[0]}; leave it out.")
    folder = named[0].removeprefix(RESUME)
    if not folder:
        raise ValueError(
            "resume= needs the folder of a run: darkroom simulate resume=runs/NAME"
        )
    return Path(folder), others
