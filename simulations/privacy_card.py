"""The privacy card: for each unit who is kept from what, by how much, and in which words."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from privacy.cohort_gaussian import CohortGaussian
from privacy.ledger_chain import examine
from privacy.local_gaussian import LocalGaussian
from server import unit_device
from server.work import mechanism
from simulations.console import spent
from simulations.settings import Config
from simulations.spending import Spent


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What a run promises for one unit, before it runs.

    Attributes:
        unit: ``example`` or ``device``.
        protects: The unit in words.
        adversary: Whom it holds against.
        neighbours: Which two libraries or populations cannot be told apart.
        when: How much of the run ``epsilon`` counts.
        noise: Where the noise is added, and how much.
        epsilon: The most that any device pays, by privacy loss distributions or in closed form.
        second: A second bound on the same ε by Rényi accounting; None in closed form.
        delta: The δ of both.
        claim: Whether the draws are secret; no promise without.
    """

    unit: str
    protects: str
    adversary: str
    neighbours: str
    when: str
    noise: str
    epsilon: float
    second: float | None
    delta: float
    claim: bool


def promises(config: Config, *, devices: int) -> list[Promise]:
    """Returns the promise of every unit that ``config`` protects.

    Args:
        config: The run.
        devices: Devices in the population.
    """
    found = [_example(config), _device(config, devices=devices)]
    return [promise for promise in found if promise is not None]


def lines(promise: Promise) -> list[str]:
    """Returns a promise in words that need no other page."""
    if math.isinf(promise.epsilon):
        return [f"no bound for {promise.protects}: {promise.noise}"]
    told = [
        f"ε ≤ {spent(promise.epsilon)} at δ = {promise.delta:g} for {promise.protects},",
        f"{promise.when}, against anyone who sees",
        promise.adversary,
        promise.noise,
    ]
    if not promise.claim:
        told.append("the noise follows from the seed: this ε is not a claim")
    return told


def plain(
    config: Config, *, devices: int, as_it_ran: Mapping[str, Spent], ledger: Path
) -> dict[str, dict[str, Any]]:
    """Returns the card as JSON has it: the promises, the ε of what ran, the ledger's head.

    Args:
        config: The run.
        devices: Devices in the population.
        as_it_ran: The ε of each unit.
        ledger: Folder of the ledgers.
    """
    cards = {}
    for promise in promises(config, devices=devices):
        card = {name: _told(value) for name, value in asdict(promise).items()}
        ran = as_it_ran.get(promise.unit)
        cards[promise.unit] = {
            **card,
            "as_it_ran": ran.plain() if ran else None,
            "ledger": _head(ledger, promise.unit),
        }
    return cards


def _head(ledger: Path, unit: str) -> dict[str, Any] | None:
    """The head of a unit's ledger: kept here too, so that whoever rewrites one is found."""
    if not (ledger / f"{unit}.jsonl").exists():
        return None
    return asdict(examine(ledger, unit).end)


def _told(value: Any) -> Any:
    return "infinity" if isinstance(value, float) and math.isinf(value) else value


def _example(config: Config) -> Promise | None:
    settings = config.privacy.example
    chosen = mechanism(config.training, settings)
    if chosen is None or settings.max_participations is None:
        return None
    visits = settings.max_participations
    return Promise(
        unit="example",
        protects="each moment of a device",
        adversary="every update, the server included",
        neighbours="two libraries of a device, one of which has one moment more",
        when=f"after {visits} visits at most",
        noise=f"noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}, on the device",
        epsilon=chosen.epsilon(visits),
        second=chosen.epsilon_rdp(visits),
        delta=chosen.delta,
        claim=config.privacy.noise == "secure",
    )


def _device(config: Config, *, devices: int) -> Promise | None:
    settings = config.privacy.device
    chosen = unit_device.mechanism(settings, config.server, devices=devices)
    match chosen:
        case CohortGaussian():
            return _central(chosen, config)
        case LocalGaussian() if settings.max_participations is not None:
            return _local(chosen, config, visits=settings.max_participations)
    return None


def _central(chosen: CohortGaussian, config: Config) -> Promise:
    rounds = config.server.rounds
    return Promise(
        unit="device",
        protects="each device's whole library",
        adversary="the models alone: the server, who sees updates, is trusted",
        neighbours="two populations, in one of which a device's updates are all zero",
        when=f"after {rounds} rounds",
        noise=f"noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}, at the server, "
        f"cohorts of {chosen.sampling.cap} at most",
        epsilon=chosen.epsilon(rounds),
        second=chosen.epsilon_rdp(rounds),
        delta=chosen.delta,
        claim=config.privacy.noise == "secure",
    )


def _local(chosen: LocalGaussian, config: Config, *, visits: int) -> Promise:
    return Promise(
        unit="device",
        protects="each device's whole library",
        adversary="every update, the server included",
        neighbours="any two libraries of a device",
        when=f"after {visits} visits at most",
        noise=f"noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}, on the device",
        epsilon=chosen.epsilon(visits),
        second=None,
        delta=chosen.delta,
        claim=config.privacy.noise == "secure",
    )
