"""The parts that a run left: ``private/parts.json`` names each with its digest, last of all.

A ledger grows and is named by its head instead, in the card. Whoever writes parts.json anew as
well is found by a copy kept elsewhere alone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from privacy.ledger.records import canonical
from simulations.runs.whole_files import write_whole

PARTS = "private/parts.json"
PRIVATE = (
    "private/config.yaml",
    "private/environment.json",
    "private/metrics.jsonl",
    "private/privacy.json",
    "private/summary.json",
)
PUBLIC = ("public/config.yaml", "public/privacy.json", "public/model.safetensors")
ENDED = ("private/model.safetensors", "private/privacy.json", "private/summary.json", PARTS)
LOG = "private/log.jsonl"
SEARCH = "private/search.json"
WAY_OUT = "restore it from a copy, or take this run's ε as unbounded"


def of_run(*, shared: bool, logged: bool = True) -> tuple[str, ...]:
    """Returns the parts of a run, with a public half or without; once there was no log."""
    log = (LOG,) if logged else ()
    return (*log, *PRIVATE, *(PUBLIC if shared else ("private/model.safetensors",)))


def of_any_run() -> list[tuple[str, ...]]:
    """Returns every list of parts that a run may have left."""
    return [
        of_run(shared=shared, logged=logged)
        for shared in (True, False)
        for logged in (True, False)
    ]


def of_search(trials: int, *, shared: bool) -> tuple[str, ...]:
    """Returns the parts of a search: each trial is named by its own list of parts."""
    of_trials = (f"private/trial-{number}/{PARTS}" for number in range(trials))
    return (SEARCH, *of_trials, *((*PUBLIC[::2], "public/search.json") if shared else ()))


def seal(folder: Path, names: tuple[str, ...]) -> None:
    """Writes the digests of all parts: whatever comes after is no part of the run."""
    found = {name: _digest(folder / name) for name in names}
    write_whole(folder / PARTS, canonical(found) + "\n")


def ended(folder: Path) -> bool:
    """Whether anything is there that a run writes at its end alone."""
    return (folder / "public").exists() or any((folder / name).exists() for name in ENDED)


def faults(folder: Path, *allowed: tuple[str, ...]) -> list[str]:
    """Returns one sentence for each part that is not the one that was sealed.

    Args:
        folder: Of a run that ended.
        allowed: The lists of parts of which parts.json has to name one, whole.
    """
    path = folder / PARTS
    try:
        named = _named(path)
    except FileNotFoundError:
        return [f"{path} is missing, though the run came to its end; {WAY_OUT}."]
    except (OSError, ValueError):
        return [f"{path} is damaged or cannot be read; {WAY_OUT}."]
    if set(named) not in [set(names) for names in allowed]:
        return [f"{path} does not name the parts that a run leaves; {WAY_OUT}."]
    return [*_changed(folder, named), *_unnamed(folder, named)]


def _named(path: Path) -> Mapping[str, str]:
    text = path.read_text()
    found = json.loads(text)
    if not isinstance(found, dict) or canonical(found) + "\n" != text:
        raise ValueError("it is not written the one way")
    return found


def _changed(folder: Path, named: Mapping[str, str]) -> Iterator[str]:
    for name, digest in named.items():
        path = folder / name
        try:
            same = _digest(path) == digest
        except FileNotFoundError:
            yield f"{path} is missing, though {folder / PARTS} names it; {WAY_OUT}."
        except OSError as failure:
            yield f"{path} cannot be read: {failure.strerror}; {WAY_OUT}."
        else:
            if not same:
                yield (
                    f"{path} is not the file that {folder / PARTS} names: one of them was "
                    f"edited, or is older or of another run; {WAY_OUT}."
                )


def _unnamed(folder: Path, named: Mapping[str, str]) -> Iterator[str]:
    """Files that this run never wrote: a model from elsewhere would pass for its own."""
    for name in (*PUBLIC, LOG, "private/model.safetensors", "public/search.json"):
        if name not in named and (folder / name).exists():
            yield f"{folder / name} is no part that {folder / PARTS} names; take it away."


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
