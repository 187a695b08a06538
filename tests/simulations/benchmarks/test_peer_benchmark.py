import ast
import dataclasses
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from client.embeddings.disk_cache import DiskCache
from ranking.initial import initial_ranker
from ranking.model.build import build_ranker, trainable_names
from ranking.model.list_ranker import ListRanker
from ranking.parameters import flatten, module_digest
from server.rounds.outcome import RoundOutcome
from simulations.benchmarks import benchmark, peer_benchmark, peer_rounds
from simulations.benchmarks.peer_benchmark import FLOWER, OPEN, OURS, PFL, ROOT, Pace, paces
from simulations.benchmarks.peer_work import lists


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


def test_the_work_is_five_batches_of_ten_lists_that_every_device_has_at_hand():
    with peer_rounds.terms(3) as config:
        encoder = module_digest(initial_ranker(config.ranking, seed=config.seed).encoder)
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


def test_pfl_trains_what_darkrooms_devices_train():
    ranker = build_ranker("head", generator=torch.Generator().manual_seed(0))
    whole = sum(value.numel() for value in ListRanker().parameters())
    taste = ListRanker().taste.weight.numel()
    assert flatten(ranker, trainable_names(ranker, "head")).size == whole - taste == 35_713


def test_pfls_interpreter_needs_nothing_of_ours_but_the_model():
    ours, others = ["simulations.benchmarks.pfl_peer"], set()
    for name in ours:  # it grows
        for module in imported_by(ROOT / f"{name.replace('.', '/')}.py"):
            if module.startswith(("ranking.", "simulations.")):
                ours += [module] if module not in ours else []
            else:
                others.add(module.partition(".")[0])
    assert others - set(sys.stdlib_module_names) == {"numpy", "pfl", "torch"}


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_a_peer_that_fails_is_not_taken_for_quick():
    with pytest.raises(RuntimeError, match="no such thing"):
        peer_benchmark.seconds([sys.executable, "-c", "raise OSError('no such thing')"])


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


def test_whoever_measures_peers_sends_nothing_to_anybody(monkeypatch):
    monkeypatch.setenv("FLWR_TELEMETRY_ENABLED", "1")
    program = "import json, os; print(json.dumps([int(os.environ['FLWR_TELEMETRY_ENABLED'])]))"
    assert peer_benchmark.seconds([sys.executable, "-c", program]) == [0]


def test_the_table_says_how_to_install_a_peer_that_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(
        peer_benchmark, "measure", lambda **_: paces({OURS: [1.0], FLOWER: [4.0]})
    )
    benchmark._peers(benchmark.Console(width=100), turns=1)
    shown = capsys.readouterr().out
    assert "4.00" in shown
    assert "make bench-peers" in shown


@pytest.mark.slow
def test_rounds_of_all_that_is_installed_are_timed():
    found = peer_benchmark.measure(rounds=2, turns=1)
    assert [pace.way for pace in found][:3] == [OURS, OPEN, FLOWER]
    for pace in found:
        assert len(pace.seconds) == 2
        assert min(pace.seconds) > 0
