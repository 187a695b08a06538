"""Embeddings of real photographs kept on disk: they are the owner's, and go with the photos."""

import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from client.embeddings.whole_file import write_whole
from photos.settings import Photos
from ranking.parameters import tensors_digest

log = logging.getLogger(__name__)
Pictures = NDArray[np.uint8]
Embed = Callable[[Pictures], Tensor]

OWNER_ONLY = 0o700
"""Mode of the folder: an embedding shows what is in a photo. Its files are of mode 600."""


class PhotoCache:
    """A file of a device's embeddings, each by the hash of its photo's pixels.

    A photo that changes has another hash, so that no embedding is ever of another photo. The
    file holds the photos of the last time alone: an embedding goes when its photo has gone.
    It appears whole; one that is damaged is made again, and where nothing can be written
    nothing is kept.
    """

    def __init__(self, folder: Path, *, photos: Photos, device: int, encoder: str) -> None:
        """Makes nothing yet.

        Args:
            folder: Of all caches.
            photos: Settings of the population.
            device: The device's number.
            encoder: Digest of the frozen encoder.
        """
        facts = [version("darkroom"), asdict(photos), encoder]
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        self._path = folder / name / f"{device}.safetensors"

    def embedded(self, photos: Pictures, embed: Embed) -> Tensor:
        """Returns [n, width] embeddings of ``photos`` [n, side, side, 3].

        Args:
            photos: The photos.
            embed: Embeds those that are not there, each apart from the others.
        """
        hashes = [hashlib.sha256(photo.tobytes()).hexdigest() for photo in photos]
        kept = _read(self._path)
        new = [at for at, name in enumerate(hashes) if name not in kept]
        fresh = dict(zip((hashes[at] for at in new), embed(photos[new]), strict=True))
        found = {name: fresh[name] if name in fresh else kept[name] for name in hashes}
        if found.keys() != kept.keys():
            self._keep(found)
        return torch.stack([found[name] for name in hashes]) if hashes else embed(photos)

    def _keep(self, found: dict[str, Tensor]) -> None:
        try:
            _write(self._path, found)
        except OSError as failure:
            log.warning("the cache keeps nothing: %s", failure.strerror)


def _read(path: Path) -> dict[str, Tensor]:
    """The embeddings by their photos' hashes; none where the file is missing or damaged.

    Nor are there any where others could have written them.
    """
    try:
        if not _is_closed(path.parent):
            return {}
        with safe_open(path, framework="pt") as file:
            facts = file.metadata()
            rows = file.get_tensor("embeddings")
        names = json.loads(facts["photos"])
        sound = facts["sha256"] == tensors_digest({"embeddings": rows}, facts=facts["photos"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return {}
    sound = sound and rows.dtype == torch.float32 and len(names) == len(rows)
    return dict(zip(names, rows, strict=True)) if sound else {}


def _is_closed(folder: Path) -> bool:
    """Whether the folder is ours, and nobody else may enter it."""
    found = folder.lstat()
    return found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == OWNER_ONLY


def _write(path: Path, found: dict[str, Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(OWNER_ONLY)
    if not found:
        path.unlink(missing_ok=True)
        return
    names, rows = json.dumps(list(found)), torch.stack(list(found.values()))
    digest = tensors_digest({"embeddings": rows}, facts=names)
    content = save({"embeddings": rows}, metadata={"photos": names, "sha256": digest})
    write_whole(path, content)
