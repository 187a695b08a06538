"""The rounds that are timed are whole, and do the work that they are said to do."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from client.embeddings.disk_cache import DiskCache
from client.model import encoder_digest
from ranking.initial import initial_ranker
from server.rounds.outcome import RoundOutcome
from simulations.benchmarks import peer_rounds
from simulations.benchmarks.peer_work import DEVICES, WARM_UP, lists


def test_the_work_is_five_batches_of_ten_lists_that_every_device_has_at_hand():
    with peer_rounds.work(3) as config:
        encoder = encoder_digest(initial_ranker(config.ranking, seed=config.seed).encoder)
        cache = DiskCache(
            Path(str(config.simulation.cache)),
            photos=config.photos,
            seed=config.seed,
            encoder=encoder,
        )
        kept = [cache.get(device, lambda: pytest.fail("made again")) for device in range(50)]
    assert {tuple(one.inputs.shape) for one in kept} == {(50, 12, 64)}
    assert not torch.equal(kept[0].inputs, kept[1].inputs)
    inputs, gains = lists(7)
    assert torch.equal(kept[7].inputs, inputs)
    assert torch.equal(kept[7].gains, gains)
    assert (config.training.steps, config.training.rate) == (5, 0.2)


def test_a_round_that_lost_an_update_is_not_taken_for_quick():
    outcome = RoundOutcome(
        round=1,
        parameters=np.zeros(1, dtype=np.float32),
        invited=50,
        admitted=50,
        declined=Counter(),
        refused=Counter(),
        missing=0,
        participants=tuple(range(50)),
    )
    watch = peer_rounds.Stopwatch()
    for admitted in (50, 49):
        watch.closed(dataclasses.replace(outcome, admitted=admitted))
        if admitted == 50:
            assert len(watch.whole_rounds(1)) == 1
    for rounds in (1, 2, 3):
        with pytest.raises(RuntimeError, match=r"not \[50, 49\]"):
            watch.whole_rounds(rounds)


def test_the_embeddings_are_lent_and_leave_nothing_behind():
    with peer_rounds.work(1) as config:
        assert any(Path(config.simulation.cache).iterdir())
    assert not Path(config.simulation.cache).exists()


def test_a_round_lasts_from_the_end_of_the_one_before(monkeypatch):
    times = iter([10.0, 11.0, 14.0])
    monkeypatch.setattr(peer_rounds.time, "perf_counter", lambda: next(times))
    watch = peer_rounds.Stopwatch(began=next(times))
    for number in (1, 2):
        watch.started(number, cohort=DEVICES)
        watch.closed(Closed())
    assert watch.whole_rounds(2) == [1.0, 3.0]


class Closed:
    """A round in which every update counted."""

    admitted = DEVICES


def test_what_is_reported_are_the_rounds_after_the_warm_up(monkeypatch, capsys):
    asked = []

    class Watch:
        def whole_rounds(self, rounds):
            asked.append(rounds)
            return [float(number) for number in range(rounds)]

    monkeypatch.setitem(peer_rounds.RUNS, "darkroom", lambda config: Watch())
    peer_rounds.report("darkroom", rounds=3)
    assert asked == [3 + WARM_UP]
    assert json.loads(capsys.readouterr().out) == [2.0, 3.0, 4.0]


def test_the_open_run_differs_by_its_privacy_alone(monkeypatch):
    ran = []
    monkeypatch.setattr(
        peer_rounds, "federate", lambda config, devices, observer: ran.append((config, devices))
    )
    with peer_rounds.work(1) as config:
        peer_rounds.darkroom(config)
        peer_rounds.open_darkroom(config)
    (ours, devices), (plain, of_plain) = ran
    assert devices == of_plain == DEVICES
    assert ours.privacy.example.protects
    assert not plain.privacy.protects
    assert dataclasses.replace(plain, privacy=ours.privacy) == ours
