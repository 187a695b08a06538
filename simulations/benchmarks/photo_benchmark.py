"""What reading photographs costs: a plain loop, Darkroom, and Darkroom from its cache."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from client.embeddings import device_photos
from client.embeddings.device_photos import DevicePhotos
from client.model import encoder_digest
from photos.folder.population import FolderSource
from photos.folder.settings import FolderPhotos
from ranking.model.encoder import PhotoEncoder
from simulations.benchmarks.made_photographs import DEVICE, make
from simulations.benchmarks.scale_benchmark import peak, reset_peak

WAYS = PLAIN, COLD, KEPT, TOUCHED = (
    "plain loop of Pillow",
    "Darkroom, first run",
    "from the cache",
    "from the cache, files touched",
)
"""A touched file is read for its hash; one that was not is known by its times."""

SAMPLE = 25
"""Photographs of a device, of 504, that the plain loop reads: it takes ten times as long."""

# Pixels of a photo's side that the encoder was made for: another number is another encoder.
_SIDE = 48
# Bytes of embeddings that are remembered: more than any device here has, so that the limit is
# not what is measured.
_GENEROUS = 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoTiming:
    """One way to read photographs.

    Attributes:
        way: Which.
        photographs: How many were read.
        seconds: Of all of them.
        processor: Seconds of the processor.
        memory: Bytes by which it took more, at most, than was resident before.
    """

    way: str
    photographs: int
    seconds: float
    processor: float
    memory: int

    def ratio(self, plain: "PhotoTiming") -> float:
        """How many times as many photographs it reads in the processor's time."""
        return (plain.processor / plain.photographs) / (self.processor / self.photographs)


def measure(encoder: PhotoEncoder, *, count: int, grain: bool) -> list[PhotoTiming]:
    """Makes photographs, reads and embeds them in every way, device by device in turns.

    Args:
        encoder: The frozen encoder, of squares of 48 pixels.
        count: Photographs.
        grain: Whether files have 4 MB, of noise, or less than one.

    Raises:
        ValueError: They would not fit the disk.
    """
    with TemporaryDirectory() as place:
        root = Path(place)
        paths = make(root, count=count, grain=grain)
        cache = root / "cache"  # no photo is in it, so that it is no device
        source = FolderSource(_settings(root))
        found: dict[str, list[PhotoTiming]] = {way: [] for way in WAYS}
        for device in range(source.devices):
            own = paths[device * DEVICE : (device + 1) * DEVICE]
            for way, read in _ways(encoder, source, device, own, cache).items():
                found[way].append(_timed(way, read))
    return [_total(timings) for timings in found.values()]


def _settings(root: Path) -> FolderPhotos:
    return FolderPhotos(
        root=str(root), devices=None, held_out_devices=0, held_out_share=0.0, side=_SIDE
    )


def _ways(
    encoder: PhotoEncoder,
    source: FolderSource,
    device: int,
    paths: Sequence[Path],
    cache: Path,
) -> dict[str, Callable[[], int]]:
    def ours() -> int:
        device_photos.forget()
        own = DevicePhotos(
            encoder=encoder,
            digest=encoder_digest(encoder),
            photos=_settings(cache.parent),
            seed=0,
            cache=str(cache),
            limit=_GENEROUS,
        )
        with own.of(source, device) as (library, rows):
            return sum(len(rows(moment.photos)) for moment in library.moments)

    def touched() -> int:
        for path in paths:
            path.touch()
        return ours()

    return {
        PLAIN: lambda: _plain(encoder, paths[:SAMPLE]),
        COLD: ours,
        KEPT: ours,
        TOUCHED: touched,
    }


@torch.no_grad()
def _plain(encoder: PhotoEncoder, paths: Sequence[Path]) -> int:
    """Opens, converts, resizes whole and embeds one photograph after another."""
    for path in paths:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1)[None]
        encoder(pixels.float() / 255)
    return len(paths)


def _timed(way: str, read: Callable[[], int]) -> PhotoTiming:
    before = reset_peak()
    began, processor = time.perf_counter(), time.process_time()
    count = read()
    return PhotoTiming(
        way=way,
        photographs=count,
        seconds=time.perf_counter() - began,
        processor=time.process_time() - processor,
        memory=peak() - before,
    )


def _total(timings: Sequence[PhotoTiming]) -> PhotoTiming:
    return PhotoTiming(
        way=timings[0].way,
        photographs=sum(one.photographs for one in timings),
        seconds=sum(one.seconds for one in timings),
        processor=sum(one.processor for one in timings),
        memory=max(one.memory for one in timings),
    )
