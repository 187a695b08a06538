"""Which trained part won for how many devices and which ε: measured, not computed.

``python -m simulations.privacy.winners STUDY …`` writes the table from studies whose grids have
the axes unit, trained, epsilon and, where they differ in it, devices: ``main-result``,
``populations``.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulations.configuration.settings import Config
from simulations.privacy.question import Unit

UNITS = {"moment": Unit.EXAMPLE.value, "device": Unit.DEVICE.value}
"""The units by their names in the studies."""

TABLE = Path(__file__).with_name("winners.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What training one part came to. Simulation only.

    Attributes:
        unit: What was protected.
        devices: Devices that trained.
        epsilon: The ε.
        trained: What was trained, by its name in the study.
        after: Oracle-normalised NDCG@1.
    """

    unit: str
    devices: int
    epsilon: float
    trained: str
    after: float


def winners(config: Config) -> Iterator[str]:
    """Yields for each protected unit a sentence: what to train, and what was measured.

    The point is the largest measured number of devices and the largest ε that are not above
    the run's; below all of them the smallest, which is said.
    """
    devices = config.photos.devices
    units = {Unit.EXAMPLE: config.privacy.example, Unit.DEVICE: config.privacy.device}
    for unit, settings in units.items():
        epsilon = getattr(settings, "epsilon", None)
        if devices is not None and epsilon is not None:
            yield from _sentence(unit, devices=devices, epsilon=epsilon)


def _sentence(unit: Unit, *, devices: int, epsilon: float) -> Iterator[str]:
    own = [one for one in table() if one.unit == unit]
    if not own:
        return
    at = _at_most([one.devices for one in own], devices)
    near = [one for one in own if one.devices == at]
    within = _at_most([one.epsilon for one in near], epsilon)
    found = sorted((one for one in near if one.epsilon == within), key=lambda one: -one.after)
    best, *others = found
    more = ", ".join(f"{one.trained} {100 * one.after:.1f}" for one in others)
    yield (
        f"ε = {epsilon:g} for {_each(unit)}: training {best.trained} did best, "
        f"{100 * best.after:.1f},"
    )
    yield f"  measured at {at:,} devices and ε = {within:g} (simulation only);"
    yield f"  {more}." if more else "  nothing else was measured there."


def _each(unit: Unit) -> str:
    return "a moment" if unit is Unit.EXAMPLE else "a device"


def _at_most(values: Sequence[float], bound: float) -> float:
    below = [value for value in values if value <= bound]
    return max(below) if below else min(values)


@cache
def table() -> tuple[Measured, ...]:
    """Returns all that was measured."""
    return tuple(Measured(**one) for one in json.loads(TABLE.read_text()))


def measured(study: Path) -> list[Measured]:
    """Returns the arms of a study that have the axes unit, trained and epsilon."""
    arms = json.loads((study / "private" / "study.json").read_text())["arms"]
    return [
        Measured(
            unit=UNITS[arm["axes"]["unit"]],
            devices=_devices(study, arm),
            epsilon=float(arm["axes"]["epsilon"]),
            trained=arm["axes"]["trained"],
            after=round(arm["after"], 4),
        )
        for arm in arms
        if {"unit", "trained", "epsilon"} <= set(arm["axes"]) and arm["axes"]["unit"] in UNITS
    ]


def _devices(study: Path, arm: Mapping[str, Any]) -> int:
    """Of the axis, or of the arm's first run."""
    if "devices" in arm["axes"]:
        return int(arm["axes"]["devices"])
    configs = sorted((study / "private" / arm["name"]).glob("*/private/config.yaml"))
    return int(yaml.safe_load(configs[0].read_text())["photos"]["devices"])


if __name__ == "__main__":
    points = [asdict(one) for study in sys.argv[1:] for one in measured(Path(study))]
    TABLE.write_text(json.dumps(points, indent=1) + "\n")
