"""Processes of a Ray cluster that train devices; who may reach it is the user's affair."""

import logging
import socket
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from queue import SimpleQueue
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from client.app import WorkersLostError
from client.local_device import Frozen, LocalDevice, train_together
from protocol.messages import Task, Vector
from simulations.federation.workers import SILENCE, TRIES

PATIENCE = 60.0
"""Seconds in which all workers must have begun. Each imports torch first, many at once."""

PROBE = 3.0
"""Seconds in which a cluster must take a connection. Ray itself would try for minutes."""

ASKED_EVERY = 10.0
"""Seconds after which a worker at work is asked whether it is there. One that was stopped is
waited for for ever otherwise, for Ray counts it as alive."""

log = logging.getLogger(__name__)


class Cluster:
    """Actors that train one part of a cohort after another, whichever is idle the next part.

    Updates have the same bits as in this process, for a part is the same wherever it is
    trained, on one thread; on another kind of processor up to rounding.

    An actor that dies or falls silent is replaced and its part trained anew: nothing of the
    lost try had left it, so a device is charged once.
    """

    def __init__(self, count: int, *, address: str, gpu: bool) -> None:
        """Begins ``count`` processes of one core each, which share a GPU where ``gpu``.

        Raises:
            ValueError: There is no cluster at ``address``, or it has too few free cores.
        """
        _connect(address)
        self._address = address
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._gpu = 1 / count if gpu else 0.0
        actors = [_begin(gpu=self._gpu) for _ in range(count)]
        ready, _ = ray.wait(
            [actor.ready.remote() for actor in actors], num_returns=count, timeout=PATIENCE
        )
        if len(ready) < count:
            ray.shutdown()
            raise ValueError(
                f"simulation.workers={count}: the Ray cluster lends {len(ready)} processes of "
                "one core now; lower it or add nodes."
            )
        for actor in actors:
            self._idle.put(actor)

    def train_together(
        self, devices: Sequence[LocalDevice], task: Task, frozen: Frozen
    ) -> Sequence[Vector]:
        """Same as ``client.local_device``; may be called from several threads.

        Raises:
            WorkersLostError: Three actors died of these devices, or the cluster is gone.
        """
        given = (list(devices), replace(task, frozen=None), frozen())
        actor = self._idle.get()
        try:
            for _ in range(TRIES):
                try:
                    return list(_answer(actor, given))
                except (RayActorError, GetTimeoutError):
                    log.warning("a worker is gone; its devices are trained by another")
                    ray.kill(actor)
                    actor = _begin(gpu=self._gpu)
        except RayTaskError:
            raise
        except (RayError, OSError, RuntimeError) as failure:
            raise WorkersLostError(
                f"simulation.address={self._address}: the Ray cluster is gone "
                f"({type(failure).__name__}); start it again, or leave the setting null."
            ) from failure
        finally:
            self._idle.put(actor)
        raise WorkersLostError(
            f"simulation.address={self._address}: {TRIES} workers in turn were lost over the "
            "same devices; lower simulation.workers, or leave the setting null."
        )

    def close(self) -> None:
        """Leaves the cluster, which ends the actors; whoever waits for one is told."""
        cluster.cache_clear()
        ray.shutdown()


def _answer(actor: Any, given: tuple[Any, ...]) -> Any:
    """What the actor comes to; one that does not say that it is there is waited for no longer.

    Raises:
        GetTimeoutError: It was silent for ``SILENCE`` seconds.
    """
    trained = actor.train.remote(*given)
    while not ray.wait([trained], timeout=ASKED_EVERY)[0]:
        ray.get(actor.ready.remote(), timeout=SILENCE)
    return ray.get(trained)


class _Worker:
    """What runs in an actor: models and embeddings stay there from part to part."""

    def __init__(self) -> None:
        torch.set_num_threads(1)

    def ready(self) -> None:
        """Returns when the process is there."""

    def train(
        self, devices: Sequence[LocalDevice], task: Task, frozen: Vector
    ) -> NDArray[np.float32]:
        """[devices, trainable] differences."""
        return np.stack(list(train_together(devices, task, lambda: frozen)))


@lru_cache(maxsize=1)
def cluster(count: int, *, address: str, gpu: bool) -> Cluster:
    """Returns the workers that the cluster lends, which keep embeddings from run to run."""
    return Cluster(count, address=address, gpu=gpu)


def _begin(*, gpu: float) -> Any:
    # Two threads: one trains, the other says that the process is there.
    options = {"num_cpus": 1, "num_gpus": gpu, "max_restarts": 0, "max_concurrency": 2}
    return ray.remote(**options)(_Worker).remote()


def _connect(address: str) -> None:
    ray.shutdown()
    try:
        _probe(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as failure:
        raise ValueError(
            f"simulation.address={address}: no Ray cluster answers there; start one with "
            "`ray start --head`, or leave the setting null."
        ) from failure


def _probe(address: str) -> None:
    """Knocks where a cluster should be: Ray itself would knock for minutes, deaf to Ctrl-C."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=PROBE).close()
