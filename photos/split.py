"""Which moments of a library train and which are held out."""

import hashlib
import struct

from photos.library import Library, Moment


def trains(number: int, *, seed: int, device: int, held_out_share: float) -> bool:
    """Says whether a moment trains: a keyed hash of its own number, and of nothing else.

    Adding or removing another moment therefore never moves it across the split, which would
    turn one moment's removal into two.
    """
    name = struct.pack("<QQQ", seed, device, number)
    digest = hashlib.blake2b(name, digest_size=8, person=b"darkroom split").digest()
    return int.from_bytes(digest, "little") / 2**64 >= held_out_share


def training_moments(
    library: Library, *, seed: int, held_out_share: float
) -> tuple[Moment, ...]:
    """Returns the moments of ``library`` that train, in their order."""
    return _moments(library, seed=seed, held_out_share=held_out_share, training=True)


def held_out_moments(
    library: Library, *, seed: int, held_out_share: float
) -> tuple[Moment, ...]:
    """Returns the moments of ``library`` that never train, in their order."""
    return _moments(library, seed=seed, held_out_share=held_out_share, training=False)


def _moments(
    library: Library, *, seed: int, held_out_share: float, training: bool
) -> tuple[Moment, ...]:
    return tuple(
        moment
        for moment in library.moments
        if trains(
            moment.number, seed=seed, device=library.device, held_out_share=held_out_share
        )
        == training
    )
