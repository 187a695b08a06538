"""What was typed, checked against the settings before Hydra composes anything."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import get_args, get_origin

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

import conf
from protocol.choices import OneOf
from protocol.rebuild import SettingError, shown
from protocol.setting_names import sections, setting_hints, suggestion
from simulations.configuration.settings import Config

CONF = Path(conf.__file__).parent
SETTINGS = setting_hints(Config)


def check_overrides(overrides: Sequence[str]) -> None:
    """Refuses an override of what is neither a setting nor a group.

    Hydra itself would take ``+privacy.epsilom=3`` and go on without it.

    Raises:
        SettingError: One sentence with the nearest right name.
        OverrideParseException: An override is not ``name=value``; Hydra's own error.
    """
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.key_or_group in groups():
            _refuse_prefix(override)
            _refuse_no_choice(override)
        elif not override.is_hydra_override() and not _is_entry(override.key_or_group):
            _refuse_nested(override)
            _refuse_unknown(override)
            _refuse_prefix(override)
            _refuse_tag(override)
            _refuse_no_section(override)


def typed_values(words: Sequence[str]) -> dict[str, object]:
    """Returns the values of settings that were typed, where nothing is composed.

    Raises:
        SettingError: A word is a group's choice, a sweep, or no setting; one sentence.
        OverrideParseException: A word is not ``name=value``; Hydra's own error.
    """
    check_overrides(words)
    found: dict[str, object] = {}
    for override in OverridesParser.create().parse_overrides(list(words)):
        name = override.key_or_group
        if name in groups() or name not in SETTINGS or override.is_sweep_override():
            raise SettingError(
                f"'{override.input_line}' beside resume=RUN changes what the run began with; "
                "only single settings, such as server.rounds=30, may stand there."
            )
        found[name] = override.value()
    return found


@cache
def groups() -> tuple[str, ...]:
    """Returns the names of the groups, such as ``privacy/example``."""
    folders = {path.parent.relative_to(CONF).as_posix() for path in CONF.rglob("*.yaml")}
    named = (name for name in folders if name != "." and not name.startswith("hydra"))
    return tuple(sorted(named))


def choices(group: str) -> list[str]:
    """Returns what may be chosen in ``group``: the names of its files."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def known_names() -> list[str]:
    """Returns everything that may stand before ``=``: settings, sections and groups."""
    return [*SETTINGS, *groups()]


def _is_entry(name: str) -> bool:
    """Says whether ``name`` is an entry of a setting that has names of its own."""
    hints = SETTINGS.items()
    mappings = [path for path, hint in hints if get_origin(hint) is dict]
    return any(name.startswith(f"{path}.") for path in mappings)


def _refuse_nested(override: Override) -> None:
    """Refuses names within names: nobody reads them on one line."""
    name = override.key_or_group
    for path, hint in SETTINGS.items():
        nested = any(get_origin(one) is dict for one in get_args(hint))
        if nested and (name == path or name.startswith(f"{path}.")):
            raise SettingError(
                f"'{path}' belongs in a file of conf/experiment/, as main-result.yaml has it; "
                "it cannot be typed."
            )


def _refuse_unknown(override: Override) -> None:
    for name in _leaves(override.key_or_group, override.value()):
        if name not in SETTINGS and not _is_entry(name):
            raise SettingError(f"'{name}' is not a setting.{suggestion(name, known_names())}")


def _leaves(name: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    else:
        yield name


def _refuse_prefix(override: Override) -> None:
    name = override.key_or_group
    if override.is_delete():
        raise SettingError(f"'{name}' cannot be removed; give it another value.")
    if override.is_add() or (override.is_force_add() and name in groups()):
        plus = "++" if override.is_force_add() else "+"
        raise SettingError(f"'{name}' is known and needs no '{plus}'; leave that out.")


def _refuse_no_choice(override: Override) -> None:
    group = override.key_or_group
    if not override.is_sweep_override() and not isinstance(override.value(), str):
        allowed = ", ".join(choices(group))
        raise SettingError(f"{group}={shown(override.value())} is not one of {allowed}.")


def _refuse_tag(override: Override) -> None:
    """Refuses to say by a setting which kind a section is: its file says that, and the rest."""
    at, _, name = override.key_or_group.rpartition(".")
    choice = one_of(at)
    if choice is not None and name == choice.tag:
        group = at.replace(".", "/")
        raise SettingError(
            f"'{at}.{name}' follows from the choice of {group}; type {group}="
            f"{shown(override.value())}."
        )


def one_of(section: str) -> OneOf | None:
    """Returns the kinds of a section that has several; None for any other."""
    notes = getattr(SETTINGS.get(section), "__metadata__", ())
    return next((note for note in notes if isinstance(note, OneOf)), None)


def stray(name: str) -> str:
    """Returns the sentence that refuses a setting of a kind that was not chosen, or ""."""
    at, _, last = name.rpartition(".")
    choice = one_of(at)
    return "" if choice is None else choice.stray(last, at=at)


def _refuse_no_section(override: Override) -> None:
    name, value = override.key_or_group, override.value()
    if get_origin(SETTINGS[name]) is dict:
        raise SettingError(
            f"'{name}' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            f"one entry may be typed: '+{name}.NAME=[\"training.lr=1\"]'."
        )
    if not sections(SETTINGS[name]) or isinstance(value, Mapping):
        return
    group = name.replace(".", "/")
    if group in groups() and isinstance(value, str):
        raise SettingError(f"'{name}' is a section of settings; type {group}={value}.")
    inside = [group for group in groups() if group.startswith(f"{name}/")]
    near = f" Did you mean '{inside[0]}'?" if inside else ""
    raise SettingError(f"'{name}' is a section of settings, not {shown(value)}.{near}")
