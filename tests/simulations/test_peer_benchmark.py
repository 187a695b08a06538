import json
import sys

import pytest
import torch

from client.disk_cache import DiskCache
from ranking.parameters import module_digest
from server.model import initial_ranker
from simulations import benchmark, peer_benchmark
from simulations.peer_benchmark import FLOWER, OURS, PFL, paces


def test_ratios_are_of_medians_to_darkrooms_own():
    found = paces({OURS: [2.0, 1.0, 9.0], FLOWER: [20.0, 30.0], PFL: [1.0]})
    assert [(pace.way, pace.ratio) for pace in found] == [(OURS, 1), (FLOWER, 12.5), (PFL, 0.5)]


def test_every_device_of_the_work_has_its_lists_at_hand():
    with peer_benchmark._work(3) as config:
        encoder = module_digest(initial_ranker(config.ranking, seed=config.seed).encoder)
        cache = DiskCache(
            peer_benchmark.Path(str(config.simulation.cache)),
            photos=config.photos,
            seed=config.seed,
            encoder=encoder,
        )
        kept = [cache.get(device, lambda: pytest.fail("made again")) for device in range(50)]
    assert {tuple(one.inputs.shape) for one in kept} == {(50, 12, 64)}
    assert not torch.equal(kept[0].inputs, kept[1].inputs)
    assert (config.training.steps, config.training.rate) == (5, 0.2)


def test_a_peer_that_fails_is_not_taken_for_quick():
    with pytest.raises(RuntimeError, match="no such thing"):
        peer_benchmark._last_line([sys.executable, "-c", "raise OSError('no such thing')"])


def test_the_table_says_how_to_install_a_peer_that_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(
        peer_benchmark, "measure", lambda *, rounds: paces({OURS: [1.0], FLOWER: [4.0]})
    )
    benchmark._peers(benchmark.Console(width=100), rounds=2)
    shown = capsys.readouterr().out
    assert "4.00" in shown
    assert "make bench-peers" in shown


@pytest.mark.slow
def test_rounds_of_darkroom_and_of_flowers_simulation_are_timed():
    for name in ("_darkroom", "_flower"):
        seconds = peer_benchmark._apart(name, 2)
        assert len(json.loads(json.dumps(seconds))) == 2
        assert min(seconds) > 0
