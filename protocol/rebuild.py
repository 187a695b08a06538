"""The strict way back from plain data to frozen settings."""

import dataclasses
import json
import math
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from protocol.choices import OneOf
from protocol.ranges import allowed, within
from protocol.setting_names import deepest, field_hints, join, known_paths, suggestion

S = TypeVar("S")
LONGEST_SHOWN = 60
"""Characters of a bad value in a sentence, which stays one line that way."""

KINDS: Mapping[type, str] = {
    float: "a finite number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    tuple: "a list",
    dict: "a section of names",
}


class SettingError(ValueError):
    """A setting that is none, or has a value that is not allowed: one sentence names it."""


def rebuild(cls: type[S], plain: Mapping[str, Any], *, at: str = "") -> S:
    """Returns the frozen dataclass ``cls`` with exactly the settings of ``plain``.

    Args:
        cls: A dataclass whose fields are dataclasses, numbers, strings, booleans, ``Literal``,
            ``Annotated`` with a range or with ``OneOf``, tuples, dictionaries by string, or one
            of these or None.
        plain: Every field by its name; nothing has a default here. A whole number passes for a
            float, a boolean never for a number.
        at: Path of ``plain`` in the whole configuration, for the messages.

    Raises:
        SettingError: A key is unknown, missing, of another type or out of its range.
    """
    hints = field_hints(cls)
    for key in plain:
        if key not in hints:
            raise _unknown(join(at, str(key)), plain[key], known_paths(cls, at=at))
    for name in hints:
        if name not in plain:
            raise SettingError(f"'{join(at, name)}' is missing: it has no default.")
    return cls(**{name: _value(hints[name], plain[name], join(at, name)) for name in hints})


def _unknown(path: str, value: Any, known: Sequence[str]) -> SettingError:
    path = deepest(path, value)
    return SettingError(f"'{path}' is not a setting.{suggestion(path, known)}")


def to_plain(settings: Any) -> Any:
    """Returns settings as dictionaries, lists, numbers, strings, booleans and None."""
    if dataclasses.is_dataclass(settings):
        names = [field.name for field in dataclasses.fields(settings)]
        return {name: to_plain(getattr(settings, name)) for name in names}
    if isinstance(settings, Mapping):
        return {key: to_plain(value) for key, value in settings.items()}
    if isinstance(settings, tuple | list):
        return [to_plain(value) for value in settings]
    return settings


def to_json(settings: Any) -> str:
    """Returns settings as one line of JSON, which ``from_json`` reads back."""
    return json.dumps(to_plain(settings), allow_nan=False)


def from_json(cls: type[S], text: str) -> S:
    """Returns the settings that ``to_json`` wrote; strict as ``rebuild``."""
    return rebuild(cls, _object(text))


def section(text: str, path: str, cls: type[S]) -> S:
    """Returns one section of a whole configuration's JSON, such as ``privacy.example``.

    Nothing outside the section is read: a device needs no other package's settings.

    Raises:
        SettingError: The section is missing, or ``rebuild`` refuses it.
    """
    found: Any = _object(text)
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            raise SettingError(f"'{path}' is missing from the configuration.")
        found = found[name]
    value: S = _value(cls, found, path)
    return value


def _value(hint: Any, value: Any, at: str) -> Any:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        base, *notes = inside
        one_of = isinstance(notes[0], OneOf)
        return _one_of(notes[0], value, at) if one_of else _ranged(base, value, at, notes)
    if origin in (Union, types.UnionType):
        (base,) = (option for option in inside if option is not type(None))
        return None if value is None else _value(base, value, at)
    if origin is Literal:
        return _choice(inside, value, at)
    if origin in (tuple, dict):
        return _collection(origin, inside, value, at)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _section(hint, value, at)
    return _scalar(hint, value, at)


def _section(cls: type[Any], value: Any, at: str) -> Any:
    if isinstance(value, Mapping):
        return rebuild(cls, value, at=at)
    raise SettingError(f"'{at}' is a section of settings, not {shown(value)}.")


def _one_of(choice: OneOf, value: Any, at: str) -> Any:
    """A section of the kind that its tag names."""
    if not isinstance(value, Mapping):
        raise SettingError(f"'{at}' is a section of settings, not {shown(value)}.")
    if choice.tag not in value:
        raise SettingError(f"'{join(at, choice.tag)}' is missing: it has no default.")
    kind = _choice(tuple(choice.kinds), value[choice.tag], join(at, choice.tag))
    for name in value:
        owners = choice.owners(str(name))
        if not owners:
            known = [path for one in choice.kinds.values() for path in known_paths(one, at=at)]
            raise _unknown(join(at, str(name)), value[name], known)
        if kind not in owners:
            raise SettingError(choice.stray(str(name), at=at))
    return rebuild(choice.kinds[kind], value, at=at)


def _ranged(base: Any, value: Any, at: str, limits: Sequence[Any]) -> Any:
    number = _value(base, value, at)
    if not within(number, limits):
        raise SettingError(
            f"{at}={shown(value)} is out of range: it must be {allowed(limits)}."
        )
    return number


def _choice(choices: tuple[str, ...], value: Any, at: str) -> str:
    if isinstance(value, str) and value in choices:
        return value
    near = suggestion(str(value), choices)
    raise SettingError(f"{at}={shown(value)} is not one of {', '.join(choices)}.{near}")


def _collection(kind: Any, inside: tuple[Any, ...], value: Any, at: str) -> Any:
    if kind is tuple and isinstance(value, tuple | list):
        return tuple(_value(inside[0], one, f"{at}[{i}]") for i, one in enumerate(value))
    if kind is dict and isinstance(value, Mapping):
        return {str(key): _value(inside[1], one, f"{at}.{key}") for key, one in value.items()}
    raise SettingError(f"{at}={shown(value)} must be {KINDS[kind]}.")


def _scalar(kind: type, value: Any, at: str) -> Any:
    if kind is float and type(value) in (int, float) and _is_finite(value):
        return float(value)
    if kind is not float and type(value) is kind:
        return value
    raise SettingError(f"{at}={shown(value)} must be {KINDS[kind]}.")


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def shown(value: Any) -> str:
    """Returns ``value`` for a sentence: on one line, as YAML writes it, cut when long."""
    text = str(value) if isinstance(value, str) else json.dumps(value, default=str)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise SettingError(f"the configuration is not JSON: {failure}.") from failure
    if not isinstance(found, Mapping):
        raise SettingError("the configuration is not a JSON object.")
    return found
