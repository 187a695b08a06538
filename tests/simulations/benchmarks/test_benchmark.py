"""`darkroom bench`: tables on the screen and, where a file is named, every figure in it."""

import json
import math

import pytest

from simulations.benchmarks import benchmark
from simulations.benchmarks.peer_benchmark import FLOWER, OURS, paces
from simulations.benchmarks.photo_benchmark import PhotoTiming
from simulations.benchmarks.scale_benchmark import Scale
from simulations.benchmarks.training_benchmark import PLAIN, Timing

SCALE = Scale(
    population=10**6, cohort=100, workers=2, seconds=5.0, start=0.25, memory=2**30, devices=50
)


@pytest.fixture
def measured(monkeypatch):
    """Takes the place of all measurements; remembers what was asked of them."""
    asked = []

    def training(load, *, repeats):
        asked.append(("repeats", repeats))
        return [Timing(load=str(load), way=PLAIN, seconds=(0.25, 0.5, 1.0), ratio=1.0)]

    def scale(config):
        asked.append(("cohort", config.server.cohort))
        return SCALE

    def peers(*, rounds, turns):
        asked.append(("turns", turns))
        return paces({OURS: [1.0], FLOWER: [4.0]})

    monkeypatch.setattr(benchmark.training_benchmark, "measure", training)
    monkeypatch.setattr(benchmark.scale_benchmark, "measure", scale)
    monkeypatch.setattr(benchmark.peer_benchmark, "measure", peers)
    monkeypatch.setattr(benchmark, "POPULATIONS", (10**6,))
    return asked


@pytest.fixture
def bench(measured, tmp_path):
    """Measures into a file; returns what was asked, and the file's content."""

    def bench(**flags):
        file = tmp_path / "figures.json"
        benchmark.bench(out=file, **({"quick": True, "peers": False} | flags))
        return measured, json.loads(file.read_text())

    return bench


def test_the_table_says_how_to_install_a_peer_that_is_missing(bench, capsys):
    bench(peers=True)
    shown = capsys.readouterr().out
    assert "4.00" in shown
    assert "make bench-peers" in shown


def test_the_file_holds_every_figure_that_was_measured(bench, tmp_path, capsys):
    _, found = bench(peers=True)
    assert set(found) == {"training", "peers", "scale"}
    assert found["training"][0]["seconds"] == [0.25, 0.5, 1.0]
    assert [pace["ratio"] for pace in found["peers"]] == [1, 4]
    assert found["scale"][0]["memory"] == 2**30
    assert f"written: {tmp_path / 'figures.json'}\n" in capsys.readouterr().out


def test_the_tables_are_in_units_that_one_reads(bench, capsys):
    bench()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [*PLAIN.split(), "500", "250", "1000", "1.00"] in rows
    # 5 s for 50 devices are 100 ms each; 2^30 bytes are 1024 MB.
    assert ["1,000,000", "50", "2", "0.2", "5.0", "100.0", "1024"] in rows


@pytest.mark.parametrize(
    ("quick", "repeats", "turns", "largest"), [(True, 2, 1, 100), (False, 5, 3, 10_000)]
)
def test_quick_measures_fewer_turns_and_no_large_cohort(bench, quick, repeats, turns, largest):
    asked, _ = bench(quick=quick, peers=True)
    assert {value for name, value in asked if name == "repeats"} == {repeats}
    assert ("turns", turns) in asked
    assert math.isclose(max(value for name, value in asked if name == "cohort"), largest)


def test_peers_are_measured_where_they_are_asked_for(bench):
    asked, found = bench()
    assert "turns" not in dict(asked)
    assert found["peers"] == []


@pytest.mark.parametrize(
    ("place", "message"),
    [("nowhere/x.json", "no file can be written in"), (".", "is a folder; name a file")],
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(
    measured, tmp_path, place, message
):
    with pytest.raises(ValueError, match=f"^--out .*{message}"):
        benchmark.bench(out=tmp_path / place, quick=True, peers=False)
    assert measured == []


def test_photographs_are_measured_alone_in_both_sizes_and_written(
    monkeypatch, tmp_path, capsys
):
    asked = []

    def measured(encoder, *, count, grain):
        asked.append((count, grain))
        named = {"photographs": count, "seconds": 2.0, "memory": 2**20}
        return [
            PhotoTiming(way="plain", processor=2.0, **named),
            PhotoTiming(way="ours", processor=0.5, **named),
        ]

    monkeypatch.setattr(benchmark.photo_benchmark, "measure", measured)
    benchmark.bench_photographs(1000, out=tmp_path / "figures.json")
    assert asked == [(1000, False), (100, True)]
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ours", "1,000", "2.00", "0.50", "4.0", "1"] in rows
    found = json.loads((tmp_path / "figures.json").read_text())["photographs"]
    assert [one["grain"] for one in found] == [False, False, True, True]
