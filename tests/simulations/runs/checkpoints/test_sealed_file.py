"""A sealed file is the one that was written, or it is refused: no byte is left out."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from simulations.runs.checkpoints.sealed_file import DamagedError, sealed, unsealed

FACTS = {"round": 3, "config": {"name": 'a "quoted" name', "sha256": "0" * 64}, "none": None}
ARRAYS = {
    "model": np.arange(7, dtype=np.float32),
    "moments.0": np.linspace(0, 1, 7),
    "clip": np.array(0.25),
    "empty": np.zeros((0, 7)),
    "devices": np.array([3, 1], np.int64),
}
WHOLE = sealed(FACTS, ARRAYS)


def test_what_is_sealed_is_read_again_bit_for_bit():
    facts, arrays = unsealed(WHOLE)
    assert facts == FACTS
    assert {name: (one.dtype, one.shape) for name, one in arrays.items()} == {
        name: (one.dtype, one.shape) for name, one in ARRAYS.items()
    }
    assert all(arrays[name].tobytes() == one.tobytes() for name, one in ARRAYS.items())


def test_any_reader_of_safetensors_reads_the_arrays():
    assert (load(WHOLE)["model"] == ARRAYS["model"]).all()


@pytest.mark.parametrize("part", range(8))
def test_each_of_64_truncations_is_found(part):
    for number in range(8):
        place = len(WHOLE) * (8 * part + number) // 64
        with pytest.raises(DamagedError):
            unsealed(WHOLE[:place])


def test_each_of_500_flipped_bits_is_found_wherever_it_is():
    draws = np.random.default_rng(0)
    bits = draws.choice(8 * len(WHOLE), size=500, replace=False)
    for bit in bits.tolist():
        damaged = bytearray(WHOLE)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedError):
            unsealed(bytes(damaged))


def test_safetensors_alone_takes_most_flipped_bits_of_the_arrays():
    damaged = bytearray(WHOLE)
    damaged[-1] ^= 1
    assert len(load(bytes(damaged))) == len(ARRAYS)
    with pytest.raises(DamagedError, match="digest"):
        unsealed(bytes(damaged))


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(data):
    with pytest.raises(DamagedError):
        unsealed(data)


@given(st.binary(min_size=1, max_size=20))
def test_bytes_more_at_the_end_are_found(more):
    with pytest.raises(DamagedError):
        unsealed(WHOLE + more)


def test_a_file_of_safetensors_without_our_digest_is_refused():
    with pytest.raises(DamagedError, match="no digest"):
        unsealed(save(ARRAYS, metadata={"format": "pt"}))


def test_facts_are_json_and_nothing_is_pickled():
    header = WHOLE[8 : 8 + int.from_bytes(WHOLE[:8], "little")]
    assert json.loads(json.loads(header)["__metadata__"]["darkroom checkpoint"]) == FACTS
