"""What a line of the ledger records: the terms at its opening, then every charge."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

FORMAT = 1
"""Version of these records, kept in each ledger. Raise it when a key changes: a ledger of
another version is then refused in one sentence, not misread."""

LARGEST = sys.float_info.max
"""The largest finite number. JSON has no word for what lies beyond."""

LONGEST_SHOWN = 60
"""Characters of a bad value in a sentence: without it a damaged line may fill the screen."""

Unit = Literal["device", "example"]
Noise = Literal["secure", "insecure_seeded"]
What = Literal["update", "metrics"]


class RecordError(ValueError):
    """What is no record: one sentence names the key, and the line where it was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What one charge costs: the opening record, of which a ledger has exactly one.

    All of it is public. Whatever a charge is for, it costs one application of these terms; a
    release by another mechanism needs a ledger of its own.

    Attributes:
        format: Version of these records.
        code: Version of the program that writes them.
        unit: What is protected: a whole ``device``, or one ``example`` on a device.
        relation: How two neighbouring data sets differ, such as "add or remove one".
        sampler: By which rule units take part, such as "poisson".
        rate: Probability that a unit takes part in a step, in (0, 1].
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest L2 norm of one unit's contribution.
        steps: Steps of one charge.
        cap: Units of one step at most; None without a cap.
        population: Units in all; None where the number is not public.
        delta: The δ of the guarantee, in (0, 1].
        noise: Source of the secret draws; with ``insecure_seeded`` no ε is a claim.
        public: Further terms that an accountant needs.

    Raises:
        RecordError: A value is of another type, not finite or out of its range.
    """

    format: int = FORMAT
    code: str
    unit: Unit
    relation: str
    sampler: str
    rate: float
    noise_multiplier: float
    clip: float
    steps: int
    cap: int | None
    population: int | None
    delta: float
    noise: Noise
    public: dict[str, float | str]

    def __post_init__(self) -> None:
        _whole("format", self.format, least=FORMAT, most=FORMAT)
        _choice("unit", self.unit, get_args(Unit))
        _choice("noise", self.noise, get_args(Noise))
        for key in ("code", "relation", "sampler"):
            _text(key, getattr(self, key))
        _positive("rate", self.rate, most=1)
        _positive("delta", self.delta, most=1)
        _positive("clip", self.clip)
        if self.noise_multiplier != 0:
            _positive("noise_multiplier", self.noise_multiplier)
        _whole("steps", self.steps, least=1)
        for key in ("cap", "population"):
            if getattr(self, key) is not None:
                _whole(key, getattr(self, key), least=1)
        _check_public(self.public)


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """One charge, written before what it pays for is handed over.

    Attributes:
        round: Number of the round.
        attempt: Which try of the round; a replay is charged again.
        devices: Who pays, once for each mention; empty where the unit is *device*, because
            there the whole population pays and who took part is a secret.
        what: What is handed over.

    Raises:
        RecordError: A value is of another type or out of its range.
    """

    round: int
    attempt: int
    devices: tuple[int, ...]
    what: What

    def __post_init__(self) -> None:
        _whole("round", self.round)
        _whole("attempt", self.attempt)
        _choice("what", self.what, get_args(What))
        if not isinstance(self.devices, tuple):
            raise RecordError(f"'devices' must be a list, not {_shown(self.devices)}")
        for device in self.devices:
            _whole("devices", device)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """What a crash left unreadable: it counts as spent by every device that could be in it.

    Attributes:
        charges: Lines that were begun there; each counts as a charge of every device.
        evidence: Name of the file that keeps the unreadable bytes.
        digest: SHA-256 of these bytes, in hexadecimal.

    Raises:
        RecordError: A value is of another type or out of its range.
    """

    charges: int
    evidence: str
    digest: str

    def __post_init__(self) -> None:
        _whole("charges", self.charges, least=1)
        _text("evidence", self.evidence)
        _text("digest", self.digest)


Record = Terms | Charge | Unknown
KINDS: Mapping[str, type[Record]] = {"terms": Terms, "charge": Charge, "unknown": Unknown}
NAMES = {cls: kind for kind, cls in KINDS.items()}


def canonical(plain: Mapping[str, Any]) -> str:
    """Returns the one way to write ``plain``: JSON, sorted keys, no spaces, ASCII, finite."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def to_line(record: Record) -> str:
    """Returns a record as one line of canonical JSON, without its end; numbers are exact."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return canonical({"kind": NAMES[type(record)], **values})


def from_line(text: str, *, line: int) -> Record:
    """Returns the record that ``to_line`` wrote, and takes no other spelling of it.

    Raises:
        RecordError: The text is not such a line; the sentence names ``line`` and the key.
    """
    record = from_plain(parsed(text, line=line), line=line)
    if to_line(record) != text:
        raise RecordError(f"line {line}: it is not written the canonical way")
    return record


def parsed(text: str, *, line: int) -> Any:
    """Returns what a line of JSON says.

    Raises:
        RecordError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise RecordError(f"line {line}: it is not JSON") from failure


def from_plain(plain: Any, *, line: int) -> Record:
    """Returns the record of parsed JSON; strict: no key more, none less, none of another type.

    Raises:
        RecordError: One sentence names ``line`` and the key.
    """
    try:
        return _record(plain)
    except RecordError as failure:
        raise RecordError(f"line {line}: {failure}") from failure


def _record(plain: Any) -> Record:
    kind = plain.get("kind") if isinstance(plain, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RecordError(f"'kind' must be one of {', '.join(KINDS)}, not {_shown(kind)}")
    cls: Any = KINDS[kind]
    names = {field.name for field in fields(cls)} | {"kind"}
    for key in sorted(names ^ set(plain)):
        raise RecordError(f"{_shown(key)} is {'missing' if key in names else 'unknown'}")
    values = {key: tuple(one) if isinstance(one, list) else one for key, one in plain.items()}
    del values["kind"]
    record: Record = cls(**values)
    return record


def _whole(key: str, value: Any, *, least: int = 0, most: float = LARGEST) -> None:
    if type(value) is not int or not least <= value <= most:
        limits = f"from {least}{_upper(most)}"
        raise RecordError(f"'{key}' must be a whole number {limits}, not {_shown(value)}")


def _positive(key: str, value: Any, *, most: float = LARGEST) -> None:
    if not _is_number(value) or not 0 < value <= most:
        limits = f"above 0{_upper(most)}"
        raise RecordError(f"'{key}' must be a finite number {limits}, not {_shown(value)}")


def _upper(most: float) -> str:
    return f" up to {most}" if most < LARGEST else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(key: str, value: Any) -> None:
    if not isinstance(value, str) or not (value and value.isascii() and value.isprintable()):
        raise RecordError(f"'{key}' must be a printable ASCII text, not {_shown(value)}")


def _choice(key: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RecordError(f"'{key}' must be one of {', '.join(choices)}, not {_shown(value)}")


def _check_public(value: Any) -> None:
    if not isinstance(value, dict):
        raise RecordError(f"'public' must be a section of names, not {_shown(value)}")
    for key, inner in value.items():
        number = _is_number(inner) and -LARGEST <= inner <= LARGEST
        if not isinstance(key, str) or not (number or isinstance(inner, str)):
            raise RecordError(f"'public.{key}' must be a finite number or a text")


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
