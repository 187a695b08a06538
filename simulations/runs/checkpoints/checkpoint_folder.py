"""The checkpoints of a run: the last, the one before and the best, each whole or not there."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulations.runs.checkpoints.checkpoint import Checkpoint
from simulations.runs.checkpoints.sealed_file import DamagedError
from simulations.runs.whole_files import write_bytes

LAST, BEFORE, BEST = "last.safetensors", "before-last.safetensors", "best.safetensors"
LARGEST = 2**32
"""Bytes of a checkpoint at most, 4 GiB: a hundred times that of the largest model here with the
noise of a hundred rounds. A larger file is none of ours, and is not read into memory."""


class StorageError(ValueError):
    """A checkpoint that could not be written: the sentence says what is kept, and where."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Loaded:
    """What could be read.

    Attributes:
        checkpoint: The newest that is whole; None where there is no file at all.
        lost: One sentence for each newer one that is not.
    """

    checkpoint: Checkpoint | None
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """Files that only their owner may read: temp, fsync, rename, fsync of the folder.

    From the first ``save`` on ``last.safetensors`` is never missing, whenever the machine
    stops: it is replaced in one step, after the former one was copied beside it.
    """

    path: Path

    def save(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint as the last, durable when this returns, and the one before.

        Raises:
            StorageError: The disk does not take it; what was kept before still is.
        """
        with self._said(checkpoint.server.round):
            self.path.mkdir(mode=0o700, exist_ok=True)
            last = self.path / LAST
            if last.exists():
                write_bytes(self.path / BEFORE, last.read_bytes())
            write_bytes(last, checkpoint.to_bytes())

    def save_best(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint as the best.

        Raises:
            StorageError: Same as ``save``.
        """
        with self._said(checkpoint.server.round):
            write_bytes(self.path / BEST, checkpoint.to_bytes())

    def load(self) -> Loaded:
        """Returns the last checkpoint, or the one before where the last is damaged or gone.

        Raises:
            ValueError: Neither can be read, though there are files; one sentence.
        """
        there = [name for name in (LAST, BEFORE) if _there(self.path / name)]
        lost: list[str] = []
        for name in (LAST, BEFORE):
            try:
                return Loaded(checkpoint=read(self.path / name), lost=tuple(lost))
            except DamagedError as failure:
                lost.append(str(failure))
        if there:
            raise ValueError(
                f"{lost[0]}, and {lost[1]}: restore one of them from a copy, or start a new "
                "run."
            )
        return Loaded(checkpoint=None)

    def best(self) -> Checkpoint | None:
        """Returns the best, where one is kept and whole."""
        try:
            return read(self.path / BEST)
        except DamagedError:
            return None

    @contextmanager
    def _said(self, number: int) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise StorageError(
                f"{self.path} cannot keep round {number}: {failure.strerror}; the run stops, "
                "and what it kept before is whole: mend that and resume."
            ) from failure


def read(path: Path) -> Checkpoint:
    """Returns the checkpoint in a file.

    Raises:
        DamagedError: There is none, or not the one that was written; the sentence, without its
            end, names the file.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            raise DamagedError(f"{path} is no file of a checkpoint")
        return Checkpoint.of_bytes(path.read_bytes())
    except FileNotFoundError as failure:
        raise DamagedError(f"{path} is missing") from failure
    except OSError as failure:
        raise DamagedError(f"{path} cannot be read: {failure.strerror}") from failure
    except DamagedError as failure:
        if str(path) in str(failure):
            raise
        raise DamagedError(f"{path} is damaged: {failure}") from failure


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
