"""Embeddings kept on disk from run to run: for made libraries, which never change."""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from client.embeddings.whole_file import write_whole
from client.engine import Examples
from photos.settings import Photos

log = logging.getLogger(__name__)


class DiskCache:
    """One file for each device, in a folder for each population, encoder and version.

    Several processes may share it: a file appears whole. One that is damaged is made again,
    and where nothing can be written nothing is kept.
    """

    def __init__(self, folder: Path, *, photos: Photos, seed: int, encoder: str) -> None:
        """Makes nothing yet.

        Args:
            folder: Of all caches.
            photos: Settings of the population.
            seed: Its seed.
            encoder: Digest of the frozen encoder.
        """
        facts = [version("darkroom"), asdict(photos), seed, encoder]
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        self._folder = folder / name

    def get(self, device: int, make: Callable[[], Examples]) -> Examples:
        """Returns a device's examples, made and kept when they are not there."""
        path = self._folder / f"{device}.safetensors"
        found = _read(path)
        if found is None:
            found = make()
            try:
                _write(path, found)
            except OSError as failure:
                log.warning("the cache keeps nothing: %s", failure.strerror)
        return found


def _read(path: Path) -> Examples | None:
    try:
        return Examples(**load(path.read_bytes()))
    except (OSError, SafetensorError, TypeError):
        return None


def _write(path: Path, examples: Examples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("inputs", "gains", "where", "numbers")
    content = save({name: getattr(examples, name).contiguous() for name in names})
    write_whole(path, content)
