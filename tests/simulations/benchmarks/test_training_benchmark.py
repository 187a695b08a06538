"""Every way to train the same load is timed in turn, against a loop without privacy."""

import itertools

import pytest
import torch

from ranking.model.build import build_ranker
from simulations.benchmarks import training_benchmark
from simulations.benchmarks.training_benchmark import FLOOR, LOADS, PLAIN, Load, measure

SMALL = Load(trained="head", devices=2, steps=2, moments=3, photos=2)
WAYS = [PLAIN, "bookkeeping", "bookkeeping, no privacy", "vmap", "opacus", FLOOR]


def test_every_way_trains_the_load_and_is_timed_after_a_turn_that_only_warms_up():
    found = measure(SMALL, repeats=2)
    assert [timing.way for timing in found] == WAYS
    assert {timing.load for timing in found} == {
        "head: 2 devices × 2 steps × 3 moments × 2 photos"
    }
    assert all(len(timing.seconds) == 2 and min(timing.seconds) > 0 for timing in found)
    assert found[0].ratio == 1


def test_ways_take_turns_and_ratios_are_of_medians(monkeypatch):
    clock = itertools.accumulate(itertools.count())
    began = []
    ways = {PLAIN: lambda: began.append("a"), "other": lambda: began.append("b")}
    monkeypatch.setattr(training_benchmark, "_ways", lambda load: ways)
    monkeypatch.setattr(training_benchmark.time, "perf_counter", lambda: next(clock))
    plain, other = measure(SMALL, repeats=3)
    assert began == ["a", "b"] * 4
    # The clock's n-th tick is n after the one before; a training that counts is one tick.
    assert plain.seconds == (3, 7, 11)
    assert other.seconds == (5, 9, 13)
    assert other.ratio == 9 / 7


def test_the_floor_has_three_products_for_each_layer_of_what_is_trained():
    ranker = build_ranker("head", generator=torch.Generator().manual_seed(0))
    pairs = list(training_benchmark._products(SMALL, ranker))
    layers = [
        module for module in ranker.list_ranker.modules() if isinstance(module, torch.nn.Linear)
    ]
    assert len(pairs) == len(layers)
    # 2 devices × 3 moments × 2 photos are the rows of each.
    assert [left.shape for left, _ in pairs] == [(1, 12, one.in_features) for one in layers]
    assert [right.shape for _, right in pairs] == [
        (1, one.in_features, one.out_features) for one in layers
    ]


def test_of_the_encoder_a_product_has_a_row_for_each_place_of_the_picture():
    load = Load(trained="all", devices=1, steps=1, moments=1, photos=2)
    ranker = build_ranker("all", generator=torch.Generator().manual_seed(0))
    first, _ = next(iter(training_benchmark._products(load, ranker)))
    # The first convolution halves a side of 48, and sees 3 × 3 places of 5 channels.
    assert first.shape == (1, 2 * 24**2, 45)


@pytest.mark.parametrize("trained", ["linear", "head", "lora", "all"])
def test_every_part_of_the_ranker_is_a_load(trained):
    assert trained in {load.trained for load in LOADS}
