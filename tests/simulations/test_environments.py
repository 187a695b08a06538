"""Machines on which a run cannot be kept: one sentence each, and nothing half-written."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rankings import ranker, ranking

from privacy.ledger.chain import LedgerError
from ranking.weights import Origin, load_weights, save_weights
from simulations import command
from simulations.display.machine_faults import sentence
from simulations.runs import run_folder
from simulations.runs.run_folder import append_line, write_whole

NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
ORIGIN = Origin(seed=7, command="test", ranking=ranking("linear"), side=48)


def weights(path):
    save_weights(ranker("linear", seed=int(path.exists())), path, origin=ORIGIN)


def lines(path):
    append_line(path, {"round": 1, "long": "x" * 300})


def text(path):
    write_whole(path, "one" if not path.exists() else "another\n" * 100)


WRITERS = {"weights": weights, "lines": lines, "text": text}
STEPS = {
    "fsync": [(os, "fsync")],
    "rename": [(Path, "replace")],
    "open": [(Path, "open"), (os, "open")],
}


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("writer", ["weights", "text"])
def test_a_file_that_cannot_be_written_is_the_former_one_whole(
    tmp_path, monkeypatch, writer, step, number
):
    path = tmp_path / "file"
    WRITERS[writer](path)
    former = path.read_bytes()

    def refused(*_, **__):
        raise OSError(number, os.strerror(number))

    for owner, name in STEPS[step]:
        monkeypatch.setattr(owner, name, refused)
    with pytest.raises(OSError, match=str(path)) as ended:
        WRITERS[writer](path)
    monkeypatch.undo()
    assert ended.value.errno == number
    assert sentence(ended.value).startswith(f"{path}: {os.strerror(number)}; ")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == former


@pytest.fixture
def no_larger_than():
    """Limits the size of files, as `ulimit -f` does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    held = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, held)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_limit_on_the_size_of_files_leaves_the_former_one(tmp_path, no_larger_than, writer):
    path = tmp_path / "file"
    WRITERS[writer](path)
    former = path.read_bytes()
    no_larger_than(len(former) + 10 if writer == "lines" else 100)
    with pytest.raises(OSError, match=str(path)) as ended:
        WRITERS[writer](path)
    assert sentence(ended.value).count("; ") == 1
    assert path.read_bytes() == former
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB and a few files, where the machine lets us make one."""
    made = []

    def small_disk(size="64k", inodes=40):
        folder = tmp_path / "disk"
        folder.mkdir()
        options = f"size={size},nr_inodes={inodes}"
        line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(line, capture_output=True, check=False).returncode:
            pytest.skip("no disk can be made here")
        made.append(folder)
        return folder

    yield small_disk
    for folder in made:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path):
    with path.open("ab", buffering=0) as file:
        while file.write(bytes(512)) == 512:
            pass
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("lacks", ["room", "files"])
def test_a_disk_that_is_full_leaves_the_former_file(small_disk, writer, lacks):
    disk = small_disk(inodes=2 + (lacks == "room"), size="64k")
    path = disk / "file"
    WRITERS[writer](path) if writer != "weights" else path.write_bytes(b"former")
    if lacks == "room":
        with pytest.raises(OSError, match="No space"):
            fill(path)
    former = path.read_bytes()
    if (writer, lacks) == ("lines", "files"):
        return
    with pytest.raises(OSError, match="No space left"):
        WRITERS[writer](path)
    assert [entry.name for entry in disk.iterdir()] == ["file"]
    assert path.read_bytes() == former


# What a run writes, in order; each write may be the one that fails.
PARTS = (
    "config.yaml",
    "environment.json",
    "example.jsonl",
    "example.head.json",
    "metrics.jsonl",
    "log.jsonl",
    "model.safetensors",
    "privacy.json",
    "summary.json",
    "parts.json",
)

LOCKS = {".example.lock", ".run.lock"}


@pytest.fixture
def one_write_fails(monkeypatch):
    """Lets the first write of a file of this name fail."""

    def one_write_fails(name, number):
        left = [1]

        def refuse(path):
            if Path(path).name.strip(".").startswith(name) and left:
                left.pop()
                raise OSError(number, os.strerror(number))

        for owner, function in ((os, "fsync"), (run_folder, "append_line")):
            honest = getattr(owner, function)

            def failing(what, *rest, honest=honest):
                descriptor = isinstance(what, int)
                path = Path(f"/proc/self/fd/{what}").readlink() if descriptor else what
                try:
                    refuse(path)
                except OSError as failure:
                    if descriptor:
                        raise
                    raise run_folder.named(failure, what) from failure
                return honest(what, *rest)

            monkeypatch.setattr(owner, function, failing)
        monkeypatch.setattr("simulations.runs.run_log.append_line", run_folder.append_line)
        return left

    return one_write_fails


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc/self/fd")
@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", PARTS)
def test_whichever_write_of_a_run_fails_it_is_one_sentence_and_no_part_is_left(
    darkroom, tiny, one_write_fails, tmp_path, name, number
):
    left = one_write_fails(name, number)
    status, _, said = darkroom("simulate", *tiny, f"simulation.runs={tmp_path}/runs")
    assert not left
    assert status == 1
    assert said.startswith("darkroom: ")
    assert said.count("\n") == 1
    assert os.strerror(number) in said
    (run,) = (tmp_path / "runs").iterdir()
    names = {entry.name for entry in run.rglob("*") if entry.is_file()} - LOCKS
    assert not {one for one in names if one.startswith(".") or "partial" in one}
    for path in run.rglob("model.safetensors"):
        load_weights(ranker("linear"), path)


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, "No space left on device", "runs/x/private/summary.json"),
        PermissionError(errno.EACCES, "Permission denied", "runs"),
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError(),
        RuntimeError("can't start new thread"),
    ],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("words", [["simulate"], ["version"]])
def test_every_command_tells_it_in_one_sentence(darkroom, monkeypatch, failure, words):
    def refused(*_, **__):
        raise failure

    monkeypatch.setattr("simulations.simulate.simulate", refused)
    monkeypatch.setattr(command, "version", refused)
    status, _, said = darkroom(*words)
    assert status == 1
    assert said == f"darkroom: {sentence(failure)}\n"


def test_a_ledger_that_cannot_be_written_says_so_in_words_of_its_own(darkroom, monkeypatch):
    def refused(*_, **__):
        raise LedgerError("x cannot be written: No space left on device; mend that and resume.")

    monkeypatch.setattr("simulations.simulate.simulate", refused)
    assert darkroom("simulate")[2].startswith("darkroom: x cannot be written: No space")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("simulation.runs='~nobody/x'", "begins with '~', which only a shell replaces"),
        ("simulation.cache='~/cache'", "begins with '~', which only a shell replaces"),
        (f"simulation.runs={'x' * 5000}", "File name too long"),
        (f"simulation.runs={'x/' * 3000}", "File name too long"),
        (f"ranking.weights={'x' * 5000}", "File name too long"),
        ("simulation.runs=/proc/runs", "cannot hold a run folder"),
        ("simulation.runs=/dev/null/runs", "Not a directory"),
        ('simulation.runs="a\0b"', "zero byte"),
    ],
    ids=lambda value: value[:30],
)
def test_a_folder_that_cannot_be_is_one_sentence(darkroom, tiny, tmp_path, word, said):
    status, _, found = darkroom("simulate", *tiny, word)
    assert status == 1
    assert found.startswith("darkroom: ")
    assert found.count("\n") == 1
    assert said in found
    assert not list(tmp_path.iterdir())


def printed(words, *, stdout, environment=None):
    """Runs the command with its output somewhere; returns its status and what it complains."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "simulations.command", *words],
        cwd=root,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | (environment or {}),
        check=False,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_an_output_that_is_full_is_one_sentence():
    with Path("/dev/full").open("w") as full:
        status, said = printed(["version"], stdout=full)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith("darkroom: standard output: No space left on device; ")


def test_a_reader_that_has_ended_is_told_nothing():
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as gone:
        status, said = printed(["version"], stdout=gone)
    assert (status, said) == (1, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8"},
        {"LC_ALL": "no_SUCH.locale"},
        {"HOME": "/nonexistent"},
        {"TMPDIR": "/nonexistent"},
        {"TMPDIR": f"/tmp/{'a' * 200}"},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"TZ": "Nowhere/Never"},
        {"PYTHONHASHSEED": "1", "PYTHONOPTIMIZE": "2"},
    ],
    ids=lambda environment: "-".join(environment),
)
def test_odd_surroundings_change_nothing(tiny, tmp_path, environment):
    words = ["simulate", *tiny, "server.rounds=1", f"simulation.runs={tmp_path}"]
    status, said = printed(words, stdout=subprocess.DEVNULL, environment=environment)
    assert (status, said) == (0, "")
