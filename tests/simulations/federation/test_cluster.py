"""A Ray cluster trains parts of a cohort: the same bits, and it is told when it is gone."""

import gc
import socket
import warnings
from unittest.mock import MagicMock

import pytest
import ray
from bare_task import BareTask
from ray.exceptions import GetTimeoutError, RayActorError, RaySystemError

from client.app import WorkersLostError
from server.rounds.outcome import RoundOutcome
from simulations.configuration.hydra_bridge import compose
from simulations.federation import cluster
from simulations.federation.federation import federate

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


@pytest.fixture
def lent(monkeypatch):
    """A cluster of one actor for each outcome: what ``ray.get`` gives or raises for it."""

    def lent(*outcomes):
        left, killed = iter(outcomes), []

        def get(_, *, timeout=None):
            found = next(left)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(cluster, "_connect", lambda address: None)
        monkeypatch.setattr(cluster, "_begin", lambda *, gpu: MagicMock())
        monkeypatch.setattr(cluster.ray, "wait", lambda asked, **_: (asked, []))
        monkeypatch.setattr(cluster.ray, "get", get)
        monkeypatch.setattr(cluster.ray, "kill", killed.append)
        made = cluster.Cluster(1, address="head:6379", gpu=False)
        return made, killed

    return lent


def trained(made):
    return made.train_together([], BareTask(), lambda: None)


def test_an_actor_that_dies_is_replaced(lent):
    made, killed = lent(RayActorError(), [1.0])
    assert trained(made) == [1.0]
    assert len(killed) == 1


def test_actors_that_die_in_turn_end_the_run_in_one_sentence(lent):
    made, _ = lent(*[RayActorError()] * 3)
    with pytest.raises(WorkersLostError, match=r"address=head:6379: 3 workers in turn"):
        trained(made)


@pytest.mark.parametrize("failure", [RaySystemError("gcs"), ConnectionError(), RuntimeError()])
def test_a_cluster_that_is_gone_is_told_without_rays_own_words(lent, failure):
    made, _ = lent(failure)
    with pytest.raises(WorkersLostError, match=r"the Ray cluster is gone \(\w+\); start it"):
        trained(made)


def test_an_actor_that_does_not_say_that_it_is_there_is_given_up(lent, monkeypatch):
    made, killed = lent(GetTimeoutError(), [1.0])
    waits = iter([([], [1]), ([1], [])])
    monkeypatch.setattr(cluster.ray, "wait", lambda asked, **_: next(waits))
    assert trained(made) == [1.0]
    assert len(killed) == 1


@pytest.fixture(scope="module")
def released():
    """What one process releases in each round."""
    watch = Watch()
    federate(compose(SETTINGS), 200, observer=watch)
    return watch.released


@pytest.fixture(autouse=True)
def _end_of_ray():
    yield
    cluster.cluster.cache_clear()
    ray.shutdown()
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


@pytest.mark.slow
def test_a_cluster_of_two_nodes_lends_workers_on_both(released):
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        words = [*SETTINGS, "simulation.workers=2", f"simulation.address={nodes.address}"]
        watch = Watch()
        federate(compose(words), 200, observer=watch)
        assert [node["Resources"]["CPU"] for node in ray.nodes()] == [1, 1]
        assert ray.available_resources().get("CPU", 0) == 0
        assert watch.released == released
    finally:
        ray.shutdown()
        nodes.shutdown()


def test_an_address_where_nothing_listens_is_refused_within_seconds():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        for form in (address, f"ray://{address}"):
            with pytest.raises(ValueError, match=r"simulation\.address=.*no Ray cluster"):
                cluster.cluster(1, address=form, gpu=False)


@pytest.mark.slow
def test_more_workers_than_the_cluster_has_cores_are_refused(monkeypatch):
    from ray.cluster_utils import Cluster

    monkeypatch.setattr(cluster, "PATIENCE", 30.0)
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        with pytest.raises(ValueError, match=r"simulation\.workers=2: .*lends 1 process"):
            cluster.cluster(2, address=nodes.address, gpu=False)
    finally:
        nodes.shutdown()


def test_no_cluster_at_the_address_is_one_sentence(monkeypatch):
    def refuse(**options):
        raise ConnectionError

    monkeypatch.setattr(cluster.ray, "init", refuse)
    with pytest.raises(ValueError, match=r"simulation\.address=auto: no Ray cluster"):
        cluster.cluster(1, address="auto", gpu=False)
