"""Folders of results that appear whole, and over nothing that is the owner's."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from tempfile import mkdtemp

from simulations.runs.run_folder import CARD, CONFIG, MODEL

_DRAFT = ".darkroom-"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultsFolder:
    """Where results shall stand.

    Attributes:
        option: What names it on the command line.
        path: The folder, which need not be there.
        earlier: Whether a file in it is a former result, and may be replaced when that is asked
            for; asked of each entry.
        protected: Folders of the owner, such as that of the photos: results stay out of them.
    """

    option: str
    path: Path
    earlier: Callable[[Path], bool]
    protected: tuple[Path, ...]

    def check(self, *, force: bool) -> None:
        """Refuses a place that is somebody else's.

        Args:
            force: Whether former results may be replaced; nothing else ever is.

        Raises:
            ValueError: The place lies in the folder of the photos or of a run, is no folder, or
                is not empty.
        """
        above = _above(self.path)
        if any(_same(one, folder) for one in above for folder in self.protected):
            raise ValueError(
                f"{self.path} lies in the folder of your photos or of the run, which stay as "
                f"they are: name another folder with {self.option}."
            )
        if run := next((one for one in above if _is_run(one)), None):
            raise ValueError(
                f"{self.path} lies in the folder of a run, {run.name}, which stays as it is: "
                f"name another folder with {self.option}."
            )
        if os.path.lexists(self.path) and not self.path.is_dir():
            raise ValueError(
                f"{self.path} is no folder and cannot hold the ranking: name another place "
                f"with {self.option}."
            )
        self._check_content(force=force)

    def _check_content(self, *, force: bool) -> None:
        entries = self.entries()
        if entries and not force:
            raise ValueError(
                f"{self.path} is there and not empty: replace former results with --force, or "
                f"name another folder with {self.option}."
            )
        if foreign := next((one for one in entries if not self.earlier(one)), None):
            raise ValueError(
                f"{self.path} holds more than former results, such as {foreign.name}, and "
                f"--force replaces nothing else: name another folder with {self.option}."
            )

    def entries(self) -> list[Path]:
        """Returns what the folder holds but for drafts of results, sorted."""
        if not self.path.is_dir():
            return []
        return sorted(one for one in self.path.iterdir() if not one.name.startswith(_DRAFT))


def check_apart(folders: Sequence[ResultsFolder]) -> None:
    """Refuses a folder that is another one, or lies inside it.

    Raises:
        ValueError: Two of them are not apart.
    """
    for one, other in permutations(folders, 2):
        own, outer = (Path(os.path.realpath(folder.path)) for folder in (one, other))
        if own.is_relative_to(outer):
            raise ValueError(
                f"{one.path} lies in {other.path}, which holds other results: name another "
                f"folder with {one.option}."
            )


@contextmanager
def whole(folders: Sequence[ResultsFolder], *, force: bool) -> Iterator[list[Path]]:
    """Yields an empty draft of each folder; what is put there stands in its place at the end.

    All drafts take their places, or none does: whatever ends the block, an interrupt too,
    leaves every file and folder as it was. Former results go when the new ones are there.

    Args:
        folders: Apart from each other.
        force: Same as for ``ResultsFolder.check``.

    Raises:
        ValueError: Same as for ``ResultsFolder.check``.
        OSError: A folder cannot be written.
    """
    for folder in folders:
        folder.check(force=force)
    with ExitStack() as ends:
        drafts = [_draft(folder.path, ends) for folder in folders]
        yield [draft / "new" for draft in drafts]
        for folder in folders:
            folder.check(force=force)  # again: the work may have taken an hour
        with ExitStack() as back:
            for folder, draft in zip(folders, drafts, strict=True):
                for entry in folder.entries():
                    _move(entry, draft / "former" / entry.name, back)
                for entry in sorted((draft / "new").iterdir()):
                    _move(entry, draft.parent / entry.name, back)
            back.pop_all()


def _draft(path: Path, ends: ExitStack) -> Path:
    """Makes ``path`` and a hidden folder in it; both go again where nothing else came there."""
    own = Path(os.path.realpath(path))
    for missing in reversed([one for one in (own, *own.parents) if not one.exists()]):
        missing.mkdir()
        ends.callback(_remove_empty, missing)
    draft = Path(mkdtemp(prefix=_DRAFT, dir=own))
    ends.callback(shutil.rmtree, draft, ignore_errors=True)
    for part in ("new", "former"):
        (draft / part).mkdir()
    return draft


def _remove_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _move(here: Path, there: Path, back: ExitStack) -> None:
    """Moves a file or folder; said to ``back`` first, for an interrupt may come in between."""
    back.callback(_move_back, there, here)
    if os.path.lexists(there):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(there))
    here.rename(there)


def _move_back(there: Path, here: Path) -> None:
    if not os.path.lexists(here):
        there.rename(here)


def _above(path: Path) -> list[Path]:
    """The folder and all above it that are there, links followed."""
    own = Path(os.path.realpath(path))
    return [one for one in (own, *own.parents) if one.is_dir()]


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_run(folder: Path) -> bool:
    """Whether it is a run's folder, or a public half that stands alone."""
    return (folder / "private" / CONFIG).is_file() or all(
        (folder / name).is_file() for name in (MODEL, CARD)
    )
