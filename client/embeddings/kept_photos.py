"""What is kept of a device's photographs: no pixels, but all that is asked of them again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photos.folder.likeness import DIFFERENCES

# What stands for a time that is not there: no datetime is as early.
_NO_TIME = np.iinfo(np.int64).min
_EPOCH, _TICK = datetime(1970, 1, 1), timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class KeptPhoto:
    """One photograph.

    Attributes:
        taken: When it was taken by the camera's own clock, or None.
        likeness: [64] its difference hash.
        embedding: [width] float32.
    """

    taken: datetime | None
    likeness: NDArray[np.bool_]
    embedding: Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class KeptPhotos:
    """The photographs of one device by their keys, the 32 bytes of a SHA-256.

    Attributes:
        embeddings: [n, width] float32.
        taken: [n] int64 microseconds since 1970 by the camera's own clock.
        likeness: [n, 8] uint8 difference hashes, a bit for each place.
        places: The row of each key.
        stamps: The key of files that are known by their 16-byte stamps, without being read.
    """

    embeddings: Tensor
    taken: NDArray[np.int64]
    likeness: NDArray[np.uint8]
    places: Mapping[bytes, int]
    stamps: Mapping[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def nothing(cls, width: int) -> Self:
        """Returns no photographs, of embeddings of ``width`` numbers."""
        return cls.of({}, stamps={}, width=width)

    @classmethod
    def of(
        cls, photos: Mapping[bytes, KeptPhoto], *, stamps: Mapping[bytes, bytes], width: int
    ) -> Self:
        """Returns photographs by their keys, in their order."""
        rows = list(photos.values())
        taken = [
            _NO_TIME if one.taken is None else (one.taken - _EPOCH) // _TICK for one in rows
        ]
        bits = np.array([one.likeness for one in rows], dtype=np.bool_).reshape(
            len(rows), DIFFERENCES
        )
        return cls(
            embeddings=torch.stack([one.embedding for one in rows])
            if rows
            else torch.empty(0, width),
            taken=np.array(taken, dtype=np.int64),
            likeness=np.packbits(bits, axis=1),
            places={key: place for place, key in enumerate(photos)},
            stamps=dict(stamps),
        )

    def get(self, key: bytes) -> KeptPhoto | None:
        """Returns the photograph of a key, where there is one."""
        place = self.places.get(key)
        if place is None:
            return None
        ticks = int(self.taken[place])
        return KeptPhoto(
            taken=None if ticks == _NO_TIME else _EPOCH + ticks * _TICK,
            likeness=np.unpackbits(self.likeness[place]).astype(np.bool_),
            embedding=self.embeddings[place],
        )

    @property
    def nbytes(self) -> int:
        """About how much memory it takes: a key of a dict with its value about 200 bytes."""
        rows = self.embeddings.nbytes + self.taken.nbytes + self.likeness.nbytes
        return rows + 200 * (len(self.places) + len(self.stamps))
