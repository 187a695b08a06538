"""The folder of a run: everything that one run leaves behind."""

import errno
import json
import math
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from simulations.runs.whole_files import named, write_whole

if sys.platform != "win32":
    import fcntl

CARD, CONFIG, MODEL = "privacy.json", "config.yaml", "model.safetensors"
EARLIER = "earlier"
"""In the private half: the ledgers of the runs that the start weights come from."""

METRICS, SUMMARY = "metrics.jsonl", "summary.json"
ENDED = ("parts.json", SUMMARY, CARD, MODEL)
OWNERS = 0o700
"""Mode of the private half: another user of the machine finds nothing in it."""

PACKAGES = ("darkroom", "torch", "flwr", "opacus", "numpy", "dp-accounting", "hydra-core")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Files of one run, in a half that may be shared and one that may not.

    ``private/`` is closed to other users and holds all that a run writes: ``config.yaml`` is
    what ran, ``metrics.jsonl`` a line for each evaluation, ``log.jsonl`` one for each round and
    each warning, ``ledger/`` what was charged,
    ``privacy.json`` the card, ``summary.json`` the figures at the end, ``environment.json`` the
    versions, ``parts.json`` the digests of all these, ``checkpoints/`` what the run goes on
    from. ``public/`` appears at the end, where the run has a promise to share it under:
    ``public_half`` says what stands there. Without one the ranker, ``model.safetensors``, stays
    in ``private/``. Only the lines and the ledgers grow; every other file appears whole or not
    at all.
    """

    path: Path

    @classmethod
    def create(cls, parent: Path, name: str, *, today: date | None = None) -> "RunFolder":
        """Makes ``parent/<date>-<name>-<n>`` with the first free n, safe against a race."""
        day = (today or date.today()).isoformat()
        number = 1
        while True:
            path = parent / f"{day}-{name}-{number}"
            try:
                return cls.at(path)
            except FileExistsError:
                number += 1
            except OSError as failure:
                raise ValueError(
                    f"simulation.runs={parent} cannot hold a run folder: "
                    f"{failure.strerror}; name another folder."
                ) from failure

    @classmethod
    def at(cls, path: Path) -> "RunFolder":
        """Makes exactly this folder, with its private half.

        Raises:
            OSError: It is there already, or cannot be made.
        """
        path.mkdir(parents=True)
        made = cls(path)
        made.private.mkdir(mode=OWNERS)
        return made

    @property
    def private(self) -> Path:
        """What stays with the researcher."""
        return self.path / "private"

    @property
    def public(self) -> Path:
        """What may be shared, where the run has something to share."""
        return self.path / "public"

    @property
    def ledgers(self) -> Path:
        """Where the ledgers are."""
        return self.private / "ledger"

    @property
    def finished(self) -> bool:
        """Whether a run came to its end and left all its files, each of them whole."""
        try:
            summary = json.loads((self.private / SUMMARY).read_text())
            return (self.private / "parts.json").is_file() and summary["status"] == "finished"
        except (OSError, ValueError, KeyError, TypeError):
            return False

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.private / "checkpoints"

    @property
    def model(self) -> Path:
        """Where the released ranker is: in the public half, where there is one."""
        return (self.public if self.public.is_dir() else self.private) / MODEL

    def write_config(self, plain: Mapping[str, Any]) -> None:
        """Writes the resolved configuration."""
        write_whole(self.private / CONFIG, yaml_of(plain))

    def write_environment(self) -> None:
        """Writes the versions and the machine's kind: no host, no user, no path."""
        facts = {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "packages": {package: version(package) for package in PACKAGES},
        }
        write_whole(self.private / "environment.json", json_of(facts))

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Appends one evaluation.

        Raises:
            OSError: It cannot be written; the file is as it was.
        """
        append_line(self.private / METRICS, row)

    def rows(self) -> list[bytes]:
        """Returns the whole lines of ``metrics.jsonl``; a crash may have left part of one."""
        try:
            lines = (self.private / METRICS).read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [line for line in lines if line.endswith(b"\n")]

    def reopen(self, *, rows: int) -> None:
        """Takes away what a run leaves at its end alone, and the evaluations after ``rows``.

        Of a crash in between, the same once more is the way out.

        Raises:
            ValueError: There are fewer evaluations.
        """
        kept = self.rows()
        if len(kept) < rows:
            raise ValueError(
                f"{self.private / METRICS} has {len(kept)} evaluations of {rows}; restore it "
                "from a copy."
            )
        for name in ENDED:
            (self.private / name).unlink(missing_ok=True)
        if self.public.exists():
            shutil.rmtree(self.public)
        write_whole(self.private / METRICS, b"".join(kept[:rows]).decode())
        if self.checkpoints.is_dir():
            for partial in self.checkpoints.glob(".*"):
                partial.unlink()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from the same run (on Windows this is not enforced).

        Raises:
            ValueError: Another process has it.
        """
        lock = os.open(self.private / ".run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as failure:
            raise ValueError(
                f"{self.path} is running in another process; wait for it to end, or stop it."
            ) from failure
        finally:
            os.close(lock)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes the figures of the whole run."""
        write_whole(self.private / SUMMARY, json_of(summary))

    def write_card(self, card: Mapping[str, Any]) -> None:
        """Writes the privacy card: what was promised, and what the run cost."""
        write_whole(self.private / CARD, json_of(card))

    def begin_ledgers(self) -> Path:
        """Makes the folder of the ledgers and returns it."""
        self.ledgers.mkdir(exist_ok=True)
        return self.ledgers


def append_line(path: Path, plain: Mapping[str, Any]) -> None:
    """Appends a line of JSON, whole or not at all; infinity and NaN are null.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    with path.open("ab", buffering=0) as lines:
        before, line = lines.tell(), (json.dumps(finite(plain)) + "\n").encode()
        try:
            if lines.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(lines.fileno())
        except OSError as failure:
            lines.truncate(before)
            raise named(failure, path) from failure


def json_of(plain: Mapping[str, Any]) -> str:
    """Returns a file of JSON for people; infinity and NaN are null."""
    return json.dumps(finite(plain), indent=2) + "\n"


def yaml_of(plain: Mapping[str, Any]) -> str:
    """Returns a file of settings."""
    return yaml.safe_dump(dict(plain), sort_keys=False)


def check_parent(option: str, path: Path) -> None:
    """Refuses a file whose folder cannot take it, before the work that fills it begins.

    Raises:
        ValueError: The folder is missing or closed to us, or ``path`` is itself a folder.
    """
    if path.is_dir():
        raise ValueError(f"{option} {path} is a folder; name a file.")
    if not os.access(path.parent, os.W_OK) or not path.parent.is_dir():
        raise ValueError(
            f"{option} {path}: no file can be written in {path.parent}; make it first."
        )


def finite(value: Any) -> Any:
    """Replaces what JSON cannot say, infinity and NaN, by null."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
