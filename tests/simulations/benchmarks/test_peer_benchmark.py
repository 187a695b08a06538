"""Every peer has its turn in a process of its own, and a failure is not taken for speed."""

import sys
from pathlib import Path

import pytest

from simulations.benchmarks import peer_benchmark
from simulations.benchmarks.peer_benchmark import FLOWER, OPEN, OURS, PFL, Pace, paces


def test_ratios_are_of_medians_to_darkrooms_own():
    found = paces({OURS: [2.0, 1.0, 9.0], FLOWER: [20.0, 30.0], PFL: [1.0]})
    assert [(pace.way, pace.ratio) for pace in found] == [(OURS, 1), (FLOWER, 12.5), (PFL, 0.5)]


def test_every_framework_has_its_turn_before_the_first_one_has_another(monkeypatch, tmp_path):
    began = []

    def seconds(line):
        began.append(line)
        return [float(len(began))] * int(line[-1])

    (tmp_path / ".venv-peers/bin").mkdir(parents=True)
    (tmp_path / peer_benchmark.PEERS).touch()
    monkeypatch.setattr(peer_benchmark, "ROOT", tmp_path)
    monkeypatch.setattr(peer_benchmark, "seconds", seconds)
    ours, plain, flower, pfl = peer_benchmark.measure(rounds=2, turns=2)
    assert ours == Pace(way=OURS, seconds=(1, 1, 5, 5), ratio=1)
    assert plain == Pace(way=OPEN, seconds=(2, 2, 6, 6), ratio=4 / 3)
    assert flower == Pace(way=FLOWER, seconds=(3, 3, 7, 7), ratio=5 / 3)
    assert pfl == Pace(way=PFL, seconds=(4, 4, 8, 8), ratio=2)
    assert [Path(line[0]) for line in began[3::4]] == [tmp_path / peer_benchmark.PEERS] * 2


def test_a_peer_that_fails_is_not_taken_for_quick():
    with pytest.raises(RuntimeError, match="no such thing"):
        peer_benchmark.seconds([sys.executable, "-c", "raise OSError('no such thing')"])


def test_whoever_measures_peers_sends_nothing_to_anybody(monkeypatch):
    monkeypatch.setenv("FLWR_TELEMETRY_ENABLED", "1")
    program = "import json, os; print(json.dumps([int(os.environ['FLWR_TELEMETRY_ENABLED'])]))"
    assert peer_benchmark.seconds([sys.executable, "-c", program]) == [0]


@pytest.mark.slow
def test_rounds_of_all_that_is_installed_are_timed():
    found = peer_benchmark.measure(rounds=2, turns=1)
    assert [pace.way for pace in found][:3] == [OURS, OPEN, FLOWER]
    for pace in found:
        assert len(pace.seconds) == 2
        assert min(pace.seconds) > 0
