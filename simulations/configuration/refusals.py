"""Hydra's complaints as one sentence each, with the nearest right name."""

import re

import yaml
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from protocol.rebuild import SettingError
from protocol.setting_names import suggestion
from simulations.configuration.overrides import CONF, groups, known_names, stray

COMPLAINTS = (HydraException, OmegaConfBaseException, yaml.YAMLError)
"""What Hydra raises at a configuration that cannot be composed."""

IN_FILE = re.compile(r"In '(?P<file>[^']+)': (?P<what>.*)", re.DOTALL)
RAISED = re.compile(r"^.* raised while composing config:\n")
NO_GROUP = re.compile(r"Could not override '([^']+)'\. No match in the defaults list")
OF_A_NAME = {
    r"Could not override '([^'@]+)@[^']*'": (
        "'{}' has one place; leave out all from '@' to '='."
    ),
    r"Could not override '(hydra[./][^']+)'": (
        "'{}' is none of Hydra's settings; darkroom simulate --cfg hydra shows them."
    ),
    r"Could not override '([^']+)'\.\nTo append": (
        "'{0}' is not there yet; to add it, type '+{0}=…'."
    ),
    r"Could not append to config\. An item is already at '([^']+)'": (
        "'{}' is there already; leave out the '+'."
    ),
    r"Could not delete from config\. '([^']+)' does not exist": (
        "'{0}' is not there; leave '~{0}' out."
    ),
    r"Could not delete from config\. The value of '([^']+)' is": (
        "'{0}' has another value; to remove it whatever it is, type '~{0}'."
    ),
    r"Error merging override ~([^=]+)": "'{}' cannot be removed; give it another value.",
}
"""What Hydra says of a name that it cannot override, add or remove, and what we say instead."""


def refusal(failure: Exception) -> SettingError:
    """Returns one of the ``COMPLAINTS`` as the sentence that a person sees."""
    match failure:
        case MissingConfigException(missing_cfg_file=str(file), options=[*choices]):
            return _no_choice(file, [str(choice) for choice in choices])
        case OverrideParseException(override=override):
            return SettingError(
                f"'{override}' is not name=value: {_first_line(failure)}; quote special "
                "characters, as in 'name=\"a(b)\"'."
            )
        case yaml.MarkedYAMLError(problem=problem, problem_mark=yaml.Mark() as mark):
            return SettingError(f"{mark.name}, line {mark.line + 1}: {problem}.")
        case MissingMandatoryValue(full_key=name):
            return SettingError(f"'{name}' is missing: it has no default.")
        case OmegaConfBaseException(full_key=str(name)) if name:
            return SettingError(f"{name}: {_first_line(failure)}.")
    return _in_file(failure)


def _no_choice(file: str, choices: list[str]) -> SettingError:
    group, _, choice = file.rpartition("/")
    inside = [f"{one}={choice}" for one in groups() if _has(one, choice, inside=group)]
    near = f" Did you mean '{inside[0]}'?" if inside else suggestion(choice, choices)
    return SettingError(f"{group}={choice} is not one of {', '.join(choices)}.{near}")


def _has(group: str, choice: str, *, inside: str) -> bool:
    return group.startswith(f"{inside}/") and (CONF / group / f"{choice}.yaml").is_file()


def _in_file(failure: Exception) -> SettingError:
    """Names the file where Hydra names one."""
    found = IN_FILE.match(str(failure))
    unknown = failure.__context__
    if isinstance(unknown, OmegaConfBaseException) and (
        of_another := stray(str(unknown.full_key))
    ):
        return SettingError(of_another)
    if found is None:
        return SettingError(
            _of_a_name(str(failure)) or f"{_first_line(failure)}{_way_out(failure)}."
        )
    file, what = f"conf/{found['file']}.yaml", RAISED.sub("", found["what"])
    if isinstance(failure.__context__, ConfigKeyError):
        name = str(failure.__context__.full_key)
        near = suggestion(name, known_names())
        return SettingError(f"{file}: '{name}' is not a setting.{near}")
    if group := NO_GROUP.match(what):
        near = suggestion(group[1], known_names())
        return SettingError(f"{file}: '{group[1]}' is not a group.{near}")
    return SettingError(f"{file}: {what.splitlines()[0].rstrip('.')}.")


def _of_a_name(text: str) -> str:
    found = ((re.match(pattern, text), sentence) for pattern, sentence in OF_A_NAME.items())
    return next((sentence.format(match[1]) for match, sentence in found if match), "")


def _way_out(failure: Exception) -> str:
    ambiguous = str(failure).startswith("Ambiguous value")
    return "; add -m to run each, or write name=[a,b] for a list" if ambiguous else ""


def _first_line(failure: Exception) -> str:
    lines = str(failure).splitlines()
    sentences = [
        line.strip() for line in lines if not line.startswith("Error parsing override")
    ]
    return sentences[0].rstrip(".") if sentences else type(failure).__name__
