"""Embeddings of photographs kept on disk: they are the owner's, and go with the photos."""

import hashlib
import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save

from client.embeddings.kept_photos import KeptPhotos
from client.embeddings.whole_file import write_whole
from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip

log = logging.getLogger(__name__)
Arrays = Mapping[str, NDArray[np.generic]]

OWNER_ONLY = 0o700
"""Mode of the folder: an embedding shows what is in a photo. Its files are of mode 600."""

# Bytes of a file: a million embeddings of a thousand numbers. Without it a foreign file that
# claims any length fills the memory.
_LARGEST = 2**32
_DIGEST = "sha256"
_SHAPES = {
    "keys": (np.uint8, (32,)),
    "taken": (np.int64, ()),
    "likeness": (np.uint8, (8,)),
    "stamps": (np.uint8, (16,)),
    "stamped": (np.int64, ()),
}
"""The type of each array but the embeddings, and the shape of one of its rows."""


class PhotoCache:
    """One file for each device, in a folder for all that embeddings depend on.

    Several processes may share it: a file appears whole, and of two that write at once the
    last stays. A file that is damaged, foreign, a link, or where others could have written is
    as none, and is replaced. Where nothing can be written nothing is kept.
    """

    def __init__(self, folder: Path, *, name: str, device: int) -> None:
        """Makes nothing yet.

        Args:
            folder: Of all caches.
            name: Of all that embeddings depend on beside the photographs.
            device: The device's number.
        """
        self._path = folder / name / f"{device}.safetensors"

    def load(self, *, width: int) -> KeptPhotos:
        """Returns what is kept, nothing where there is no sound file of such embeddings."""
        nothing = KeptPhotos.nothing(width)
        try:
            if not _is_closed(self._path.parent):
                return nothing
            file = open_regular(self._path, largest=_LARGEST)
            if isinstance(file, Skip):
                return nothing
            with file:
                return _kept(load(file.read(_LARGEST)), width=width) or nothing
        except Exception:
            # A foreign file makes its reader raise almost anything.
            return nothing

    def save(self, kept: KeptPhotos) -> None:
        """Replaces what is kept; of no photographs there is no file."""
        try:
            _close(self._path.parent)
            if not kept.places:
                self._path.unlink(missing_ok=True)
                return
            arrays = _plain(kept)
            write_whole(self._path, save({**arrays, _DIGEST: _digest(arrays)}))
        except OSError as failure:
            log.warning("the cache keeps nothing: %s", failure.strerror)


def _digest(arrays: Arrays) -> NDArray[np.uint8]:
    """[32] the SHA-256 of all arrays but the digest."""
    digest = hashlib.sha256()
    for name in sorted(arrays.keys() - {_DIGEST}):
        values = arrays[name]
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def _plain(kept: KeptPhotos) -> dict[str, NDArray[np.generic]]:
    stamps = {stamp: key for stamp, key in kept.stamps.items() if key in kept.places}
    return {
        "embeddings": kept.embeddings.contiguous().numpy(),
        "keys": _rows(kept.places, 32),
        "taken": kept.taken,
        "likeness": kept.likeness,
        "stamps": _rows(stamps, 16),
        "stamped": np.array([kept.places[key] for key in stamps.values()], dtype=np.int64),
    }


def _rows(names: Mapping[bytes, object], length: int) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(names), dtype=np.uint8).reshape(len(names), length)


def _kept(arrays: Arrays, *, width: int) -> KeptPhotos | None:
    """What the arrays of a file hold; None where they are none of such embeddings."""
    embeddings = arrays["embeddings"]
    sound = (arrays[_DIGEST] == _digest(arrays)).all()
    sound = sound and embeddings.dtype == np.float32 and embeddings.shape[1:] == (width,)
    for name, (kind, shape) in _SHAPES.items():
        sound = sound and arrays[name].dtype == kind and arrays[name].shape[1:] == shape
    count = len(embeddings)
    sound = sound and all(len(arrays[name]) == count for name in ("keys", "taken", "likeness"))
    stamped = arrays["stamped"].tolist()
    if not sound or len(stamped) != len(arrays["stamps"]):
        return None
    keys = [key.tobytes() for key in arrays["keys"]]
    return KeptPhotos(
        embeddings=torch.from_numpy(embeddings),
        taken=arrays["taken"].astype(np.int64),
        likeness=arrays["likeness"].astype(np.uint8),
        places={key: place for place, key in enumerate(keys)},
        stamps={
            stamp.tobytes(): keys[place]
            for stamp, place in zip(arrays["stamps"], stamped, strict=True)
            if 0 <= place < count
        },
    )


def _is_closed(folder: Path) -> bool:
    """Whether the folder is ours, no link, and nobody else may enter it."""
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return ours and stat.S_IMODE(found.st_mode) == OWNER_ONLY


def _close(folder: Path) -> None:
    """Makes a folder that nobody else may enter.

    Raises:
        OSError: There is a link, a file or somebody else's folder in its place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=OWNER_ONLY, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NotADirectoryError(0, "its folder is a link, or somebody else's")
    folder.chmod(OWNER_ONLY)
