"""FLAIR as Hugging Face has it: parquet files with a row for each photo."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from photos.folder.decoding import decode
from photos.folder.skips import Skip
from photos.sets.flair.copy import LAYOUT, Labelled, Rows
from photos.sets.layout import missing
from photos.sets.moments import Pixels
from photos.sets.settings import FlairPhotos

COLUMNS = ("user_id", "image_id", "labels", "partition")
IMAGE = "image"

_Place = tuple[Path, int, int]
"""A photo's file, row group and row in it."""


class ParquetCopy:
    """The layout of Hugging Face; a user's photos are read row group by row group."""

    def __init__(
        self, photos: FlairPhotos, files: Sequence[Path], skipped: Counter[str]
    ) -> None:
        """Reads the rows without their images.

        Raises:
            ValueError: pyarrow is not installed, a file is no parquet, or it lacks a column.
        """
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as failure:
            raise ValueError(
                f"photos.root={photos.root} holds parquet files, which pyarrow reads and "
                "is not installed; install the extra: pip install 'darkroom[sets]'."
            ) from failure
        self._rows = Rows(skipped=skipped)
        self._places: dict[tuple[str, str], _Place] = {}
        for file in files:
            for place, cells in _rows(photos, file):
                user, photo, labels, part = cells
                name = str(photo) if isinstance(photo, int) else photo
                if self._rows.add(user, name, labels, part):
                    self._places[user, name] = place

    def users(self, part: str) -> list[str]:
        """Returns the names of a part's users."""
        return self._rows.users(part)

    def labelled(self, user: str, skipped: Counter[str]) -> Labelled:
        """Returns a user's photos; what has no label was counted before."""
        return self._rows.photos[user]

    def pixels(self, user: str, photos: Sequence[str], *, side: int) -> list[Pixels | Skip]:
        """Decodes photos; each row group is read once."""
        groups: dict[tuple[Path, int], list[tuple[str, int]]] = defaultdict(list)
        for photo in photos:
            file, group, row = self._places[user, photo]
            groups[file, group].append((photo, row))
        found: dict[str, Pixels | Skip] = {}
        for (file, group), rows in groups.items():
            images = _images(file, group, [row for _, row in rows])
            for (photo, _), data in zip(rows, images, strict=True):
                found[photo] = _decode(data, side=side)
        return [found[photo] for photo in photos]


def _rows(photos: FlairPhotos, path: Path) -> Iterator[tuple[_Place, tuple[Any, ...]]]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    with ExitStack() as stack:
        try:
            file = stack.enter_context(ParquetFile(path))
            for column in (*COLUMNS, IMAGE):
                if column not in file.schema_arrow.names:
                    named = f"column {column} in {path.name}"
                    raise missing(photos, named, layout=LAYOUT)
            for group in range(file.num_row_groups):
                read = file.read_row_group(group, columns=list(COLUMNS)).to_pydict()
                for row, cells in enumerate(zip(*(read[one] for one in COLUMNS), strict=True)):
                    yield (path, group, row), cells
        except (ArrowException, OSError, UnicodeError) as failure:
            whole = f"{path.name} that is whole parquet"
            raise missing(photos, whole, layout=LAYOUT) from failure


def _images(path: Path, group: int, rows: Sequence[int]) -> list[bytes | None]:
    """The encoded images of rows; None where one cannot be had."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            images = file.read_row_group(group, columns=[IMAGE]).column(IMAGE)
            cells = [images[row].as_py() for row in rows]
    except (ArrowException, OSError, IndexError):
        return [None] * len(rows)
    # A path beside the bytes is never opened: it would lead out of the file.
    inner = [cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells]
    return [data if isinstance(data, bytes) else None for data in inner]


def _decode(data: bytes | None, *, side: int) -> Pixels | Skip:
    if data is None:
        return Skip.UNREADABLE
    with TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        path.write_bytes(data)
        read = decode(path, side=side)
    return read if isinstance(read, Skip) else read.pixels
