"""What one setting asks of another: each refusal names both and the way out."""

import dataclasses
import re
from pathlib import Path

from photos.settings import Photos
from privacy.settings import Device, Example
from protocol.rebuild import SettingError
from simulations.settings import Config, Study

ADDRESS = re.compile(r"auto|(ray://)?[A-Za-z0-9.-]+:[0-9]+")
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

BUDGET = {"epsilon", "noise_multiplier", "delta", "clip"}
USED: dict[str, set[str]] = {
    "none": set(),
    "dpsgd": BUDGET | {"max_participations"},
    "gaussian": BUDGET | {"largest_cohort"},
    "local": BUDGET | {"max_participations"},
}
USER = {"example": "dpsgd", "device": "gaussian"}
OPTIONAL = {"epsilon", "noise_multiplier", "largest_cohort"}


def check(config: Config) -> None:
    """Refuses settings that contradict each other, before anything is imported or written.

    Raises:
        SettingError: One sentence with the settings and the way out.
    """
    _names(config)
    _photos(config.photos)
    _address(config.simulation.address)
    _cache(config)
    _cohort(config)
    _weights(config.ranking.weights)
    _unit("example", config.privacy.example)
    _unit("device", config.privacy.device)
    _algorithm(config)
    _study(config.study)


def _names(config: Config) -> None:
    named = {"name": (config.name,), "study.arms": config.study.arms}
    for setting, names in named.items():
        for name in names:
            if not FOLDER_NAME.fullmatch(name):
                raise SettingError(
                    f"{setting}: '{name}' names a folder; use letters, digits, '-', '_', '.'."
                )


def _photos(photos: Photos) -> None:
    if photos.source == "folder" and not photos.root:
        raise SettingError("photos.root is empty but photos=folder; add photos.root=DIR.")
    if photos.source == "synthetic" and photos.root is not None:
        raise SettingError(
            f"photos.root={photos.root} has no effect with photos=synthetic; add photos=folder."
        )
    if photos.source == "synthetic" and photos.devices is None:
        raise SettingError(
            "photos.devices is null but photos=synthetic; add a number, as photos.devices=60."
        )


def _address(address: str | None) -> None:
    if address is not None and not ADDRESS.fullmatch(address):
        raise SettingError(
            f"simulation.address='{address}' is no address of a Ray cluster; use auto, "
            "ray://host:port, host:port of its head node, or null for this machine."
        )


def _cache(config: Config) -> None:
    if config.simulation.cache == "":
        raise SettingError("simulation.cache is empty; name a folder, or use null.")
    if config.simulation.cache is not None and config.photos.source != "synthetic":
        raise SettingError(
            "simulation.cache would not notice a photograph that changed; with photos="
            f"{config.photos.source} leave it null."
        )


def _cohort(config: Config) -> None:
    cohort, devices = config.server.cohort, config.photos.devices
    if devices is not None and cohort > devices:
        raise SettingError(
            f"server.cohort={cohort:g} exceeds photos.devices={devices}; lower server.cohort."
        )


def _weights(weights: str | None) -> None:
    if weights not in (None, "public") and not Path(str(weights)).is_file():
        raise SettingError(
            f"ranking.weights={weights} is no file; use public, null or a safetensors file."
        )


def _unit(name: str, unit: Example | Device) -> None:
    """Refuses what a unit's mechanism needs and lacks, or has and does not use."""
    values = dataclasses.asdict(unit)
    del values["mechanism"]
    used = USED[unit.mechanism]
    for setting, value in values.items():
        where = f"privacy.{name}.{setting}"
        if value is not None and setting not in used:
            raise SettingError(
                f"{where}={value:g} has no effect with privacy/{name}={unit.mechanism}; "
                + (f"add privacy/{name}={USER[name]}." if not used else "set it to null.")
            )
        if value is None and setting in used - OPTIONAL:
            raise SettingError(
                f"{where} is null but privacy/{name}={unit.mechanism} needs it; give it."
            )
    if used:
        _budget(name, unit)


def _budget(name: str, unit: Example | Device) -> None:
    epsilon, noise = unit.epsilon, unit.noise_multiplier
    if epsilon is None and noise is None:
        raise SettingError(
            f"privacy.{name}.epsilon and privacy.{name}.noise_multiplier are both null; "
            "give one of them."
        )
    if epsilon is not None and noise is not None:
        raise SettingError(
            f"privacy.{name}.noise_multiplier={noise:g} contradicts "
            f"privacy.{name}.epsilon={epsilon:g}; set one of them to null."
        )


def _algorithm(config: Config) -> None:
    algorithm = config.simulation.algorithm
    for name, unit in (("example", config.privacy.example), ("device", config.privacy.device)):
        if algorithm != "federated" and unit.mechanism != "none":
            raise SettingError(
                f"simulation.algorithm={algorithm} is a baseline without privacy; "
                f"add privacy/{name}=none."
            )


def _study(study: Study) -> None:
    if bool(study.seeds) != bool(study.arms):
        raise SettingError(
            "study.seeds and study.arms go together: give both, or neither for one plain run."
        )
    if len(set(study.seeds)) < len(study.seeds):
        raise SettingError("study.seeds holds a seed twice; give each once.")
