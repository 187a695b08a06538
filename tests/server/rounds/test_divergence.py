import dataclasses

import numpy as np
import pytest
from flwr.app import Message

from protocol.codec import decode_task, encode_update
from protocol.messages import Update
from protocol.optimizers import Sgd
from server.rounds.directory import RangeDirectory
from server.rounds.divergence import DivergedError, check
from server.rounds.strategy import RoundStrategy
from server.rounds.task_messages import RunTerms


def everything(parameters):
    return True


def test_finite_parameters_with_finite_scores_are_a_model():
    check(3, np.float32([1, -3e38]), sound=everything)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_parameters_that_are_not_finite_are_none(odd):
    with pytest.raises(DivergedError, match=r"round 3 diverged: its parameters .*training\.lr"):
        check(3, np.float32([1, odd]), sound=everything)


def test_parameters_whose_scores_are_not_finite_are_none():
    with pytest.raises(DivergedError, match=r"round 3 diverged: its scores are not finite"):
        check(3, np.float32([1]), sound=lambda parameters: parameters[0] != 1)


def test_weights_to_start_from_are_told_as_such():
    with pytest.raises(DivergedError, match=r"starts from are no model.*ranking\.weights\.$"):
        check(0, np.float32([np.nan]), sound=everything)


@pytest.fixture
def diverging(settings, terms, watcher, device_grid, start):
    """Runs ten rounds whose every update is as long as any may be; returns the strategy."""

    def diverging(lr, *, sound=everything):
        free = dataclasses.replace(terms, clip=float("inf"), private=False)
        strategy = RoundStrategy(
            dataclasses.replace(settings, cohort=8.0, optimizer=Sgd(lr=lr)),
            RunTerms(visit=free, largest_library=10, frozen=start, digest="d" * 64),
            seed=1,
            directory=RangeDirectory(100, 8),
            observer=watcher,
        )
        strategy.sound = sound

        def answer(message):
            task = decode_task(message.content)
            delta = np.float32([2.0**63, 0, 0])
            update = Update(round=task.round, attempt=task.attempt, delta=delta)
            return Message(encode_update(update), reply_to=message)

        with pytest.raises(DivergedError) as ended:
            strategy.run(device_grid(answer), start, rounds=10)
        return strategy, str(ended.value)

    return diverging


def test_a_run_that_overflows_ends_and_keeps_the_model_before(diverging, watcher):
    # Round by round 2⁶³ · 2⁶³ is added: at the fourth it is 2¹²⁸, which float32 has not.
    strategy, said = diverging(2.0**63)
    assert said.startswith("round 4 diverged: its parameters are not finite; lower training.lr")
    assert strategy.model.tolist() == [np.float32(3) * np.float32(2.0**126), 0, 0]
    assert [outcome.round for outcome in watcher.outcomes] == [1, 2, 3, 4]


def test_a_run_that_is_out_at_once_keeps_nothing(diverging):
    strategy, said = diverging(2.0**70)
    assert said.startswith("round 1 diverged")
    assert strategy.model is None


def test_scores_are_asked_after_each_round(diverging):
    strategy, said = diverging(1.0, sound=lambda parameters: parameters[0] < 2.5 * 2.0**63)
    assert said.startswith("round 3 diverged: its scores are not finite")
    assert strategy.model.tolist() == [2.0**64, 0, 0]
