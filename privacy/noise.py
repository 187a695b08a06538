"""Randomness that protects: float64 Gaussians and uniforms from streams that have a key."""

import hashlib
import math
import os
import struct
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

KEY_BYTES = 32
"""Bytes of a key: the 256 bits of ChaCha20 and AES-256, which take no other length."""

WORD_BYTES = 8
"""Bytes of a word of 64 bits, from which one uniform is made."""

SPARE_BITS = 11
"""Bits of a word that are left out: the other 53 are all that float64 holds of a fraction. With
fewer left out a uniform exceeds 1, and its Gaussian is not a number."""

UNIT = 2.0**-53
"""Distance of two uniforms: 53 bits. A longer one ends Gaussians earlier than at 8.57
deviations, √(2 · 53 · ln 2)."""

PAIRS = 4096
"""Pairs of Gaussians at a time. Measured on a million draws: 27 ms, with 64 at a time 274 ms
and with 2^18, which leave the caches, 33 ms. Another number draws other noise from the same
seed."""

PAIR = bytes(2 * WORD_BYTES)
"""What is encrypted for two words: zeros, so that the keystream itself comes out."""

NOTHING = memoryview(PAIRS * PAIR)
"""The same for all pairs of a call, made once."""

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]


class Stream(Protocol):
    """One sequence of draws."""

    def words(self, size: int) -> Words:
        """[size] independent uniform words of 64 bits."""
        ...

    def gaussian(self, size: int) -> Floats:
        """[size] independent standard normal draws."""
        ...

    def add_gaussian(self, values: Floats, *, deviation: float) -> None:
        """Adds independent normal draws of this deviation to ``values`` [n], in place."""
        ...

    def keyed_uniform(self, numbers: NDArray[np.int64]) -> Floats:
        """[numbers] draws from [0, 1), each a function of the stream and its own number."""
        ...


class Source(Protocol):
    """Opens independent streams; the path says what a stream is for."""

    @property
    def secure(self) -> bool:
        """Whether the draws are keyed by the operating system."""
        ...

    def stream(self, *path: int | str) -> Stream:
        """Opens the stream of ``path``; a secure source gives a new one at every call."""
        ...


class ChaChaStream:
    """Draws from the ChaCha20 keystream of one key (RFC 8439).

    Gaussians come from the Box-Muller transform of 53-bit uniforms in (0, 1], so they are
    finite and reach 8.57 standard deviations; a float32 generator ends at 5.77. The guarantee
    of a mechanism that uses them is that of real numbers, up to floating point.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        counter_and_nonce = bytes(16)
        self._cipher = Cipher(algorithms.ChaCha20(key, counter_and_nonce), None).encryptor()

    def words(self, size: int) -> Words:
        """[size] independent uniform words of 64 bits: the keystream as it is."""
        return np.frombuffer(self._cipher.update(bytes(size * WORD_BYTES)), "<u8")

    def gaussian(self, size: int) -> Floats:
        """[size] independent standard normal draws."""
        draws = np.zeros(size)
        self.add_gaussian(draws, deviation=1.0)
        return draws

    def add_gaussian(self, values: Floats, *, deviation: float) -> None:
        """Adds independent normal draws of this deviation to ``values`` [n], in place."""
        for first in range(0, len(values), 2 * PAIRS):
            some = values[first : first + 2 * PAIRS]
            half = -(-len(some) // 2)
            keystream = self._cipher.update(NOTHING[: half * len(PAIR)])
            left, right = _box_muller(np.frombuffer(keystream, "<u8"), deviation=deviation)
            some[:half] += left
            some[half:] += right[: len(some) - half]

    def keyed_uniform(self, numbers: NDArray[np.int64]) -> Floats:
        """[numbers] draws from [0, 1), each a function of the stream and its own number.

        AES-256 of the number, under a key of its own: another number more or fewer changes no
        draw.
        """
        key = hashlib.blake2b(b"keyed uniform", key=self._key, digest_size=KEY_BYTES).digest()
        blocks = np.zeros((len(numbers), 2), "<i8")
        blocks[:, 0] = numbers
        # A number alone, once under each key: what a mode would hide is not there.
        cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
        words = np.frombuffer(cipher.update(blocks.tobytes()), "<u8")[::2]
        uniforms: Floats = (words >> SPARE_BITS).astype(np.float64)
        return uniforms * UNIT


class SecureSource:
    """Keys every stream anew by the operating system: nothing repeats and nothing is kept."""

    secure = True

    def stream(self, *path: int | str) -> Stream:
        """Opens a stream that no one can open again, whatever ``path`` is."""
        return ChaChaStream(os.urandom(KEY_BYTES))


class SeededSource:
    """Derives every stream from a seed and a path: for tests and repeatable runs only.

    Whoever knows the seed knows the noise, so what it protects is protected from no one.
    """

    secure = False

    def __init__(self, seed: int, *path: int | str) -> None:
        self._path: tuple[int | str, ...] = (seed, *path)

    def stream(self, *path: int | str) -> Stream:
        """Opens the stream of ``path``: the same draws for the same seed and paths."""
        digest = hashlib.sha256(b"darkroom stream")
        for part in (*self._path, *path):
            encoded = f"{type(part).__name__}:{part}".encode()
            digest.update(struct.pack("<Q", len(encoded)) + encoded)
        return ChaChaStream(digest.digest())


def _box_muller(words: NDArray[np.uint64], *, deviation: float) -> tuple[Floats, Floats]:
    """Two normal draws from each pair of words: a radius and an angle, from either half.

    With t = tan(θ/2), cos θ = (1 - t²) / (1 + t²) and sin θ = 2t / (1 + t²): numpy's tangent is
    several times quicker than its sine and cosine.
    """
    half = len(words) // 2
    radius = (words[:half] >> SPARE_BITS).astype(np.float64)
    radius += 1
    radius *= UNIT
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    # After the root: the square of a small deviation would be zero, of a large one infinite.
    radius *= deviation
    sine = (words[half:].view(np.int64) >> SPARE_BITS).astype(np.float64)
    sine *= math.pi * UNIT
    np.tan(sine, out=sine)
    cosine = sine * sine
    radius /= cosine + 1
    np.subtract(1, cosine, out=cosine)
    cosine *= radius
    sine *= radius
    sine += sine
    return cosine, sine
