"""Whether a device is one of a simulation: then the run and the machine have one owner."""

import sys

from flwr.app import Context


class SimulatedContext(Context):
    """The context of a device that a researcher's own process makes.

    A SuperNode makes none: what marks a simulation is a type, which no configuration, message
    or node-config can carry.
    """


def simulated(context: Context) -> bool:
    """Says whether the paths in the run's configuration are of whoever owns this machine.

    They are in Darkroom's own simulation, and in Flower's, whose devices are actors of Ray. A
    SuperNode's are not, whatever its node-config says or leaves out: it is often started with
    the very ``partition-id`` and ``num-partitions`` that a simulated device has.
    """
    return isinstance(context, SimulatedContext) or _is_actor()


def _is_actor() -> bool:
    """Only Flower's simulation runs a device in an actor; a device itself never loads Ray."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return False
    return ray.get_runtime_context().get_actor_id() is not None
