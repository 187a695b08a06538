"""Ray trains parts of a cohort: the same bits from any number of processes."""

import gc
import socket
import warnings

import pytest
import ray
from safetensors.torch import load_file

from server.rounds.outcome import RoundOutcome
from simulations.configuration.hydra_bridge import compose
from simulations.federation import workers
from simulations.federation.federation import federate
from simulations.simulate import simulate

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
SETTINGS = (
    "photos.devices=200",
    "photos.held_out_devices=2",
    "photos.side=16",
    "ranking=linear",
    "ranking.weights=null",
    "server.cohort=150",
    "server.rounds=2",
    "privacy.noise=insecure_seeded",
    "simulation.reference=false",
)


class Watch:
    """Follows a run and keeps what was released."""

    def __init__(self, at_second_round=lambda: None):
        self.outcomes = []
        self._at_second_round = at_second_round

    def started(self, number, *, cohort):
        self.cohort = cohort
        if number == 2:
            self._at_second_round()

    def replied(self):
        pass

    def closed(self, outcome: RoundOutcome):
        self.outcomes.append((self.cohort, outcome))

    @property
    def released(self):
        return [outcome.parameters.tobytes() for _, outcome in self.outcomes]


@pytest.fixture(scope="module")
def released():
    """What one process releases in each round."""
    watch = Watch()
    federate(compose(SETTINGS), 200, observer=watch)
    return watch.released


@pytest.fixture(autouse=True)
def _end_of_ray():
    yield
    workers.workers.cache_clear()
    ray.shutdown()
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_any_number_of_workers_releases_the_same_bits(released, count):
    watch = Watch()
    federate(compose([*SETTINGS, f"simulation.workers={count}"]), 200, observer=watch)
    assert watch.released == released


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_every_device_counts_once(released):
    def kill_one():
        idle = workers.workers(2, address=None, gpu=False)._idle
        actor = idle.get()
        ray.kill(actor)
        idle.put(actor)

    watch = Watch(kill_one)
    federate(compose([*SETTINGS, "simulation.workers=2"]), 200, observer=watch)
    assert watch.released == released
    assert all(outcome.admitted == cohort for cohort, outcome in watch.outcomes)


@pytest.mark.slow
def test_a_cluster_of_two_nodes_lends_workers_on_both(released):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        words = [*SETTINGS, "simulation.workers=2", f"simulation.address={cluster.address}"]
        watch = Watch()
        federate(compose(words), 200, observer=watch)
        assert [node["Resources"]["CPU"] for node in ray.nodes()] == [1, 1]
        assert ray.available_resources().get("CPU", 0) == 0
        assert watch.released == released
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.slow
def test_workers_serve_a_whole_run_and_its_reference(tmp_path):
    models = []
    for count in (1, 2):
        words = [
            *SETTINGS,
            "server.rounds=1",
            "simulation.reference=true",
            f"simulation.workers={count}",
            f"simulation.runs={tmp_path / str(count)}",
        ]
        assert simulate(compose(words), overrides=words) == 0
        (folder,) = (tmp_path / str(count)).iterdir()
        models.append(load_file(folder / "private/without-privacy/private/model.safetensors"))
    assert all((models[0][name] == models[1][name]).all() for name in models[0])


def test_an_address_where_nothing_listens_is_refused_within_seconds():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        for form in (address, f"ray://{address}"):
            with pytest.raises(ValueError, match=r"simulation\.address=.*no Ray cluster"):
                workers.workers(1, address=form, gpu=False)


@pytest.mark.slow
def test_more_workers_than_the_cluster_has_cores_are_refused(monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setattr(workers, "PATIENCE", 8.0)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        with pytest.raises(ValueError, match=r"simulation\.workers=2: .*lends 1 process"):
            workers.workers(2, address=cluster.address, gpu=False)
    finally:
        cluster.shutdown()


def test_no_cluster_at_the_address_is_one_sentence(monkeypatch):
    def refuse(**options):
        raise ConnectionError

    monkeypatch.setattr(workers.ray, "init", refuse)
    with pytest.raises(ValueError, match=r"simulation\.address=auto: no Ray cluster"):
        workers.workers(1, address="auto", gpu=False)
