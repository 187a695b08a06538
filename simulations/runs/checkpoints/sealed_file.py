"""A file of arrays and facts under one digest: safetensors, no pickle, nothing unnoticed.

The digest is over every byte of the file but its own, headers and padding too: safetensors
alone takes most flipped bits for numbers.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

FACTS, DIGEST = "darkroom checkpoint", "sha256"
UNSEALED = "0" * 64
"""Stands where the digest will, while it is computed."""

SEAL = re.compile(rb'"sha256":"([0-9a-f]{64})"')
LENGTH = 8
"""Bytes of the length of the header, which stands before it in every safetensors file."""

Arrays = Mapping[str, NDArray[Any]]


class DamagedError(ValueError):
    """Bytes that are not those of a file that was sealed."""


def sealed(facts: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Returns the file: JSON facts in its metadata, the arrays as they are."""
    whole = {name: np.ascontiguousarray(one).reshape(one.shape) for name, one in arrays.items()}
    text = json.dumps(facts, sort_keys=True, allow_nan=False)
    bare = save(whole, metadata={FACTS: text, DIGEST: UNSEALED})
    first, last = _place(bare)
    return bare[:first] + hashlib.sha256(bare).hexdigest().encode() + bare[last:]


def unsealed(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Returns the facts and the arrays of a file; the arrays are copies.

    Raises:
        DamagedError: A byte is missing, changed or too many.
    """
    first, last = _place(data)
    bare = data[:first] + UNSEALED.encode() + data[last:]
    if hashlib.sha256(bare).hexdigest().encode() != data[first:last]:
        raise DamagedError("its digest is another")
    try:
        header = json.loads(data[LENGTH : LENGTH + _header(data)])
        facts = json.loads(header["__metadata__"][FACTS])
        arrays = {name: np.array(one) for name, one in load(data).items()}
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as failure:
        raise DamagedError("it is no safetensors file") from failure
    if not isinstance(facts, dict):
        raise DamagedError("its facts are none")
    return facts, arrays


def _place(data: bytes) -> tuple[int, int]:
    """Where the digest stands: in the header, and once."""
    end = min(LENGTH + _header(data), len(data))
    found = list(SEAL.finditer(data, LENGTH, end))
    if len(found) != 1:
        raise DamagedError("it has no digest")
    return found[0].span(1)


def _header(data: bytes) -> int:
    return int.from_bytes(data[:LENGTH], "little")
