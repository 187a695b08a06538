"""Every part of a run that is changed by itself is named by `darkroom ledger`."""

import hashlib
import json
from pathlib import Path

import pytest
from changed_files import (
    LEDGERS,
    cut,
    dangling,
    deleted,
    edited,
    emptied,
    in_the_way,
    of_another_run,
    spaced,
)

from simulations.runs import run_parts

pytestmark = pytest.mark.usefixtures("counted_once")
PARTS = (*run_parts.of_run(shared=True), run_parts.PARTS, *LEDGERS)
CHANGES = (deleted, emptied, cut, edited, spaced, of_another_run, in_the_way, dangling)
SAME_FOR_ALL_RUNS = "private/environment.json"
CASES = [(change, name) for change in CHANGES for name in PARTS]
CASES.remove((of_another_run, SAME_FOR_ALL_RUNS))


def files_of(run):
    return {
        str(path.relative_to(run))
        for path in run.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.parent.name != "checkpoints"
    }


def test_a_run_holds_and_has_no_file_beyond_its_parts(run, verified):
    holds, said = verified(run)
    assert holds
    assert "every file that the run left" in said
    assert files_of(run) == set(PARTS)


@pytest.mark.parametrize(("change", "name"), CASES)
def test_a_part_that_is_changed_is_named(run, other, verified, name, change):
    change(run, name, other)
    holds, said = verified(run)
    if change is spaced and name.endswith(".jsonl") and "ledger" in name:
        # Bytes beyond the head are what a crash leaves: they count as a charge.
        assert holds
        assert "counts as 1 charge(s) of every device" in said
        return
    assert not holds
    # Where a ledger and its head differ, one of the two is named by its whole path.
    assert str(run / name) in said or ("ledger" in name and Path(name).name in said)


@pytest.fixture
def sealed(tmp_path):
    """A folder of two parts."""
    (tmp_path / "private").mkdir()
    for name in ("a", "b"):
        (tmp_path / "private" / name).write_text(name)
    run_parts.seal(tmp_path, ("private/a", "private/b"))
    return tmp_path


def test_a_seal_is_the_digest_of_every_part(sealed):
    assert json.loads((sealed / run_parts.PARTS).read_text()) == {
        f"private/{name}": hashlib.sha256(name.encode()).hexdigest() for name in ("a", "b")
    }
    assert run_parts.faults(sealed, ("private/b", "private/a")) == []


def test_a_list_of_parts_must_be_one_of_those_allowed_and_written_the_one_way(sealed):
    (fault,) = run_parts.faults(sealed, ("private/a",), ("private/a", "private/c"))
    assert fault.startswith(f"{sealed / run_parts.PARTS} does not name the parts")
    path = sealed / run_parts.PARTS
    for text in (path.read_text().replace(",", ", "), "[]\n", "{", ""):
        path.write_text(text)
        (fault,) = run_parts.faults(sealed, ("private/a", "private/b"))
        assert fault.startswith(f"{path} is damaged or cannot be read; ")


def test_each_changed_part_has_its_own_sentence_with_the_way_out(sealed):
    (sealed / "private/a").write_text("c")
    (sealed / "private/b").unlink()
    changed, missing = run_parts.faults(sealed, ("private/a", "private/b"))
    assert changed.startswith(f"{sealed / 'private/a'} is not the file that ")
    assert missing.startswith(f"{sealed / 'private/b'} is missing, though ")
    for fault in (changed, missing):
        assert fault.endswith("; restore it from a copy, or take this run's ε as unbounded.")


@pytest.mark.parametrize("name", [*run_parts.ENDED, "public"])
def test_whatever_a_run_writes_at_its_end_alone_says_that_it_ended(tmp_path, name):
    assert not run_parts.ended(tmp_path)
    (tmp_path / name).mkdir(parents=True)
    assert run_parts.ended(tmp_path)
