"""Hydra's flags, as they may stand among the words after ``darkroom simulate``."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from protocol.rebuild import SettingError
from protocol.setting_names import suggestion

SHOWN = ("job", "hydra", "all")
TOPICS = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")

SWEEPING = {"-m", "--multirun"}
SHOWING = {"-c", "--cfg"}
HELPING = {"-h", "--help"}
COMPLETING = {"-sc", "--shell-completion"}
HYDRAS_HELP = "--hydra-help"
ALONE = {
    *SWEEPING,
    *HELPING,
    *COMPLETING,
    *(HYDRAS_HELP, "--version", "--resolve", "--run", "-r"),
}
"""Flags that take no value."""

ONE_OF: Mapping[str, Sequence[str]] = {
    "--cfg": SHOWN,
    "-c": SHOWN,
    "--info": TOPICS,
    "-i": TOPICS,
}
"""The words that may follow a flag."""

OPTIONAL = {"--info", "-i"}
"""Those of them that may stand without one."""

ANY: Mapping[str, str] = {
    "--package": "a section",
    "-p": "a section",
    "--config-path": "a folder",
    "-cp": "a folder",
    "--config-name": "a file's name",
    "-cn": "a file's name",
    "--config-dir": "a folder",
    "-cd": "a folder",
}
"""What must follow a flag."""

FLAGS = (*sorted(ALONE), *ONE_OF, *ANY)
"""Hydra's flags, but the one that would read a pickle."""


def flags_of(words: Sequence[str]) -> list[str]:
    """Returns the flags among ``words``, without their values.

    Raises:
        SettingError: One is none of ``FLAGS``, or what follows it is nothing that it takes.
    """
    found = []
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        flag, attached, value = word.partition("=")
        if not flag.startswith("-"):
            continue
        if flag not in FLAGS:
            raise SettingError(f"'{flag}' is not a flag.{suggestion(flag, FLAGS)}")
        if attached and flag in ALONE:
            raise SettingError(f"{flag} takes no value; leave out '={value}'.")
        _check_value(flag, value if attached or after.startswith("-") else after)
        found.append(flag)
    return found


def _check_value(flag: str, value: str) -> None:
    if flag in ANY and not value:
        raise SettingError(f"{flag} needs {ANY[flag]}; add it after the flag.")
    if flag not in ONE_OF or value in ONE_OF[flag] or (flag in OPTIONAL and not value):
        return
    got = f", not '{value}'" if value else ""
    near = suggestion(value, ONE_OF[flag])
    raise SettingError(f"{flag} takes one of {', '.join(ONE_OF[flag])}{got}.{near}")
