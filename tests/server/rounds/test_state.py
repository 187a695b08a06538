"""A server goes on from its state to the bits that it would have come to without an end."""

import dataclasses

import numpy as np
import pytest
from privacy_settings import ADAPTIVE, GAUSSIAN, MATRIX

from privacy.mechanisms.base.unit_settings import Federation
from protocol.codec import decode_task, encode_update
from protocol.messages import Update
from protocol.optimizers import Adam, Momentum, Sgd, Yogi
from server.charged_release import charged_release
from server.rounds.directory import RangeDirectory
from server.rounds.state import Resumption
from server.rounds.strategy import RoundStrategy
from server.rounds.task_messages import RunTerms
from simulations.runs.checkpoints.checkpoint import Checkpoint, Counts

DEVICES, FIRST, ROUNDS, SIZE = 8, 100, 6, 3
GIVEN = {"epsilon": None, "noise_multiplier": 1.0, "delta": 1e-3}
CENTRAL = {
    "gaussian": dataclasses.replace(GAUSSIAN, **GIVEN),
    "layers": dataclasses.replace(GAUSSIAN, **GIVEN, clipping="layers"),
    "integers": dataclasses.replace(GAUSSIAN, **GIVEN, numbers="integers"),
    "adaptive": dataclasses.replace(ADAPTIVE, **GIVEN),
    "banded": dataclasses.replace(MATRIX, **GIVEN, separation=2),
    "buffered": dataclasses.replace(MATRIX, **GIVEN, strategy="buffered", separation=2),
    "bands": dataclasses.replace(MATRIX, **GIVEN, participation="bands", separation=2),
}
MECHANISMS = {"none": None, **CENTRAL}
OPTIMIZERS = {
    "sgd": Sgd(lr=0.7),
    "momentum": Momentum(lr=0.7, beta1=0.9),
    "adam": Adam(lr=0.1, beta1=0.9, beta2=0.99, tau=1e-3),
    "yogi": Yogi(lr=0.1, beta1=0.9, beta2=0.99, tau=1e-3),
}


def answered(message):
    """An update that depends on the device and on the parameters."""
    from flwr.app import Message

    task = decode_task(message.content)
    number = message.metadata.dst_node_id - FIRST
    delta = np.float32(np.sin(task.parameters + number) / 4)
    update = Update(round=task.round, attempt=task.attempt, delta=delta)
    return Message(encode_update(update), reply_to=message)


@pytest.fixture
def served(settings, terms, watcher, device_grid, start):
    """Runs rounds from a state, or from the start; returns the watcher's outcomes."""

    def served(device, optimizer, *, rounds, resumption=None, noise="insecure_seeded"):
        chosen = dataclasses.replace(
            settings, cohort=3.0, rounds=ROUNDS, averaged=2, optimizer=optimizer
        )
        run = Federation(devices=DEVICES, rounds=ROUNDS, cohort=3.0)
        release = charged_release(
            None if device is None else device.protected(run),
            noise=noise,
            layers=(2, 1),
            seed=4,
            folder="",
        )
        asked = RunTerms(
            visit=terms, largest_library=10, frozen=np.float32([7]), digest="d" * 64
        )
        strategy = RoundStrategy(
            chosen,
            asked,
            seed=11,
            directory=RangeDirectory(FIRST, DEVICES),
            observer=watcher,
            release=release,
        )
        if resumption is not None:
            strategy.resume(resumption)
        before = len(watcher.outcomes)
        grid = device_grid(answered)
        strategy.run(grid, start, rounds=rounds)
        return watcher.outcomes[before:], grid

    return served


def through_a_file(state):
    """A state as the next process has it: written and read again."""
    checkpoint = Checkpoint(
        server=state,
        heads={},
        counts=Counts(),
        rows=0,
        judged_round=0,
        judged=state.model,
        config={},
        code="",
    )
    return Checkpoint.of_bytes(checkpoint.to_bytes()).server


def bits(outcome):
    return (
        outcome.round,
        outcome.participants,
        outcome.parameters.tobytes(),
        dict(outcome.released),
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_each_round_that_follows_is_the_same_bit_for_bit(served, mechanism, optimizer):
    device, step = MECHANISMS[mechanism], OPTIMIZERS[optimizer]
    whole, _ = served(device, step, rounds=ROUNDS)
    half, _ = served(device, step, rounds=3)
    state = through_a_file(half[-1].state())
    later, _ = served(
        device, step, rounds=ROUNDS, resumption=Resumption(state=state, rounds=ROUNDS)
    )
    assert [bits(one) for one in (*half, *later)] == [bits(one) for one in whole]
    assert len({one.parameters.tobytes() for one in whole}) == ROUNDS


@pytest.mark.parametrize("mechanism", CENTRAL)
def test_a_state_is_a_copy_that_later_rounds_do_not_change(served, mechanism):
    device = CENTRAL[mechanism]
    (first, *_), _ = served(device, OPTIMIZERS["sgd"], rounds=1)
    state = first.state()
    before = {name: one.copy() for name, one in state.release.items()}
    served(device, OPTIMIZERS["sgd"], rounds=3, resumption=Resumption(state=state, rounds=3))
    assert all((state.release[name] == one).all() for name, one in before.items())


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_only_correlated_noise_must_not_be_drawn_anew(served, mechanism):
    (first, *_), _ = served(MECHANISMS[mechanism], OPTIMIZERS["sgd"], rounds=1)
    assert first.state().repeatable == (mechanism not in ("banded", "buffered", "bands"))


@pytest.mark.parametrize("mechanism", CENTRAL)
def test_the_state_of_another_mechanism_is_refused_in_a_sentence(served, mechanism):
    other = "adaptive" if mechanism != "adaptive" else "banded"
    (first, *_), _ = served(CENTRAL[other], OPTIMIZERS["sgd"], rounds=1)
    with pytest.raises(ValueError, match=r"must be one of|must have the shape"):
        served(
            CENTRAL[mechanism],
            OPTIMIZERS["sgd"],
            rounds=2,
            resumption=Resumption(state=first.state(), rounds=2),
        )


def test_the_next_attempt_of_a_round_says_so_to_its_devices_and_draws_another_cohort(served):
    (first, *_), _ = served(None, OPTIMIZERS["sgd"], rounds=1)
    attempts = {2: 3}
    later, grid = served(
        None,
        OPTIMIZERS["sgd"],
        rounds=3,
        resumption=Resumption(state=first.state(), rounds=3, attempts=attempts),
    )
    asked = [decode_task(message.content) for message in grid.sent]
    tries = {(one.round, one.attempt) for one in asked}
    assert tries == {(2, 3), (3, 0)}
    assert all(outcome.admitted == outcome.invited for outcome in later)


def test_a_run_that_was_over_does_nothing_more(served, start):
    (*_, last), _ = served(None, OPTIMIZERS["sgd"], rounds=2)
    later, grid = served(
        None,
        OPTIMIZERS["sgd"],
        rounds=2,
        resumption=Resumption(state=last.state(), rounds=2),
    )
    assert (later, grid.sent) == ([], [])
