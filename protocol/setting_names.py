"""The names of all settings, and which of them somebody probably meant."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

LEAST_LIKENESS = 0.7
"""Least ratio of ``difflib`` at which a name is suggested. At 0.8 "training.learning_rate"
finds no training.rate; at difflib's own 0.6 "server.clients" finds server.rounds."""


def setting_hints(cls: type[Any], *, at: str = "") -> dict[str, Any]:
    """Returns every setting under ``cls`` by its full name, sections included: its type.

    Where kinds of a section share a name, it is the type of the first one's.
    """
    hints: dict[str, Any] = {}
    for name, hint in field_hints(cls).items():
        path = join(at, name)
        hints[path] = hint
        for section in sections(hint):
            hints = {**hints, **setting_hints(section, at=path), **hints}
    return hints


def field_hints(cls: type[Any]) -> dict[str, Any]:
    """Returns the type of each field of a dataclass, by its name."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def sections(hint: Any) -> tuple[type[Any], ...]:
    """Returns the dataclasses that a section's type stands for: each of its kinds, or one."""
    kinds = getattr(next(iter(getattr(hint, "__metadata__", ())), None), "kinds", None)
    if isinstance(kinds, Mapping):
        return tuple(kinds.values())
    return (hint,) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else ()


def known_paths(cls: type[Any], *, at: str = "") -> list[str]:
    """Returns the full names of all settings under ``cls``, sections included."""
    return list(setting_hints(cls, at=at))


def suggestion(path: str, known: Iterable[str]) -> str:
    """Returns " Did you mean '…'?" with the nearest of ``known``, or "".

    A name whose last part is the very same comes first, for the setting may have moved, then
    siblings of ``path``, then the likest full name, then the likest last part: so ``epsilon``
    finds ``privacy.example.epsilon``.
    """
    names = list(known)
    moved = [name for name in names if _last(name) == _last(path)]
    if moved:
        likest = moved[0] if path == _last(path) else _likest(path, moved)
        return f" Did you mean '{likest}'?"
    siblings = [name for name in names if _parent(name) == _parent(path)]
    near = _nearest(path, siblings) or _nearest(path, names)
    if not near:
        last = _nearest(_last(path), [_last(name) for name in names])
        near = [name for name in names if _last(name) in last]
    return f" Did you mean '{near[0]}'?" if near else ""


def _nearest(name: str, names: list[str]) -> list[str]:
    return difflib.get_close_matches(name, names, n=1, cutoff=LEAST_LIKENESS)


def _likest(path: str, names: list[str]) -> str:
    return max(names, key=lambda name: difflib.SequenceMatcher(None, path, name).ratio())


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def _last(name: str) -> str:
    return name.replace("/", ".").rpartition(".")[2]


def deepest(path: str, value: Any) -> str:
    """Returns the full name of the first setting inside ``value``, or ``path`` itself."""
    while isinstance(value, Mapping) and value:
        name, value = next(iter(value.items()))
        path = join(path, str(name))
    return path


def join(at: str, name: str) -> str:
    """Returns the full name of setting ``name`` of section ``at``."""
    return f"{at}.{name}" if at else name
