"""The names of all settings, and which of them somebody probably meant."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

LEAST_LIKENESS = 0.7


def known_paths(cls: type[Any], *, at: str = "") -> list[str]:
    """Returns the full names of all settings under ``cls``, sections included."""
    paths = []
    for name, hint in get_type_hints(cls).items():
        paths.append(join(at, name))
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            paths += known_paths(hint, at=join(at, name))
    return paths


def suggestion(path: str, known: Iterable[str]) -> str:
    """Returns " Did you mean '…'?" with the nearest of ``known``, siblings first, or ""."""
    known = list(known)
    parent = path.rpartition(".")[0]
    siblings = [name for name in known if name.rpartition(".")[0] == parent]
    for names in (siblings, known):
        near = difflib.get_close_matches(path, names, n=1, cutoff=LEAST_LIKENESS)
        if near:
            return f" Did you mean '{near[0]}'?"
    return ""


def deepest(path: str, value: Any) -> str:
    """Returns the full name of the first setting inside ``value``, or ``path`` itself."""
    while isinstance(value, Mapping) and value:
        name, value = next(iter(value.items()))
        path = join(path, str(name))
    return path


def join(at: str, name: str) -> str:
    """Returns the full name of setting ``name`` of section ``at``."""
    return f"{at}.{name}" if at else name
