"""Two checkpoints are kept: of any damage to one the other is used, aloud, or it is refused."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from checkpoints import some_checkpoint, told

from simulations.runs import whole_files
from simulations.runs.checkpoints import checkpoint_folder
from simulations.runs.checkpoints.checkpoint_folder import (
    BEFORE,
    LAST,
    CheckpointFolder,
    StorageError,
)

STEPS = ("open", "fsync", "replace", "sync_folder")


@pytest.fixture
def kept(tmp_path):
    folder = CheckpointFolder(tmp_path / "checkpoints")
    for number in (1, 2, 3):
        folder.save(some_checkpoint(number))
    return folder


def test_the_last_two_are_kept_for_their_owner_alone(kept):
    assert {path.name for path in kept.path.iterdir()} == {LAST, BEFORE}
    for path in kept.path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = kept.load()
    assert told(found.checkpoint) == told(some_checkpoint(3))
    assert found.lost == ()


def test_a_run_without_a_checkpoint_has_none(tmp_path):
    assert CheckpointFolder(tmp_path).load().checkpoint is None
    assert CheckpointFolder(tmp_path / "none").load().checkpoint is None


def truncated(path):
    path.write_bytes(path.read_bytes()[:-9])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 8
    path.write_bytes(data)


def closed(path):
    path.chmod(0)


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere")


def huge(path):
    with path.open("r+b") as file:
        file.truncate(checkpoint_folder.LARGEST + 1)


DAMAGE = [truncated, flipped, closed, folder, pipe, dangling, huge, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGE)
def test_of_a_damaged_last_one_the_one_before_is_used_and_that_is_said(kept, damage):
    if damage is closed and os.geteuid() == 0:
        pytest.skip("root reads every file")
    damage(kept.path / LAST)
    found = kept.load()
    assert told(found.checkpoint) == told(some_checkpoint(2))
    assert len(found.lost) == 1
    assert str(kept.path / LAST) in found.lost[0]


@pytest.mark.parametrize("damage", [truncated, flipped, folder, pipe])
def test_where_both_are_damaged_one_sentence_names_both(kept, damage):
    damage(kept.path / LAST)
    damage(kept.path / BEFORE)
    with pytest.raises(ValueError, match=f"{LAST}.*{BEFORE}.*restore") as refused:
        kept.load()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_takes_no_more_leaves_a_last_good_checkpoint(
    kept, monkeypatch, step, cause
):
    honest, left = getattr(whole_files if step == "sync_folder" else os, step), 1

    def failing(*words, **named):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(cause, os.strerror(cause))
        return honest(*words, **named)

    monkeypatch.setattr(whole_files if step == "sync_folder" else os, step, failing)
    with pytest.raises(StorageError, match="the run stops"):
        kept.save(some_checkpoint(4))
    monkeypatch.undo()
    assert kept.load().checkpoint.server.round in (3, 4)
    assert {path.name for path in kept.path.iterdir()} == {LAST, BEFORE}


def test_a_crash_at_any_step_of_a_save_leaves_a_whole_last_checkpoint(kept, monkeypatch):
    class Killed(BaseException):
        pass

    steps = [(os, "open"), (os, "fsync"), (os, "replace"), (os, "unlink")]
    for module, step in steps:
        for at in range(4):
            left, honest = at, getattr(module, step)

            def dying(*words, honest=honest, **named):
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return honest(*words, **named)

            monkeypatch.setattr(module, step, dying)
            with suppress(Killed):
                kept.save(some_checkpoint(3))
            monkeypatch.undo()
            found = kept.load()
            assert (found.checkpoint.server.round, found.lost) == (3, ())


def test_the_best_is_kept_beside_them(kept):
    assert kept.best() is None
    kept.save_best(some_checkpoint(2, figure=0.7))
    assert kept.best().figure == 0.7
    assert kept.load().checkpoint.server.round == 3
