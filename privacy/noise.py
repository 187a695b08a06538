"""Randomness that protects: float64 Gaussians and uniforms from ChaCha20 streams."""

import hashlib
import math
import os
import struct
from typing import Protocol

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray

KEY_BYTES = 32
WORD_BYTES = 8
UNIT = 2.0**-53
Floats = NDArray[np.float64]


class Stream(Protocol):
    """One sequence of draws."""

    def gaussian(self, size: int) -> Floats:
        """[size] independent standard normal draws."""
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

    def gaussian(self, size: int) -> Floats:
        """[size] independent standard normal draws."""
        pairs = -(-size // 2)
        words = self._cipher.update(bytes(2 * pairs * WORD_BYTES))
        uniforms = torch.from_numpy(_uniform(words))
        radius = torch.log1p(-uniforms[:pairs]).mul_(-2).sqrt_()
        angle = uniforms[pairs:].mul_(2 * math.pi)
        draws = torch.cat([torch.cos(angle).mul_(radius), torch.sin(angle).mul_(radius)])
        return draws[:size].numpy()

    def keyed_uniform(self, numbers: NDArray[np.int64]) -> Floats:
        """[numbers] draws from [0, 1), each a function of the stream and its own number.

        A keyed BLAKE2b of the number: another number more or fewer changes no draw.
        """
        words = b"".join(
            hashlib.blake2b(_signed(number), key=self._key, digest_size=WORD_BYTES).digest()
            for number in numbers.tolist()
        )
        return _uniform(words)


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


def _uniform(words: bytes) -> Floats:
    """One draw from [0, 1) for every eight bytes, from their upper 53 bits."""
    bits: NDArray[np.uint64] = np.frombuffer(words, "<u8") >> np.uint64(11)
    return bits.astype(np.float64) * UNIT


def _signed(number: int) -> bytes:
    return struct.pack("<q", number)
