"""One flat float32 vector as a Flower array and back: what an array says is not believed."""

import io

import numpy as np
from flwr.app import Array

from protocol.limits import MAX_PARAMETERS, NPY_HEADER_BYTES
from protocol.messages import Malformed, RefusalReason, Vector

NUMPY, DTYPE = "numpy.ndarray", "float32"
NUMBER_BYTES = 4
"""Bytes of a float32, by which the length of a payload says how many numbers it holds."""


def encode_vector(values: Vector) -> Array:
    """Returns ``values`` [n] as an array that any Flower node can read; one copy is made."""
    flat = np.ascontiguousarray(values, dtype="<f4")
    data = b"".join((_header(flat.size), flat.data))
    return Array(dtype=DTYPE, shape=(flat.size,), stype=NUMPY, data=data)


def decode_vector(array: Array, *, size: int | None = None) -> Vector | Malformed:
    """Returns a read-only view of the numbers in ``array``, or why it holds no such vector.

    Never raises, and reads nothing before the payload's length is known to fit. The payload
    must begin with the very header that NumPy writes for a vector of its length: a pickle,
    another type or order, a length that is only claimed, or bytes left over are all refused.

    Args:
        array: What arrived.
        size: Numbers it must hold; None for any up to ``MAX_PARAMETERS``.
    """
    most = MAX_PARAMETERS if size is None else size
    if len(array.data) > NPY_HEADER_BYTES + NUMBER_BYTES * most:
        return Malformed(RefusalReason.TOO_LARGE)
    header = array.data[:NPY_HEADER_BYTES]
    if (array.stype, array.dtype) != (NUMPY, DTYPE) or not header.startswith(_KIND):
        return Malformed(RefusalReason.WRONG_TYPE)
    count, rest = divmod(len(array.data) - NPY_HEADER_BYTES, NUMBER_BYTES)
    wanted = count if size is None else size
    if rest or count != wanted or tuple(array.shape) != (count,) or header != _header(count):
        return Malformed(RefusalReason.WRONG_LENGTH)
    return np.frombuffer(array.data, "<f4", offset=NPY_HEADER_BYTES)


def _header(count: int) -> bytes:
    file = io.BytesIO()
    described = {"descr": "<f4", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue()


_KIND = _header(0).partition(b"0,)")[0]
