"""Reads photographs as embeddings: the pixels of a few are there at once, and of no more."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.embeddings.examples import PHOTOS_AT_ONCE
from client.embeddings.file_stamp import is_raw, stamp_of
from client.embeddings.kept_photos import KeptPhoto, KeptPhotos
from photos.folder.decoding import content_of, decode_content
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip

Pictures = NDArray[np.uint8]
Rows = Callable[[Pictures], Tensor]
"""Gives [n, width] embeddings of what stands for n photos."""

# Axes of what stands for photos: their keys; pixels have four.
_KEYS = 2


class PhotoEmbedder:
    """A reader of photographs that keeps of each its embedding, by the hash of its file.

    A photograph that was kept is neither decoded nor embedded: it is read alone for its hash,
    and where its file's stamp is known not even that. Whatever is skipped is decoded each
    time, for the reason: a photograph is read or skipped as ``decode`` would.
    """

    def __init__(self, embed: Rows, kept: KeptPhotos) -> None:
        """Begins with what was kept before.

        Args:
            embed: Returns [n, width] of [n, side, side, 3], each photo apart from the others.
            kept: What was kept, of this encoder and this side.
        """
        self._embed = embed
        self._kept = kept
        self._width = kept.embeddings.shape[1]
        self._new: dict[bytes, KeptPhoto] = {}
        self._waiting: dict[bytes, Photograph] = {}
        self._seen: dict[bytes, None] = {}
        self._stamps: dict[bytes, bytes] = {}

    def read(self, path: Path, *, side: int) -> Photograph | Skip:
        """Returns the photograph in a file with its key, [32] uint8, in the place of pixels."""
        stamp = stamp_of(path)
        key = None if stamp is None else self._kept.stamps.get(stamp)
        if stamp and key and key in self._kept.places:
            self._stamps[stamp] = key
            return self._known(path.name, key)
        content = content_of(path)
        if isinstance(content, Skip):
            return content
        key = hashlib.sha256(content + b"raw" * is_raw(path)).digest()
        if self._find(key) is None:
            photo = decode_content(content, name=path.name, side=side)
            if isinstance(photo, Skip):
                return photo
            self._wait(key, photo)
        if stamp and stamp == stamp_of(path):
            self._stamps[stamp] = key
        return self._known(path.name, key)

    def rows(self, photos: Pictures) -> Tensor:
        """Returns [n, width] embeddings of ``photos``: [n, 32] keys, or [n, side, side, 3]."""
        if photos.ndim == _KEYS:
            keys = [key.tobytes() for key in photos]
        else:
            keys = [hashlib.sha256(pixels.tobytes()).digest() for pixels in photos]
            for key, pixels in zip(keys, photos, strict=True):
                if self._find(key) is None:
                    self._wait(key, Photograph(name="", taken=None, pixels=pixels))
        self.embed_waiting()
        self._seen |= dict.fromkeys(keys)
        return torch.stack([self._one(key).embedding for key in keys]) if keys else self._none()

    def kept(self, *, whole: bool) -> KeptPhotos:
        """Returns what is embedded, to be kept; what was kept before where nothing changed.

        Args:
            whole: Whether all photographs of the device were read: what was not is forgotten.
        """
        before = {} if whole else dict.fromkeys(self._kept.places)
        keys = before | {key: None for key in self._seen if key not in self._waiting}
        stamps = self._stamps if whole else dict(self._kept.stamps) | self._stamps
        if keys.keys() == self._kept.places.keys() and stamps == self._kept.stamps:
            return self._kept
        photos = {key: self._one(key) for key in keys}
        return KeptPhotos.of(photos, stamps=stamps, width=self._width)

    def embed_waiting(self) -> None:
        """Embeds the photographs whose pixels are still there."""
        if not self._waiting:
            return
        photos = self._waiting.values()
        embedded = self._embed(np.stack([photo.pixels for photo in photos]))
        for (key, photo), row in zip(self._waiting.items(), embedded, strict=True):
            self._new[key] = KeptPhoto(
                taken=photo.taken, likeness=photo.likeness, embedding=row.clone()
            )
        self._waiting = {}

    def _known(self, name: str, key: bytes) -> Photograph:
        self._seen[key] = None
        found = self._waiting.get(key) or self._one(key)
        pixels = np.frombuffer(key, dtype=np.uint8)
        return Photograph(name=name, taken=found.taken, pixels=pixels, likeness=found.likeness)

    def _find(self, key: bytes) -> KeptPhoto | Photograph | None:
        return self._waiting.get(key) or self._new.get(key) or self._kept.get(key)

    def _one(self, key: bytes) -> KeptPhoto:
        found = self._new.get(key) or self._kept.get(key)
        if found is None:
            raise KeyError("a photograph that was not read here")
        return found

    def _wait(self, key: bytes, photo: Photograph) -> None:
        self._waiting[key] = photo
        if len(self._waiting) == PHOTOS_AT_ONCE:
            self.embed_waiting()

    def _none(self) -> Tensor:
        return torch.empty(0, self._width)
