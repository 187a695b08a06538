"""Five hundred rounds in which one device in ten is silent and one in ten answers wrongly."""

import itertools

import numpy as np
import pytest
from flwr.app import Array, Error, Message, RecordDict

from client.app import train_cohort
from protocol.codec import DELTA, VECTORS
from simulations.federation import federation

ROUNDS = 500
SETTINGS = (
    "photos.devices=40",
    "server.cohort=20",
    f"server.rounds={ROUNDS}",
    "simulation.evaluate_every=10",
    "simulation.dropout=0.1",
    "privacy.example.epsilon=null",
    "privacy.example.noise_multiplier=2",
    "privacy.example.max_participations=1000",
)


def vector(values):
    def spoilt(reply):
        reply.content.array_records[VECTORS][DELTA] = Array(np.float32(values))
        return reply

    return spoilt


def other_bytes(reply):
    array = reply.content.array_records[VECTORS][DELTA]
    array.data = array.data[:-3]
    return reply


SPOILT = (
    lambda reply: Message(Error(2, "gone"), reply_to=reply),
    lambda reply: Message(RecordDict(), reply_to=reply),
    vector([np.nan] * 64),
    vector([-3.4e38] * 64),
    vector([1]),
    vector(np.ones(1_000_000)),
    other_bytes,
)


@pytest.fixture
def hostile(monkeypatch):
    """One reply in ten is another one, each kind in turn."""
    kinds, places = itertools.cycle(SPOILT), itertools.count()

    def train(cohort, **named):
        return [
            next(kinds)(reply) if next(places) % 10 == 0 and reply.has_content() else reply
            for reply in train_cohort(cohort, **named)
        ]

    monkeypatch.setattr(federation, "train_cohort", train)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_five_hundred_rounds_leave_memory_and_open_files_as_they_were(
    simulated, tmp_path, hostile
):
    found = simulated(tmp_path, *SETTINGS)
    machine = {row["round"]: row["machine"] for row in found.rows}
    assert found.summary["status"] == "finished"
    assert max(machine) == ROUNDS
    reasons = {reason for row in found.counts for reason in row["refused"]}
    assert len(reasons) >= 5
    settled = [one for number, one in machine.items() if number >= 50]
    growth = settled[-1]["memory_mb"] / settled[0]["memory_mb"] - 1
    print()
    print(f"memory {settled[0]['memory_mb']} to {settled[-1]['memory_mb']} MB ({growth:.1%})")
    print(f"refused {sum(sum(row['refused'].values()) for row in found.counts)}")
    print(f"missing {sum(row['missing'] for row in found.counts)}")
    assert growth < 0.05
    assert {one["open_files"] for one in settled} == {settled[0]["open_files"]}
