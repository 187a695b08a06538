"""What is taken for a simulation, where a run may name paths; and what never is."""

import sys
from types import SimpleNamespace

import pytest
from flwr.app import Context, RecordDict

from client.consent.simulated import SimulatedContext, simulated

AS_IN_A_SIMULATION = {"partition-id": 0, "num-partitions": 4}


def context(kind=Context, **node_config):
    return kind(
        run_id=1,
        node_id=2,
        node_config=node_config,
        state=RecordDict(),
        run_config={"config": "{}", "simulated": True},
    )


@pytest.mark.parametrize(
    "node_config", [{}, AS_IN_A_SIMULATION, AS_IN_A_SIMULATION | {"simulated": True}]
)
def test_a_supernode_is_never_taken_for_a_simulation_whatever_it_is_given(node_config):
    assert not simulated(context(**node_config))


def test_a_device_that_this_process_made_is_one_of_a_simulation():
    assert simulated(context(SimulatedContext))


@pytest.mark.parametrize(
    ("begun", "actor", "expected"),
    [(False, None, False), (True, None, False), (True, "a1", True)],
)
def test_of_other_processes_an_actor_of_ray_alone_is(monkeypatch, begun, actor, expected):
    """A process that only started Ray is none."""
    at = SimpleNamespace(get_actor_id=lambda: actor)
    ray = SimpleNamespace(is_initialized=lambda: begun, get_runtime_context=lambda: at)
    monkeypatch.setitem(sys.modules, "ray", ray)
    assert simulated(context(**AS_IN_A_SIMULATION)) == expected


def test_without_ray_nothing_is_asked_of_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    assert not simulated(context(**AS_IN_A_SIMULATION))
    assert "ray" not in sys.modules
