"""The baselines: all moments in one place, and each device alone."""

import dataclasses

import numpy as np
import pytest

from client.engine import Trained
from server.model import ServerModel
from simulations.configuration.hydra_bridge import compose
from simulations.evaluation.judge import Judge
from simulations.federation.federation import federate
from simulations.runs import baselines
from simulations.runs.run import population

OPEN = ("privacy/example=none", "training.lr=0.1")


class Watcher:
    """Follows a run and says nothing."""

    def started(self, number, *, cohort):
        pass

    replied = closed = lambda self, *_: None


class StandIn:
    """An engine of which each device comes one step further than the one before it."""

    def __init__(self):
        self.asked = []

    def train(self, parameters, visits, *, terms):
        for number, visit in enumerate(visits):
            self.asked.append((terms, visit.examples))
            delta = np.full_like(parameters, number, dtype=np.float32)
            yield Trained(delta=delta, non_finite=0)


def protection(config):
    return config.protection(devices=config.photos.devices)


@pytest.fixture
def stand_in(monkeypatch):
    engine = StandIn()
    monkeypatch.setattr(baselines, "build_engine", lambda *_: engine)
    return engine


@pytest.fixture(scope="module")
def composed(tiny):
    """Composes a baseline over the small population: its settings, its source, its judge."""

    def composed(*words):
        config = compose([*tiny, *OPEN, *words])
        source, held_out = population(config.photos, config.seed)
        start = ServerModel.initial(config.ranking, seed=config.seed)
        named = {"loss": config.ranking.loss, "frozen_encoder": True}
        return config, source, Judge(start.ranker, start.names, held_out, **named)

    return composed


@pytest.mark.parametrize("algorithm", ["local_only", "centralised"])
def test_the_baselines_run_without_privacy(simulated, tmp_path, algorithm):
    found = simulated(tmp_path, *OPEN, f"simulation.algorithm={algorithm}").summary
    assert found["privacy"] is None
    figures = found["simulation_only"]
    assert figures["after_by_device"] != figures["before_by_device"]


def test_with_one_whole_step_a_visit_training_in_one_place_is_the_federated_run(composed):
    words = ("server.cohort=6", "server.rounds=3", "training.rate=1", "training.lr=0.5")
    config, source, judge = composed(*words)
    together = baselines.centralised(config, source, protection(config), judge=judge)
    assert not np.array_equal(together, judge.start)
    apart = federate(config, source.devices, observer=Watcher())
    np.testing.assert_allclose(together, apart, atol=1e-6)


def test_training_in_one_place_has_the_steps_of_all_rounds_and_the_moments_of_a_cohort(
    composed, stand_in
):
    words = ("server.rounds=5", "training.steps=3", "server.cohort=2", "training.rate=0.25")
    config, source, judge = composed(*words, "training.reference_size=16")
    baselines.centralised(config, source, protection(config), judge=judge)
    ((terms, everything),) = stand_in.asked
    # Of each of 2 devices expected in a round 0.25 · 16 moments are drawn: 8 of all.
    moments = len(everything.numbers)
    assert (terms.steps, terms.denominator) == (15, 8.0)
    assert terms.rate == 8 / moments
    assert everything.numbers.tolist() == list(range(moments))
    assert everything.where.any(dim=1).all()


@pytest.mark.parametrize(
    ("rounds", "cohort", "steps", "expected"),
    # Visits of a device on average: 6 · 2 / 6 = 2, 5 · 4 / 6 = 3.33, 1 · 1 / 6 = 0.17.
    [(6, 2, 2, 4), (5, 4, 3, 10), (1, 1, 2, 1)],
)
def test_alone_a_device_takes_the_steps_of_a_device_of_the_federated_run(
    composed, stand_in, rounds, cohort, steps, expected
):
    words = (f"server.rounds={rounds}", f"server.cohort={cohort}", f"training.steps={steps}")
    config, source, judge = composed(*words)
    baselines.local_only(config, source, protection(config), judge=judge)
    assert [terms.steps for terms, _ in stand_in.asked] == [expected] * 2


def test_alone_each_device_is_judged_by_the_model_that_it_came_to_itself(composed, stand_in):
    config, source, judge = composed()
    last, found = baselines.local_only(config, source, protection(config), judge=judge)
    assert np.array_equal(last, judge.start + np.float32(1))
    for device in range(2):
        alone = judge.figures(judge.start + np.float32(device))
        assert found.ndcg[1][device] == alone.ndcg[1][device]
        assert found.best_shot[device] == alone.best_shot[device]


def test_no_held_out_moment_is_trained_on(composed, stand_in):
    config, source, judge = composed()
    baselines.local_only(config, source, protection(config), judge=judge)
    held_out = judge.held_out
    for index, (_, own) in enumerate(stand_in.asked):
        kept = set(held_out.numbers[held_out.device_of == index].tolist())
        trained = set(own.numbers.tolist())
        assert kept
        assert trained
        assert not kept & trained


def test_a_baseline_of_one_seed_is_the_same_bit_for_bit(composed):
    config, source, judge = composed("training.rate=0.5")
    one, two = (
        baselines.centralised(config, source, protection(config), judge=judge) for _ in range(2)
    )
    assert (one == two).all()
    other = dataclasses.replace(config, seed=1)
    assert not np.array_equal(
        one, baselines.centralised(other, source, protection(other), judge=judge)
    )
