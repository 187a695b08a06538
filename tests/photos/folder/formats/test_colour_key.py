"""The keyed colour of a PNG, at every depth, against samples that were never packed."""

import itertools
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoilt_pictures import png_chunk

from photos.folder.formats.colour_key import keyed
from photos.folder.formats.png import open_png

GREY, RGB, INDEXED, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def png(samples: np.ndarray, depth: int, key: bytes | None, *, kind: int) -> bytes:
    """A PNG of [height, width, numbers] samples, without filters and without interlacing."""
    height, width, _ = samples.shape
    rows = [b"\0" + _packed(row.ravel().tolist(), depth) for row in samples]
    header = struct.pack(">LLBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            b"" if key is None else png_chunk(b"tRNS", key),
            png_chunk(b"IDAT", zlib.compress(b"".join(rows))),
            png_chunk(b"IEND", b""),
        ]
    )


def _packed(values: list[int], depth: int) -> bytes:
    bits = "".join(format(value, f"0{depth}b") for value in values)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def _found(samples: np.ndarray, depth: int, key: bytes, *, kind: int) -> np.ndarray:
    stored = open_png(png(samples, depth, key, kind=kind))
    assert stored.keyed is not None
    return stored.keyed(stored.image)


@given(st.data())
def test_the_pixels_of_a_keyed_colour_are_found_exactly(data):
    kind, depth = data.draw(st.sampled_from([*((GREY, d) for d in (1, 2, 4, 8, 16)),
                                             (RGB, 8), (RGB, 16)]))  # fmt: skip
    numbers = 1 if kind == GREY else 3
    few = st.sampled_from(sorted({0, 1, 2**depth // 3, 2**depth // 2, 2**depth - 1}))
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 9)))
    drawn = data.draw(
        st.lists(
            few, min_size=shape[0] * shape[1] * numbers, max_size=shape[0] * shape[1] * numbers
        )
    )
    samples = np.array(drawn).reshape(*shape, numbers)
    colour = samples[-1, -1]
    found = _found(samples, depth, struct.pack(f">{numbers}H", *colour), kind=kind)
    assert (found == (samples == colour).all(-1)).all()
    assert found[-1, -1]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_every_grey_of_a_few_bits_is_its_own_key_alone(depth):
    samples = np.arange(2**depth).reshape(1, -1, 1)
    for value in range(2**depth):
        found = _found(samples, depth, struct.pack(">H", value), kind=GREY)
        assert np.flatnonzero(found).tolist() == [value]


@pytest.mark.parametrize(("kind", "numbers"), [(GREY, 1), (RGB, 3)])
def test_colours_of_sixteen_bits_that_differ_in_the_lower_byte_are_different(kind, numbers):
    samples = np.array(list(itertools.product((0x0100, 0x0101, 0x0201), repeat=numbers)))
    key = struct.pack(f">{numbers}H", *samples[-1])
    found = _found(samples[None], 16, key, kind=kind)
    assert np.flatnonzero(found).tolist() == [len(samples) - 1]


def test_of_a_key_as_many_bits_count_as_a_sample_has():
    samples = np.array([[[5], [4]]])
    assert _found(samples, 4, b"\xff\x05", kind=GREY).tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("kind", "key"),
    [(GREY, b"\0"), (GREY, bytes(6)), (RGB, bytes(2)), (RGB, bytes(5)), (GREY_ALPHA, bytes(2)),
     (RGBA, bytes(6)), (INDEXED, bytes(2))],
)  # fmt: skip
def test_a_key_of_another_length_or_type_is_none(kind, key):
    assert keyed(struct.pack(">LLBBBBB", 1, 1, 8, kind, 0, 0, 0), key, b"") is None


def test_a_file_without_a_key_has_none():
    assert open_png(png(np.zeros((2, 2, 1), int), 8, None, kind=GREY)).keyed is None
