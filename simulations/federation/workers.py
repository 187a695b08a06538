"""Processes that train devices, on Ray: on this machine or on a cluster."""

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
from ray.exceptions import RayActorError

from client.local_device import Frozen, LocalDevice, train_together
from protocol.messages import Task, Vector

TRIES = 3
"""Workers that may die of the same devices before the run ends. With one it ends with
the first; without a limit devices that end each process are trained for ever."""

PATIENCE = 60.0
"""Seconds in which all workers must have begun. Each imports torch first, many at once."""

PROBE = 3.0
"""Seconds in which a cluster must take a connection. Ray itself would try for minutes."""

log = logging.getLogger(__name__)


class Workers:
    """Actors that train one part of a cohort after another, whichever is idle the next part.

    Updates have the same bits as in this process, for a part is the same wherever it is
    trained, on one thread; on another kind of processor up to rounding.

    An actor that dies is replaced and its part trained anew: nothing of the lost try had left
    it, so a device is charged once.
    """

    def __init__(self, count: int, *, address: str | None, gpu: bool) -> None:
        """Begins ``count`` processes of one core each, which share a GPU where ``gpu``.

        Raises:
            ValueError: There is no cluster at ``address``, or it has too few free cores.
        """
        _connect(count, address=address)
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
            RuntimeError: Three actors died of these devices.
        """
        given = (list(devices), replace(task, frozen=None), frozen())
        actor = self._idle.get()
        try:
            for _ in range(TRIES):
                try:
                    return list(ray.get(actor.train.remote(*given)))
                except RayActorError:
                    log.warning("a worker died; its devices are trained by another")
                    actor = _begin(gpu=self._gpu)
        finally:
            self._idle.put(actor)
        raise RuntimeError(f"{TRIES} workers died of the same devices.")


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
def workers(count: int, *, address: str | None, gpu: bool) -> Workers:
    """Returns the workers of this process, which keep their embeddings from run to run."""
    return Workers(count, address=address, gpu=gpu)


def _begin(*, gpu: float) -> Any:
    return ray.remote(num_cpus=1, num_gpus=gpu, max_restarts=0)(_Worker).remote()


def _connect(count: int, *, address: str | None) -> None:
    ray.shutdown()
    try:
        _probe(address)
        ray.init(
            address=address or "local",
            num_cpus=None if address else count,
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError) as failure:
        raise ValueError(
            f"simulation.address={address}: no Ray cluster answers there; start one with "
            "`ray start --head`, or leave the setting null."
        ) from failure


def _probe(address: str | None) -> None:
    """Knocks where a cluster should be: Ray itself would knock for minutes, deaf to Ctrl-C."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=PROBE).close()
