"""A round is kept when it is due, and a round of correlated noise always."""

from dataclasses import replace

import numpy as np
import pytest
from checkpoints import some_checkpoint

from simulations.runs.checkpoints.checkpoint import Counts
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder, StorageError
from simulations.runs.checkpoints.keeper import CheckpointKeeper, Progress, ReleasedModel

START = ReleasedModel(round=0, parameters=np.zeros(4, np.float32))


@pytest.fixture
def keeper(tmp_path):
    def keeper(*, every=1, last=9, best=None):
        return CheckpointKeeper(
            CheckpointFolder(tmp_path),
            config={"name": "a"},
            every=every,
            last=last,
            best=best,
            heads=dict,
        )

    return keeper


def play(keeper, rounds, *, repeatable=True):
    """The rounds that were the last ones kept, after each of ``rounds``."""
    found = []
    for number in rounds:
        state = replace(some_checkpoint(number).server, repeatable=repeatable)
        progress = Progress(counts=Counts(invited=number), rows=number, judged=START)
        keeper.keep(lambda state=state: state, progress)
        kept = keeper._folder.load().checkpoint
        found.append(None if kept is None else kept.server.round)
    return found


def test_every_so_many_rounds_are_kept_and_the_last_one(keeper):
    assert play(keeper(every=3, last=8), range(9)) == [0, 0, 0, 3, 3, 3, 6, 6, 8]


def test_a_round_that_must_not_be_repeated_is_kept_whatever_is_asked(keeper):
    assert play(keeper(every=3), range(5), repeatable=False) == [0, 1, 2, 3, 4]


def test_the_last_round_of_a_run_that_stops_is_kept_though_it_is_not_due(keeper, tmp_path):
    asked = keeper(every=3)
    asked.stop()
    assert play(asked, range(6))[-1] == 3
    asked.stop()
    assert CheckpointFolder(tmp_path).load().checkpoint.server.round == 5


def test_a_disk_that_took_no_round_may_take_none_at_the_end_either(keeper, monkeypatch):
    asked = keeper(every=3)
    play(asked, range(5))

    def full(self, checkpoint):
        raise StorageError("full")

    monkeypatch.setattr(CheckpointFolder, "save", full)
    asked.stop()


def test_what_is_kept_is_the_state_with_counts_rows_and_heads(keeper, tmp_path):
    play(keeper(), [2])
    found = CheckpointFolder(tmp_path).load().checkpoint
    assert (found.counts.invited, found.rows, found.judged_round) == (2, 2, 0)
    assert found.heads == {"device": some_checkpoint(2).server.ledger}
    assert found.config == {"name": "a"}


def test_the_best_is_the_one_judged_best_and_is_known_to_the_next_process(keeper, tmp_path):
    first = keeper(best="ndcg")
    for number, figure in ((0, 0.2), (1, 0.6), (2, 0.5)):
        play(first, [number])
        first.judged(lambda figure=figure: {"ndcg": figure}, released={})
    assert CheckpointFolder(tmp_path).best().server.round == 1
    second = keeper(best="ndcg")
    for number, figure in ((3, 0.6), (4, 0.7)):
        play(second, [number])
        second.judged(lambda figure=figure: {"ndcg": figure}, released={})
        assert CheckpointFolder(tmp_path).best().server.round == (1 if number == 3 else 4)


def test_a_figure_that_was_released_may_choose_and_none_is_asked_for_otherwise(
    keeper, tmp_path
):
    asked = keeper(best="unclipped")
    play(asked, [1])
    asked.judged(dict, released={"unclipped": 0.5})
    assert CheckpointFolder(tmp_path).best().figure == 0.5

    def never():
        raise AssertionError("held-out figures chose a model")

    silent = keeper()
    play(silent, [2])
    silent.judged(never, released={})
