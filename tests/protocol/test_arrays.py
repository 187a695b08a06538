import io
import pickle

import numpy as np
import pytest
from flwr.app import Array
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.arrays import decode_vector, encode_vector
from protocol.limits import MAX_PARAMETERS, NPY_HEADER_BYTES
from protocol.messages import Malformed, RefusalReason

SIZE = 6
VALUES = np.arange(SIZE, dtype=np.float32)


def saved(values, **options):
    file = io.BytesIO()
    np.save(file, values, **options)
    return file.getvalue()


def claimed(data, *, dtype="float32", shape=(SIZE,), stype="numpy.ndarray"):
    return Array(dtype=dtype, shape=shape, stype=stype, data=data)


def header_of(description):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, description)
    return file.getvalue()


def test_flower_itself_reads_what_is_encoded():
    np.testing.assert_array_equal(encode_vector(VALUES).numpy(), VALUES)
    assert encode_vector(VALUES).data == saved(VALUES)


def test_what_flower_itself_encodes_is_read():
    np.testing.assert_array_equal(decode_vector(Array(VALUES), size=SIZE), VALUES)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 99_999])
def test_the_header_has_one_length_whatever_the_vectors(count):
    data = encode_vector(np.zeros(count, dtype=np.float32)).data
    assert len(data) == NPY_HEADER_BYTES + 4 * count


def test_a_view_with_strides_is_sent_as_its_values():
    arrived = decode_vector(encode_vector(np.arange(12, dtype=np.float32)[::2]), size=SIZE)
    np.testing.assert_array_equal(arrived, [0, 2, 4, 6, 8, 10])


TEN_TO_TWELVE = header_of({"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
FORTRAN = header_of({"descr": "<f4", "fortran_order": True, "shape": (SIZE,)})
DOUBLE = header_of({"descr": "<f8", "fortran_order": False, "shape": (SIZE // 2,)})
BIG_ENDIAN = header_of({"descr": ">f4", "fortran_order": False, "shape": (SIZE,)})
NUMBERS = VALUES.tobytes()
RAGGED = np.array([None, "x"], dtype=object)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (claimed(TEN_TO_TWELVE + NUMBERS), RefusalReason.WRONG_LENGTH),
        (claimed(TEN_TO_TWELVE + NUMBERS, shape=(10**12,)), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES), shape=(10**12,)), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES), shape=()), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES), shape=(2, 3)), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES.reshape(2, 3)), shape=(2, 3)), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES.reshape(2, 3))), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES[:5]), shape=(5,)), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES[:5]) + b"\0\0\0\0"), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES)[:-1]), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES)[:NPY_HEADER_BYTES]), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES)[:80]), RefusalReason.WRONG_LENGTH),
        (claimed(saved(VALUES) + b"\0"), RefusalReason.TOO_LARGE),
        (claimed(saved(np.zeros(SIZE + 1, np.float32))), RefusalReason.TOO_LARGE),
        (claimed(FORTRAN + NUMBERS), RefusalReason.WRONG_TYPE),
        (claimed(DOUBLE + NUMBERS), RefusalReason.WRONG_TYPE),
        (claimed(BIG_ENDIAN + NUMBERS), RefusalReason.WRONG_TYPE),
        (claimed(saved(VALUES), dtype="float64"), RefusalReason.WRONG_TYPE),
        (claimed(saved(VALUES), stype="torch.tensor"), RefusalReason.WRONG_TYPE),
        (claimed(pickle.dumps([1.0])), RefusalReason.WRONG_TYPE),
        (claimed(saved(RAGGED, allow_pickle=True)[:150]), RefusalReason.WRONG_TYPE),
        (claimed(b""), RefusalReason.WRONG_TYPE),
        (claimed(b"\x93NUMPY"), RefusalReason.WRONG_TYPE),
        (claimed(b"\x93NUMPY\x02" + saved(VALUES)[7:]), RefusalReason.WRONG_TYPE),
    ],
)
def test_an_array_that_is_not_what_it_says_is_refused_without_an_exception(array, reason):
    assert decode_vector(array, size=SIZE) == Malformed(reason)


def test_a_vector_above_the_limit_is_refused_before_it_is_read():
    array = claimed(bytes(NPY_HEADER_BYTES + 4 * MAX_PARAMETERS + 1))
    assert decode_vector(array) == Malformed(RefusalReason.TOO_LARGE)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, NPY_HEADER_BYTES + 4 * SIZE - 1), st.integers(1, 255))
def test_a_flipped_byte_changes_a_number_or_is_refused(place, flip):
    data = bytearray(saved(VALUES))
    data[place] ^= flip
    arrived = decode_vector(claimed(bytes(data)), size=SIZE)
    assert isinstance(arrived, Malformed) == (place < NPY_HEADER_BYTES)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=NPY_HEADER_BYTES + 4 * SIZE + 8))
def test_arbitrary_bytes_are_refused_without_an_exception(data):
    assert isinstance(decode_vector(claimed(data), size=SIZE), Malformed)
