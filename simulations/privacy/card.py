"""The privacy card: for each unit who is kept from what, by how much, and in which words."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from privacy.ledger.chain import examine
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import DpSgd
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Central, Moment
from privacy.statements import profile
from privacy.statements.group import library_epsilon
from privacy.statements.profile import Profile
from server.protection import unit_device
from server.protection.visit_terms import affordable_visits, mechanism
from simulations.configuration.settings import Config
from simulations.formats import spent
from simulations.privacy.spending import Spent

MEANINGFUL = 20.0
# Shares are told in tenths of a percent.
PERMILLE = 1000
PROTECTS = {"example": "each moment of a device", "device": "each device's whole library"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What a run promises for one unit, before it runs.

    Attributes:
        unit: ``example`` or ``device``.
        protects: The unit in words.
        question: What an attack guesses, after "whether".
        adversary: Whom it holds against.
        neighbours: Which two libraries or populations cannot be told apart.
        when: How much of the run ``epsilon`` counts.
        noise: Where the noise is added, and how much.
        epsilon: The most that any device pays: the least of the bounds that hold.
        second: A second bound on the same ε by Rényi accounting; None in closed form.
        delta: The δ of both.
        claim: Whether the draws are secret; no promise without.
        remarks: What else must be said with it.
        profile: δ at other ε, and how often a guess is right; None where ε is infinite.
        extrapolated: The ε that the larger federation would have whose noise this run takes;
            None where none is assumed. It is not of this run.
    """

    unit: str
    protects: str
    question: str
    adversary: str
    neighbours: str
    when: str
    noise: str
    epsilon: float
    second: float | None
    delta: float
    claim: bool
    profile: Profile | None
    remarks: tuple[str, ...] = ()
    extrapolated: float | None = None


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
        *_profiled(promise),
        *promise.remarks,
    ]
    if not promise.claim:
        told.append("the noise follows from the seed: this ε is not a claim")
    return told


def _profiled(promise: Promise) -> list[str]:
    """What the profile says of an attack, rounded up."""
    if promise.profile is None:
        return []
    right = math.ceil(PERMILLE * promise.profile.right) / PERMILLE
    told = [f"a guess whether {promise.question}: right at most {right:.1%} of the time"]
    points = [f"{_up(delta)} at {epsilon:g}" for epsilon, delta in promise.profile.points[1:-1]]
    return [*told, f"δ at smaller ε: {', '.join(points)}"] if points else told


def _up(delta: float) -> str:
    """A δ in two digits, rounded up."""
    place = 1 - math.floor(math.log10(delta))
    return f"{math.ceil(delta * 10.0**place) / 10.0**place:.2g}"


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
    visits = affordable_visits(settings, chosen)
    if chosen is None or visits is None:
        return None
    return Promise(
        unit="example",
        protects=PROTECTS["example"],
        question="a moment was there",
        adversary="every update, the server included, whatever it sends",
        neighbours="two libraries of a device, one of which has one moment more",
        when=f"after {visits} visits at most",
        noise=_noise_of_steps(chosen),
        epsilon=chosen.epsilon(visits),
        second=chosen.epsilon_rdp(visits),
        delta=chosen.delta,
        claim=config.privacy.noise == "secure",
        profile=profile.of(chosen, visits),
        remarks=_library(config, chosen.accounted, visits=visits),
    )


def _noise_of_steps(chosen: Moment) -> str:
    amount = f"noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}, on the device"
    if isinstance(chosen, IntegerDpSgd):
        return f"integer {amount}, proven of what runs"
    return f"{amount}, up to floating point"


def _library(config: Config, chosen: DpSgd, *, visits: int) -> tuple[str, ...]:
    """What the promise for a moment is worth to all moments of a library together."""
    moments = round(config.training.reference_size)
    found = library_epsilon(chosen, moments=moments, participations=visits)
    worth = "" if found <= MEANINGFUL else ", in effect no promise"
    return (f"for {moments} moments together, as a group: ε ≤ {found:.3g}{worth}",)


