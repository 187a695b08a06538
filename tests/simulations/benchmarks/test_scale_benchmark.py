"""What a round costs: the runs that are measured, and what one of them says."""

import json

import pytest
import torch

from protocol.rebuild import to_json
from simulations.benchmarks import scale_benchmark
from simulations.benchmarks.scale_benchmark import Scale, overrides
from simulations.configuration.hydra_bridge import compose


def sizes(populations, cohorts):
    for words in overrides(populations, cohorts):
        said = dict(word.split("=") for word in words)
        yield tuple(
            int(said[name])
            for name in ("photos.devices", "server.cohort", "simulation.workers")
        )


def test_cohorts_grow_then_populations_and_no_run_is_measured_twice():
    assert list(sizes((100, 1000), (5, 20))) == [
        (1000, 5, 1),
        (1000, 20, 1),
        (100, 20, 1),
        (1000, 20, 2),
    ]


def test_two_workers_get_at_most_a_thousand_devices():
    assert list(sizes((10**5,), (10, 100, 10_000)))[-1] == (10**5, 1_000, 2)


def test_every_run_composes_and_protects_moments_alone():
    for words in overrides((100, 1000), (5, 20)):
        config = compose(words)
        assert config.server.rounds == 1
        assert config.privacy.example.protects
        assert not config.privacy.device.protects


class Ear:
    """Hears what the process of a run sends."""

    def send(self, text):
        self.heard = text


@pytest.fixture(scope="module")
def ran(tiny):
    ear = Ear()
    threads = torch.get_num_threads()
    scale_benchmark._run(to_json(compose([*tiny, "server.cohort=6"])), ear)
    torch.set_num_threads(threads)
    return Scale(**json.loads(ear.heard))


def test_a_run_tells_its_sizes_and_what_its_last_round_cost(ran):
    assert (ran.population, ran.cohort, ran.workers, ran.devices) == (6, 6, 1, 6)
    assert ran.seconds > 0
    assert ran.start > 0


def test_the_peak_is_of_this_process_and_in_bytes(ran):
    before = scale_benchmark.peak()
    held = torch.ones(2**25)
    assert scale_benchmark.peak() >= max(before, held.nbytes, ran.memory)
    # torch alone is more than 64 MB, and no test has as much as 64 GB.
    assert 2**26 < ran.memory < 2**36
