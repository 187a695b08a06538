"""What a device has shown under all the configurations whose ledgers its folder holds.

The server chooses configurations by what it has seen. So what they cost together is held below
the operator's limit by a filter, ``privacy.statements.renyi_filter``, and not by the
composition of terms that were fixed before.

Formal guarantee: let an operator keep one folder and one limit ε. Where a device asks ``keeps``
before every charge, what it has shown of a moment under all configurations is (ε, 2 · 10⁻⁵)-
differentially private, whatever the server chose; and so is what it has shown of its library
under those that add local noise. Why twice 10⁻⁵: while there is one configuration its own limit
holds, at that δ; as soon as there are two the filter does, at as much; it is one or the other.
"""

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from client.consent.configured_floor import LARGEST_DELTA
from privacy.accounting.steps import Steps
from privacy.ledger.chain import examine
from privacy.ledger.records import Terms
from privacy.sampling.crowds import alone
from privacy.statements import renyi_filter
from privacy.statements.composition import steps_of

CONFIGURATION = re.compile("[0-9a-f]{64}")
LEDGERS = re.compile(r"\.?(?P<unit>.+?)\.(jsonl|head\.json|lock)")
UNITS = ("example", "device")
Visits = Mapping[str, Steps]

log = logging.getLogger(__name__)


class UnknownSpendingError(ValueError):
    """A part of what the device has shown is not known: it counts as without bound."""


def keeps(own: Mapping[Path, Terms], *, visits: int, device: int, most: float) -> bool:
    """Says whether a device may make one more visit: this one is among ``visits``.

    Anything in the folder that is, or was, a ledger and cannot be counted is without bound.
    Where a configuration has no ledger of moments, that of its library stands for them: local
    noise hides any change of a library, and so that of a moment.

    Args:
        own: Terms of each ledger of this configuration, by its folder and name.
        visits: Of this configuration.
        device: The device's number.
        most: The operator's largest ε of each unit, over all configurations.
    """
    configuration = next(iter(own)).parent
    try:
        others = list(_others(configuration, {path.name for path in own}, device=device))
        mine = {path.name: _steps(path, terms, visits) for path, terms in own.items()}
    except (OSError, ValueError) as failure:
        log.error("the device takes part in nothing: max-epsilon cannot be kept: %s", failure)
        return False
    if not others:
        return True  # the limit of this configuration alone, which the floor keeps
    shown = [*others, mine]
    of_moments = [one["example"] if "example" in one else one["device"] for one in shown]
    of_library = [one["device"] for one in shown if "device" in one]
    return _within(of_moments, most) and ("device" not in mine or _within(of_library, most))


def _within(steps: Sequence[Steps], most: float) -> bool:
    return renyi_filter.keeps(steps, epsilon=most, delta=LARGEST_DELTA)


def _others(configuration: Path, own: set[str], *, device: int) -> Iterator[Visits]:
    """What the device has shown under each other configuration."""
    units: dict[Path, set[str]] = {}
    for path in _ledgers(configuration.parent):
        units.setdefault(path.parent, set()).add(path.name)
    strange = units.pop(configuration, set()) - own
    if strange:
        raise UnknownSpendingError(f"{configuration} holds a ledger of '{min(strange)}'.")
    for folder, names in units.items():
        visits = {unit: _visits(folder, unit, device=device) for unit in sorted(names)}
        if any(steps.times for steps in visits.values()):
            yield visits


def _ledgers(folder: Path) -> Iterator[Path]:
    """Every ledger in the folder, by its folder and name, also one of which little is left."""
    for place, folders, files in os.walk(folder, onerror=_raise):
        for name in folders:
            if (Path(place) / name).is_symlink():
                raise UnknownSpendingError(f"{Path(place) / name} is a link to ledgers.")
        for found in filter(None, map(LEDGERS.fullmatch, files)):
            path = Path(place) / found["unit"]
            configured = CONFIGURATION.fullmatch(path.parent.name)
            if not (configured and path.parent.parent == folder and path.name in UNITS):
                raise UnknownSpendingError(f"{place} holds '{found[0]}', a ledger of nothing.")
            yield path


def _visits(folder: Path, unit: str, *, device: int) -> Steps:
    found = examine(folder, unit)
    return _steps(folder / unit, found.terms, found.spent.of(device))


def _steps(path: Path, terms: Terms, visits: int) -> Steps:
    if not visits:
        return Steps(crowds=alone(1.0), noise=1.0, times=0)
    if terms.noise != "secure":
        raise UnknownSpendingError(f"{path}.jsonl has noise that is not secret.")
    try:
        return steps_of(terms, visits)
    except ValueError as failure:
        raise UnknownSpendingError(f"{path}.jsonl: {failure}") from failure


def _raise(failure: OSError) -> None:
    raise failure
