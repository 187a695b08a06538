"""Every way to train the same load is timed in turn, against a loop without privacy."""

import itertools

import pytest
import torch
from rankings import ranker, ranking

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


def products(load):
    """The shapes of the products of a load: (rows, weights)."""
    kept = ranking(load.trained).inputs
    pairs = training_benchmark._products(load, ranker(load.trained), kept=kept)
    return [(left.shape, right.shape) for left, right in pairs]


def test_the_floor_has_a_product_for_each_layer_of_the_list_ranker():
    layers = [
        module
        for module in ranker("head").list_ranker.modules()
        if isinstance(module, torch.nn.Linear)
    ]
    # 2 devices × 3 moments × 2 photos are the rows of each.
    assert products(SMALL) == [
        ((1, 12, one.in_features), (1, one.in_features, one.out_features)) for one in layers
    ]


@pytest.mark.parametrize("trained", ["taste", "taste_scenes", "linear"])
def test_where_readings_are_kept_the_floor_has_what_weighs_them_alone(trained):
    load = Load(trained=trained, devices=2, steps=2, moments=3, photos=2)
    weighed = (10 + 23, 10 * 8, 64)
    assert products(load) == [((1, 12, count), (1, count, 1)) for count in weighed]


def test_of_the_encoder_a_product_has_a_row_for_each_place_of_the_picture():
    load = Load(trained="all", devices=1, steps=1, moments=1, photos=2)
    # The first convolution halves a side of 48, and sees 3 × 3 places of 8 channels.
    assert products(load)[0] == ((1, 2 * 24**2, 9 * 8), (1, 9 * 8, 16))


@pytest.mark.parametrize("trained", ["taste", "linear", "head", "lora", "all"])
def test_every_part_of_the_ranker_is_a_load(trained):
    assert trained in {load.trained for load in LOADS}
