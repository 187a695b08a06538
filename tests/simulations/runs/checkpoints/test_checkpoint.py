"""A checkpoint is one value, and its file is the same value again."""

from dataclasses import replace

import numpy as np
import pytest
from checkpoints import some_checkpoint, told

from simulations.runs.checkpoints.checkpoint import Checkpoint
from simulations.runs.checkpoints.sealed_file import DamagedError, sealed, unsealed


@pytest.mark.parametrize("moments", [0, 1, 2])
@pytest.mark.parametrize("recent", [1, 12])
def test_a_checkpoint_is_read_as_it_was_written(moments, recent):
    written = some_checkpoint(3, moments=moments, recent=recent)
    assert told(Checkpoint.of_bytes(written.to_bytes())) == told(written)


def test_parameters_are_read_only_for_they_were_released():
    read = Checkpoint.of_bytes(some_checkpoint(3).to_bytes())
    with pytest.raises(ValueError, match="read-only"):
        read.server.parameters[0] = 1


@pytest.mark.parametrize("fact", ["format", "round", "heads", "counts", "rows", "config"])
def test_a_file_that_lacks_a_fact_is_damaged_though_its_digest_holds(fact):
    facts, arrays = unsealed(some_checkpoint(3).to_bytes())
    del facts[fact]
    with pytest.raises(DamagedError):
        Checkpoint.of_bytes(sealed(facts, arrays))


@pytest.mark.parametrize("fact", [("format", 2), ("heads", {"device": {"count": 0}})])
def test_another_version_or_a_head_that_is_none_is_refused(fact):
    facts, arrays = unsealed(some_checkpoint(3).to_bytes())
    with pytest.raises(DamagedError):
        Checkpoint.of_bytes(sealed({**facts, fact[0]: fact[1]}, arrays))


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 2), np.float32)])
def test_parameters_of_another_type_or_shape_are_refused(wrong):
    facts, arrays = unsealed(some_checkpoint(3).to_bytes())
    with pytest.raises(DamagedError, match="vector"):
        Checkpoint.of_bytes(sealed(facts, {**arrays, "model": wrong}))


def test_only_a_state_that_cannot_be_repeated_is_secret():
    open_one = some_checkpoint(3)
    assert not open_one.secret
    assert replace(open_one, server=replace(open_one.server, repeatable=False)).secret
