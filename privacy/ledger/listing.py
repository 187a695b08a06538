"""The ledgers of a folder, whole or not."""

from collections.abc import Iterator
from pathlib import Path

OPENING: bytes = b'{"body":{'
"""How the first line of a ledger begins."""


def ledgers(folder: Path) -> list[Path]:
    """Returns the ledgers of a folder by name, also one of which only its head is left."""
    heads = {
        head.with_name(head.name.replace(".head.json", ".jsonl")) for head in _heads(folder)
    }
    return sorted(heads | {path for path in folder.glob("*.jsonl") if _begins(path)})


def _heads(folder: Path) -> Iterator[Path]:
    return folder.glob("*.head.json")


def _begins(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(OPENING)) == OPENING
    except OSError:
        return True  # what cannot be read is shown as broken, never passed over
