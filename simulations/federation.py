"""One federated run in this process: both Flower apps on the in-process grid."""

import dataclasses
from functools import partial
from pathlib import Path

from flwr.app import Context, RecordDict

from client.accelerator import accelerator
from client.app import app as client_app
from client.app import train_cohort
from privacy.local_gaussian import LocalGaussian
from privacy.settings import Device, Example
from protocol.rebuild import to_json
from ranking.build import trainable_names
from ranking.initial import initial_ranker
from server import unit_device
from server.app import app as server_app
from server.observation import RoundObserver
from server.work import affordable_visits, mechanism
from simulations.device_ledgers import device_ledgers
from simulations.faults import Faults
from simulations.flower_internals import SERVER_NODE
from simulations.grid import RUN_ID, Cohort, InProcessGrid
from simulations.held_out import HeldOut
from simulations.pinned_weights import pinned
from simulations.recorder import Audience, Recorder
from simulations.settings import Config, Simulation
from simulations.spending import RoundSpending, Spending, VisitSpending


def prepare(config: Config, held_out: HeldOut, *, devices: int, audience: Audience) -> Recorder:
    """Returns what will follow a run of ``config``, with the ranker the server starts with."""
    ranker = initial_ranker(config.ranking, seed=config.seed)
    return Recorder(
        ranker=ranker,
        names=trainable_names(ranker, config.ranking.trained),
        held_out=held_out,
        loss=config.ranking.loss,
        every=config.simulation.evaluate_every,
        rounds=rounds(config, devices=devices),
        spending=_spending(config, devices=devices),
        audience=audience,
        frozen_encoder=config.ranking.trained != "all",
    )


def rounds(config: Config, *, devices: int) -> int:
    """Returns how many rounds ``config`` has before its budget for the unit device is spent."""
    chosen = unit_device.mechanism(config.privacy.device, config.server, devices=devices)
    return unit_device.affordable_rounds(config.privacy.device, config.server, chosen)


def federate(
    config: Config, devices: int, *, observer: RoundObserver, ledger: Path | None = None
) -> None:
    """Runs the rounds of ``config`` over ``devices`` devices; ``observer`` follows them.

    Args:
        config: What to run.
        devices: Devices in the population.
        observer: Is told of every round.
        ledger: Folder of the ledgers, of the server's and of the devices'; None for none.
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
    with device_ledgers(config, ledger, devices=devices) as ledgers:
        grid = InProcessGrid(
            client_app,
            devices,
            run_config=run_config,
            observer=observer,
            faults=_faults(config),
            strict=config.simulation.strict,
            cohort=dataclasses.replace(together(config.simulation), ledgers=ledgers),
        )
        server_app(grid, context)


def _faults(config: Config) -> Faults:
    return Faults(
        seed=config.seed,
        dropout=config.simulation.dropout,
        latency=config.simulation.latency,
        timeout=config.server.timeout,
    )


def together(simulation: Simulation) -> Cohort:
    """Returns what trains many devices at once: this process, or Ray's, which begin here.

    Raises:
        ValueError: ``simulation.address`` is of no Ray cluster.
    """
    if simulation.workers > 1 or simulation.address is not None:
        from simulations.workers import workers

        on = accelerator(simulation.accelerator)
        lent = workers(simulation.workers, address=simulation.address, gpu=on.type == "cuda")
        train = partial(train_cohort, together=lent.train_together)
        return Cohort(train=train, at_once=simulation.workers)
    return Cohort(train=None if simulation.engine.name == "opacus" else train_cohort)


def without_privacy(config: Config) -> Config:
    """Returns ``config`` with neither clipping nor noise: the anchor of a private run."""
    nothing = dataclasses.replace(config.privacy, example=Example.none(), device=Device.none())
    return dataclasses.replace(config, privacy=nothing)


def _spending(config: Config, *, devices: int) -> dict[str, Spending]:
    """Follows every unit that ``config`` protects."""
    privacy, claim = config.privacy, config.privacy.noise == "secure"
    found: dict[str, Spending] = {}
    example = mechanism(config.training, privacy.example)
    visits = affordable_visits(privacy.example, example)
    if example is not None and visits is not None:
        found["example"] = VisitSpending(example, max_participations=visits, claim=claim)
    device = unit_device.mechanism(privacy.device, config.server, devices=devices)
    if isinstance(device, LocalGaussian):
        visits = affordable_visits(privacy.device, device) or config.server.rounds
        found["device"] = VisitSpending(device, max_participations=visits, claim=claim)
    elif device is not None:
        rounds = unit_device.affordable_rounds(privacy.device, config.server, device)
        found["device"] = RoundSpending(device, rounds=rounds, claim=claim)
    return found
