"""One federated run in this process: both Flower apps on the in-process grid."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flwr.app import Context, RecordDict

from client.accelerator import accelerator
from client.app import app as client_app
from client.app import train_cohort
from protocol.messages import Vector
from protocol.rebuild import to_json
from ranking.encoders import OnnxFile
from server.app import app as server_app
from server.app import result
from server.rounds.outcome import RoundObserver
from server.rounds.state import Resumption
from simulations.configuration.pinned_weights import pinned
from simulations.configuration.settings import Config, Simulation
from simulations.federation.device_ledgers import NO_LEDGERS, DeviceLedgers
from simulations.federation.faults import Faults
from simulations.federation.flower_internals import SERVER_NODE
from simulations.federation.grid import RUN_ID, CohortTraining, InProcessGrid

if TYPE_CHECKING:
    from simulations.federation.cluster import Cluster
    from simulations.federation.workers import Workers


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GoesOn:
    """A federated run that ended before its time.

    Attributes:
        resumption: Where the server goes on.
        visits: How often a device has visited.
    """

    resumption: Resumption
    visits: Callable[[int], int]


def federate(
    config: Config,
    devices: int,
    *,
    observer: RoundObserver,
    ledger: Path | None = None,
    ledgers: DeviceLedgers = NO_LEDGERS,
    goes_on: GoesOn | None = None,
) -> Vector:
    """Runs the rounds of ``config`` over ``devices`` devices; ``observer`` follows them.

    Args:
        config: What to run.
        devices: Devices in the population.
        observer: Follows every round.
        ledger: Folder of the server's ledger; None for none.
        ledgers: Open ledgers of the devices.
        goes_on: Where the run goes on; None for one that begins.

    Returns:
        [trainable] the model that the server released last.
    """
    run_config: dict[str, bool | float | int | str] = {
        "config": to_json(pinned(config)),
        "output": "",
        "ledger": "" if ledger is None else str(ledger),
    }
    context = Context(
        run_id=RUN_ID,
        node_id=SERVER_NODE,
        node_config={},
        state=RecordDict(),
        run_config=run_config,
    )
    grid = InProcessGrid(
        client_app,
        devices,
        run_config=run_config,
        observer=observer,
        faults=_faults(config),
        strict=config.simulation.strict,
        cohort=dataclasses.replace(together(config.simulation), ledgers=ledgers),
    )
    grid.node_config |= _owned(config)
    if goes_on is not None:
        grid.resumption, grid.visits = goes_on.resumption, goes_on.visits
    server_app(grid, context)
    return result(context)


def _owned(config: Config) -> dict[str, bool | float | int | str]:
    """What the owners of devices give them: here all are the researcher."""
    encoder, cache = config.ranking.encoder, config.simulation.cache
    owned: dict[str, bool | float | int | str] = {}
    if isinstance(encoder, OnnxFile):
        owned["encoder"] = str(Path(encoder.file).absolute())
    if cache is not None and not config.photos.made:
        owned["cache"] = str(Path(cache).absolute())
    return owned


def _faults(config: Config) -> Faults:
    return Faults(
        seed=config.seed,
        dropout=config.simulation.dropout,
        latency=config.simulation.latency,
        timeout=config.server.timeout,
    )


def together(simulation: Simulation) -> CohortTraining:
    """Returns what trains many devices at once: this process, others, or a cluster's.

    Raises:
        ValueError: ``simulation.address`` is of no Ray cluster, or there is no room for
            ``simulation.workers``.
    """
    if simulation.workers == 1 and simulation.address is None:
        return CohortTraining(
            train=None if simulation.engine.name == "opacus" else train_cohort
        )
    elsewhere = _elsewhere(simulation)
    return CohortTraining(
        train=partial(train_cohort, together=elsewhere.train_together),
        at_once=simulation.workers,
        stop=elsewhere.close,
    )


def _elsewhere(simulation: Simulation) -> "Workers | Cluster":
    if simulation.address is None:
        from simulations.federation.workers import workers

        return workers(simulation.workers)
    from simulations.federation.cluster import cluster

    gpu = accelerator(simulation.accelerator).type == "cuda"
    return cluster(simulation.workers, address=simulation.address, gpu=gpu)


def without_privacy(config: Config) -> Config:
    """Returns ``config`` with neither clipping nor noise: the anchor of a private run."""
    return dataclasses.replace(config, privacy=config.privacy.without())
