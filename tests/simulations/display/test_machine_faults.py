"""What the machine refuses is one sentence that names it and the way out."""

import errno
import os

import pytest

from simulations.display.machine_faults import WAYS_OUT, MachineError, sentence, told


@pytest.mark.parametrize("number", WAYS_OUT)
def test_each_kind_names_the_file_its_cause_and_a_way_out(number):
    said = sentence(OSError(number, os.strerror(number), "/data/runs/summary.json"))
    assert said.startswith(f"/data/runs/summary.json: {os.strerror(number)}; ")
    assert said.endswith(f"{WAYS_OUT[number]}.")
    assert "\n" not in said


def test_what_has_no_name_is_what_is_printed():
    said = sentence(OSError(errno.ENOSPC, "No space left on device"))
    assert said.startswith("standard output: No space left on device; free some room")


def test_a_kind_that_nobody_thought_of_is_a_sentence_too():
    assert sentence(OSError(9999, "odd", "x")) == "x: odd; look after it, and run again."


def test_an_absurd_path_is_cut():
    assert len(sentence(OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000))) < 250


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "memory"),
        (RuntimeError("can't start new thread"), "processes and threads"),
    ],
)
def test_what_there_is_no_more_of_is_said(failure, what):
    assert sentence(failure).startswith(f"the machine has no more {what}")


@pytest.mark.parametrize(
    "failure", [RuntimeError("a mistake of ours"), KeyError("x"), OSError()]
)
def test_a_mistake_of_ours_is_none_of_these(failure):
    assert sentence(failure) == ""
    with pytest.raises(type(failure)) as ended, told():
        raise failure
    assert ended.value is failure


def test_what_was_told_has_its_cause_behind_it():
    cause = OSError(errno.EROFS, "Read-only file system", "runs")
    with (
        pytest.raises(MachineError, match=r"^runs: Read-only file system; name a f") as ended,
        told(),
    ):
        raise cause
    assert ended.value.__cause__ is cause
