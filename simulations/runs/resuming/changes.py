"""What may change when a run goes on, and what more rounds mean for its ε."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from privacy.mechanisms.base.unit_settings import Budget, Protected
from privacy.protection.derivation import Protection
from protocol.rebuild import SettingError, rebuild, shown, to_plain
from simulations.configuration.checks import check
from simulations.configuration.overrides import typed_values
from simulations.configuration.refusals import COMPLAINTS, refusal
from simulations.configuration.settings import Config
from simulations.formats import epsilon_text
from simulations.runs.run_folder import CONFIG, RunFolder

ROUNDS = "server.rounds"
MAY_CHANGE = (
    ROUNDS,
    "simulation.workers",
    "simulation.address",
    "simulation.memory",
    "simulation.cache",
    "simulation.evaluate_every",
    "simulation.reference",
    "checkpoint.every",
    "checkpoint.best",
    "study.workers",
)
"""No bit of a model or of an ε that was released follows from these; of rounds, only more."""

PINNED = ("privacy.device.epsilon", "privacy.device.noise_multiplier")
"""Where noise followed from ε and rounds, more rounds go on with the noise as it is."""


def config_of(folder: RunFolder) -> Config:
    """Returns the configuration of a run.

    Raises:
        ValueError: There is none, or it is damaged; one sentence.
    """
    path = folder.private / CONFIG
    try:
        return rebuild(Config, yaml.safe_load(path.read_text()))
    except FileNotFoundError as failure:
        raise ValueError(
            f"{path} is missing: {folder.path} is no run that began; name the folder of one, "
            "such as runs/NAME."
        ) from failure
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as failure:
        raise ValueError(f"{path} is damaged; restore it from a copy.") from failure


def changed(config: Config, words: Sequence[str]) -> Config:
    """Returns ``config`` with what was typed.

    Raises:
        SettingError: Something was typed that may not change: all of it is named.
    """
    if not words:
        return config
    plain = to_plain(config)
    for name, value in _typed(words).items():
        *sections, last = name.split(".")
        section = plain
        for one in sections:
            section = section[one]
        if last not in section:
            raise SettingError(f"'{name}' is no setting of this run; leave it out.")
        section[last] = value
    after = rebuild(Config, plain)
    refuse_others(to_plain(config), to_plain(after), where="what the run began with")
    if after.server.rounds < config.server.rounds:
        raise SettingError(
            f"{ROUNDS}={after.server.rounds} is fewer than the {config.server.rounds} of the "
            "run; a run may go on for more."
        )
    check(after)
    return after


def _typed(words: Sequence[str]) -> dict[str, object]:
    try:
        return typed_values(words)
    except COMPLAINTS as failure:
        raise refusal(failure) from failure


def refuse_others(before: Mapping[str, Any], after: Mapping[str, Any], *, where: str) -> None:
    """Refuses changes of what may not change.

    Args:
        before: A configuration in plain data.
        after: The one that is to go on.
        where: What ``before`` is, for the sentence.

    Raises:
        SettingError: The sentence names each setting with both values.
    """
    pairs = differences(before, after)
    allowed = {*MAY_CHANGE, *(PINNED if ROUNDS in pairs else ())}
    others = {name: values for name, values in pairs.items() if name not in allowed}
    if others:
        named = ", ".join(
            f"{name}={shown(now)} where it is {shown(then)}"
            for name, (then, now) in others.items()
        )
        raise SettingError(
            f"{named} in {where}: a run goes on with its own settings; only "
            f"{', '.join(MAY_CHANGE)} may change."
        )


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Returns every setting whose value differs, by its full name: the values of both."""
    left, right = dict(_leaves(before)), dict(_leaves(after))
    names = [*left, *(name for name in right if name not in left)]
    pairs = {name: (left.get(name), right.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def lengthened(before: Config, after: Config, *, devices: int) -> Config:
    """Returns ``after`` with the noise that ``before`` began with.

    Raises:
        SettingError: More rounds would need other noise than was added so far.
    """
    device = after.privacy.device
    if after.server.rounds == before.server.rounds:
        return after
    was = before.protection(devices=devices).device
    if was is None or was.release is None:
        return after
    if isinstance(device, Budget) and device.derives_noise:
        pinned = dataclasses.replace(
            device, epsilon=None, noise_multiplier=was.mechanism.noise_multiplier
        )
        privacy = dataclasses.replace(after.privacy, device=pinned)
        after = dataclasses.replace(after, privacy=privacy)
    if not _same_noise(was, after, devices=devices):
        raise SettingError(
            f"{ROUNDS}={after.server.rounds} needs other noise than privacy/device="
            f"{device.mechanism} has added for {before.server.rounds} rounds: what was shaped "
            "for a number of rounds cannot be lengthened; start a new run."
        )
    return after


def said(before: Protection, after: Protection) -> Iterator[str]:
    """Yields what more rounds mean for the ε of each unit."""
    for unit, one in after.units.items():
        then = before.units[unit]
        if one.release is None:
            ceiling = epsilon_text(one.mechanism.epsilon(one.times))
            yield (
                f"more rounds: the ε of a {WORDS[one.mechanism.unit]} stays at most {ceiling}: "
                f"a device declines after {one.times} visits."
            )
        else:
            was, now = (
                epsilon_text(each.mechanism.epsilon(each.times)) for each in (then, one)
            )
            yield (
                f"more rounds: the ε of a {WORDS[one.mechanism.unit]} is {now} after "
                f"{one.times} rounds, where it was {was} after {then.times}."
            )


WORDS = {"example": "moment", "device": "library"}


def _same_noise(was: Protected, after: Config, *, devices: int) -> bool:
    try:
        now = after.protection(devices=devices).device
    except ValueError:
        return False
    noise = after.privacy.noise
    return now is not None and was.mechanism.terms(noise=noise) == now.mechanism.terms(
        noise=noise
    )


def _leaves(plain: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in plain.items():
        name = f"{at}.{key}" if at else key
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, name)
        else:
            yield name, _listed(value)


def _listed(value: Any) -> Any:
    """JSON and YAML have one kind of sequence."""
    return [_listed(one) for one in value] if isinstance(value, list | tuple) else value