def _device(config: Config, *, devices: int) -> Promise | None:
    chosen = unit_device.mechanism(config.privacy.device, config.server, devices=devices)
    match chosen:
        case None:
            return None
        case LocalGaussian():
            return _local(chosen, config)
        case _:
            return _central(chosen, config, devices=devices)


def _central(chosen: Central, config: Config, *, devices: int) -> Promise:
    rounds = unit_device.affordable_rounds(config.privacy.device, config.server, chosen)
    larger = unit_device.production(config.privacy.device, chosen)
    return Promise(
        unit="device",
        protects=PROTECTS["device"],
        question="a device took part",
        adversary="the models alone: the server, who sees updates, is trusted",
        neighbours="two populations, in one of which a device contributes nothing",
        when=f"after {rounds} rounds",
        noise=_noise(chosen),
        epsilon=chosen.epsilon(rounds),
        second=chosen.epsilon_rdp(rounds),
        delta=chosen.delta,
        claim=config.privacy.noise == "secure",
        profile=profile.of(chosen, rounds),
        remarks=(
            _cohorts(chosen),
            *_why(config, devices=devices),
            *_stop(config, rounds),
            *_larger(config, larger),
        ),
        extrapolated=None if larger is None else larger.epsilon(rounds),
    )


def _noise(chosen: Central) -> str:
    match chosen:
        case AdaptiveGaussian(update_noise=noise, clip=clip):
            amount = f"noise {noise:.2f} × a clip that follows the updates from {clip:g}"
        case IntegerGaussian(noise_multiplier=noise, clip=clip):
            amount = f"discrete noise {noise:.2f} × clip {clip:g} on integers"
        case CohortGaussian(noise_multiplier=noise, clip=clip):
            amount = f"noise {noise:.2f} × clip {clip:g}"
        case CorrelatedGaussian() | BandedGaussian():
            amount = f"correlated noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}"
    return f"{amount}, at the server"


def _cohorts(chosen: Central) -> str:
    match chosen:
        case CorrelatedGaussian(separation=apart):
            return f"a device takes part every {apart} rounds at most; who does is no secret"
        case BandedGaussian(bands=bands, sampling=sampling):
            return f"{bands} bands take turns, secret cohorts of {sampling.cap} at most"
        case CohortGaussian() | AdaptiveGaussian() | IntegerGaussian():
            sampling = chosen.sampling
            return f"secret cohorts of {sampling.cap} at most"


def _why(config: Config, *, devices: int) -> list[str]:
    """What ``auto`` took, and the noise that each choice leaves."""
    device, server = config.privacy.device, config.server
    if device.mechanism != "auto":
        return []
    left = unit_device.left(device, server, devices=devices)
    taken = unit_device.chosen(device, server, devices=devices)
    (other,) = set(left) - {taken}
    return [
        f"auto took {taken}: {left[taken]:.3g} clips of noise add up, with {other} "
        f"{left[other]:.3g}"
    ]


def _stop(config: Config, rounds: int) -> list[str]:
    if rounds == config.server.rounds:
        return []
    return [f"stops there: one more of the {config.server.rounds} rounds would pass the budget"]


def _larger(config: Config, larger: CohortGaussian | None) -> list[str]:
    if larger is None:
        return []
    device = config.privacy.device
    found = larger.epsilon(config.server.rounds)
    return [
        f"extrapolated, not of this run: ε ≤ {spent(found)} at δ = {larger.delta:.1g}",
        f"for cohorts of {device.noise_cohort:g} of {device.noise_population} devices, with "
        "this noise on their mean",
    ]


def _local(chosen: LocalGaussian, config: Config) -> Promise:
    visits = affordable_visits(config.privacy.device, chosen) or config.server.rounds
    return Promise(
        unit="device",
        protects=PROTECTS["device"],
        question="it was this library",
        adversary="every update, the server included, whatever it sends",
        neighbours="any two libraries of a device",
        when=f"after {visits} visits at most",
        noise=f"noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}, on the device",
        epsilon=chosen.epsilon(visits),
        second=None,
        delta=chosen.delta,
        claim=config.privacy.noise == "secure",
        profile=profile.of(chosen, visits),
    )
