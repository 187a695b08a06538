"""A device's photographs as a frozen encoder sees them, each decoded and embedded once."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from client.embeddings.examples import embed, examples
from client.embeddings.kept_photos import KeptPhotos
from client.embeddings.lru_cache import LruCache
from client.embeddings.photo_cache import PhotoCache
from client.embeddings.photo_embedder import PhotoEmbedder, Rows
from client.engine import Examples
from photos.folder.formats.decoders import decoders
from photos.folder.photograph import FileSource
from photos.library import Library, Moment
from photos.settings import Photos
from photos.source import PhotoSource, Sifted
from ranking.model.encoder import PhotoEncoder
from ranking.parameters import place

# What may embed otherwise in another version, beside the encoder itself.
_PACKAGES = ("darkroom", "torch", "onnxruntime")

_remembered: LruCache[tuple[str, int], KeptPhotos] = LruCache(weigh=lambda kept: kept.nbytes)


def forget() -> None:
    """Forgets what this process read of any device."""
    _remembered.clear()


Part = Callable[[int], bool]
"""Whether the moment of a number is wanted."""

Choose = Callable[[Library], Sequence[Moment]]
"""Chooses some of a library's moments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DevicePhotos:
    """Reads libraries of photographs for one encoder; equal ones read alike.

    What was read of a device is remembered in this process, as far as ``limit`` goes, and kept
    in the folder ``cache``, where there is one. Neither ever changes a bit of what is read.

    Attributes:
        encoder: The frozen encoder.
        digest: Its digest.
        photos: Settings of the population.
        seed: Its seed.
        cache: Folder of all caches, or None.
        limit: Bytes that are remembered of all devices.
    """

    encoder: PhotoEncoder = field(compare=False)
    digest: str
    photos: Photos
    seed: int
    cache: str | None
    limit: int

    @contextmanager
    def of(
        self, source: PhotoSource, device: int, *, part: Part | None = None
    ) -> Iterator[tuple[Library, Rows]]:
        """Lends a device's library, and what gives the embeddings of its moments' photos.

        Args:
            source: The libraries.
            device: The device's number.
            part: Says which moments are wanted, by their numbers; None for all. Others may be
                lent as well.

        Of a source of files the photos are keys, and no pixels are kept. What was embedded is
        kept even where the work is broken off.
        """
        name, width = self._name(), self.encoder.width
        disk = (
            None
            if self.cache is None
            else PhotoCache(Path(self.cache), name=name, device=device)
        )
        before = _remembered.get(
            (name, device),
            lambda: disk.load(width=width) if disk else KeptPhotos.nothing(width),
            limit=self.limit,
        )
        own = PhotoEmbedder(partial(embed, self.encoder), before)
        whole = False
        try:
            yield _read(source, device, own, part), own.rows
            own.embed_waiting()
            whole = isinstance(source, FileSource)
        finally:
            kept = own.kept(whole=whole)
            _remembered.put((name, device), kept, limit=self.limit)
            if disk and kept is not before:
                disk.save(kept)

    def _name(self) -> str:
        """Of all that an embedding depends on beside the photograph, and of the population."""
        facts = [
            self.photos.identity(seed=self.seed),
            self.photos.side,
            self.digest,
            place(self.encoder).type,
            decoders(),
            [_version(package) for package in _PACKAGES],
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def examples_of(
    source: PhotoSource,
    device: int,
    choose: Choose,
    *,
    encoder: PhotoEncoder | None,
    own: DevicePhotos | None,
) -> Examples:
    """Returns the chosen moments of a device.

    Args:
        source: The libraries.
        device: The device's number.
        choose: Chooses its moments.
        encoder: The frozen encoder; None keeps the pixels.
        own: Reads photographs for that encoder; None decodes them all, as made photos are made.
    """
    if own is None:
        return examples(choose(source.library(device)), encoder=encoder)
    with own.of(source, device) as (library, rows):
        return examples(choose(library), encoder=encoder, rows=rows)


def library_of(source: PhotoSource, device: int, *, part: Part | None) -> Library:
    """Returns a device's library; photos of other moments stay closed where that can be."""
    if part is not None and isinstance(source, Sifted):
        return source.part(device, part)
    return source.library(device)


def _read(source: PhotoSource, device: int, own: PhotoEmbedder, part: Part | None) -> Library:
    if isinstance(source, FileSource):
        return source.read(device, own.read)
    return library_of(source, device, part=part)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
