"""Hydra's complaints as one sentence each, with the nearest right name."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import MissingMandatoryValue

from protocol.rebuild import SettingError
from protocol.setting_names import known_paths, suggestion
from simulations.settings import Config

KEY_IN_FILE = re.compile(r"In '([^']+)'.*?[Kk]ey '([^']+)'.*?full_key: (\S+)", re.DOTALL)
FULL_KEY = re.compile(r"full_key: (\S+)")
NO_CHOICE = re.compile(r"Could not find '([^']+)'")


def refuse_unknown_keys(overrides: Sequence[Override], conf: Path) -> None:
    """Refuses overrides of what is neither a setting nor a group; ``+`` opens no hole.

    Raises:
        SettingError: It names the key and the nearest right one.
    """
    known = known_paths(Config)
    groups = group_names(conf)
    for override in overrides:
        key = override.key_or_group
        if key in groups or key.split(".")[0] == "hydra" or key.startswith("study.arms."):
            continue
        if key not in known:
            raise SettingError(f"'{key}' is not a setting.{_nearest(key, known, groups)}")
        if override.is_add() and not override.is_force_add():
            raise SettingError(f"'+{key}' adds what is there already; leave the + out.")


def group_names(conf: Path) -> list[str]:
    """Returns the groups of ``conf/``, such as ``privacy/example``."""
    folders = {file.parent.relative_to(conf).as_posix() for file in conf.rglob("*.yaml")}
    return sorted(name for name in folders if name not in (".", "hydra/help"))


def refusal(failure: Exception, conf: Path) -> SettingError:
    """Returns what ``failure`` means to a person, in one sentence."""
    text = str(failure)
    if isinstance(failure, MissingConfigException):
        return _no_choice(failure, conf)
    if isinstance(failure, OverrideParseException):
        return SettingError(f"{failure.override!r} is not key=value: {_first_line(text)}")
    if isinstance(failure, MissingMandatoryValue) and (found := FULL_KEY.search(text)):
        return SettingError(
            f"{found[1]} has no default; give {found[1]}=… on the command line."
        )
    if found := KEY_IN_FILE.search(text):
        file, _, key = found.groups()
        hint = suggestion(key, known_paths(Config))
        return SettingError(f"conf/{file}.yaml: '{key}' is not a setting.{hint}")
    return SettingError(_first_line(text))


def _no_choice(failure: MissingConfigException, conf: Path) -> SettingError:
    wanted = failure.missing_cfg_file or ""
    group, _, choice = wanted.rpartition("/")
    choices = sorted(file.stem for file in (conf / group).glob("*.yaml"))
    near = difflib.get_close_matches(choice, choices, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return SettingError(f"{group}={choice} is not one of {', '.join(choices)}.{hint}")


def _nearest(key: str, known: list[str], groups: list[str]) -> str:
    if "/" in key:
        near = difflib.get_close_matches(key, groups, n=1)
        return f" Did you mean '{near[0]}'?" if near else ""
    return suggestion(key, [*known, *groups])


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".") + "."
