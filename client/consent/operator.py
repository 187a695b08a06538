"""What a device's operator demands beyond the run's configuration: Flower's node-config.

The server cannot set it. It is given where a device is started, such as
``flower-supernode --node-config 'max-epsilon=2 ledger="/var/lib/darkroom"'``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from client.consent.own_number import DEVICE
from protocol.rebuild import SettingError, shown
from protocol.setting_names import suggestion

NUMBERS = ("max-epsilon", "min-noise", "max-exposure", "max-clip")
DIGEST = "config-digest"
LEDGER, CACHE, PHOTOS = "ledger", "cache", "photos"
ENCODER = "encoder"
KEYS = (*NUMBERS, DIGEST, DEVICE, PHOTOS, LEDGER, ENCODER, CACHE)
OURS = ("min-", "max-", "config-", "device", "photo", "ledger", "encoder", "cache")
HEXADECIMAL = re.compile("[0-9a-fA-F]{64}")
Value = bool | float | int | str


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorPolicy:
    """What the operator demands; None for nothing beyond the configuration.

    Attributes:
        max_epsilon: Largest ε of each unit that the device itself protects, over all visits of
            one configuration; with ``ledger``, of all configurations in that folder.
        min_noise: Smallest noise that the device adds, in units of the clip.
        max_exposure: Largest rate × steps × visits: how often a moment is used on average.
        max_clip: Largest norm that is protected by noise.
        config_digest: Hexadecimal SHA-256 of the one configuration that is agreed to.
        ledger: Folder of the device's own ledgers. It changes no floor, so policies that differ
            in it alone are equal.
        encoder: The device's own file of the run's encoder, where that is one; no floor either.
        cache: Folder that keeps the embeddings of the device's photographs; no floor either.
        photos: Folder of the device's photographs, instead of the run's; no floor either.
    """

    max_epsilon: float | None = None
    min_noise: float | None = None
    max_exposure: float | None = None
    max_clip: float | None = None
    config_digest: str | None = None
    ledger: Path | None = field(default=None, compare=False)
    encoder: Path | None = field(default=None, compare=False)
    cache: Path | None = field(default=None, compare=False)
    photos: Path | None = field(default=None, compare=False)

    @property
    def noise(self) -> bool:
        """Whether the device must see noise of its own."""
        return self.max_epsilon is not None or self.min_noise is not None

    @property
    def protection(self) -> bool:
        """Whether an unprotected run is out of the question."""
        return self.noise or self.max_exposure is not None or self.max_clip is not None


def read_policy(node_config: Mapping[str, Value]) -> OperatorPolicy:
    """Returns the policy in ``node_config``; keys that look like none of its are not read.

    Raises:
        SettingError: A value is of another type or out of range, a folder or file is not there,
            or a key is nearly one.
    """
    for key in node_config:
        _check_name(key)
    numbers = {key.replace("-", "_"): _number(node_config, key) for key in NUMBERS}
    return OperatorPolicy(
        **numbers,
        config_digest=_digest(node_config),
        ledger=_folder(node_config, LEDGER),
        encoder=_file(node_config),
        cache=_folder(node_config, CACHE),
        photos=_folder(node_config, PHOTOS),
    )


@lru_cache(maxsize=256)
def _check_name(key: str) -> None:
    if key in KEYS:
        return
    near = suggestion(key, KEYS)
    if near or key.startswith(OURS):
        raise SettingError(
            f"node-config: '{key}' is none of {', '.join(KEYS)}.{near or ' Leave it out.'}"
        )


def _number(node_config: Mapping[str, Value], key: str) -> float | None:
    if key not in node_config:
        return None
    value = node_config[key]
    if isinstance(value, bool | str) or not 0 < value < float("inf"):
        raise SettingError(f"node-config: {key}={shown(value)} must be a number above 0.")
    return float(value)


def _digest(node_config: Mapping[str, Value]) -> str | None:
    if DIGEST not in node_config:
        return None
    value = node_config[DIGEST]
    if not isinstance(value, str) or not HEXADECIMAL.fullmatch(value):
        raise SettingError(
            f"node-config: {DIGEST}={shown(value)} must be a text of 64 hexadecimal digits."
        )
    return value.lower()


def _folder(node_config: Mapping[str, Value], key: str) -> Path | None:
    if key not in node_config:
        return None
    value = node_config[key]
    folder = Path(value) if isinstance(value, str) else Path()
    if not (folder.is_absolute() and _is_there(folder)):
        raise SettingError(
            f"node-config: {key}={shown(value)} must be the absolute path of a folder; make "
            "it first."
        )
    return folder


def _file(node_config: Mapping[str, Value]) -> Path | None:
    if ENCODER not in node_config:
        return None
    value = node_config[ENCODER]
    file = Path(value) if isinstance(value, str) else Path()
    if not (file.is_absolute() and _is_file(file)):
        raise SettingError(
            f"node-config: {ENCODER}={shown(value)} must be the absolute path of an ONNX file."
        )
    return file


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except (OSError, ValueError):
        return False
