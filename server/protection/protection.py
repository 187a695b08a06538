"""What the server does for the unit *device*, and where its secret draws come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Noise
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.ledger_terms import device_terms
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Central
from privacy.noise import SecureSource, SeededSource, Source
from privacy.settings import Privacy
from server.protection import correlation
from server.protection.release import (
    AdaptiveRelease,
    BandedRelease,
    IndependentRelease,
    IntegerRelease,
    Release,
    SeparatedRelease,
)
from server.protection.unit_device import mechanism
from server.settings import Server


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """A mechanism of the server and its randomness.

    Attributes:
        release: Draws cohorts and releases what they send.
        ledger: Charged before a round's sum is released; None where nobody keeps one.
        source: Secret draws of a round and attempt; a new attempt draws afresh.
    """

    release: Release
    source: Callable[[int, int], Source]
    ledger: Ledger | None

    def charge(self, number: int, attempt: int) -> None:
        """Records a round; only when this returns may its sum leave.

        Raises:
            LedgerError: It could not be written: nothing may be released.
        """
        if self.ledger is not None:
            charge = Charge(round=number, attempt=attempt, devices=(), what="update")
            self.ledger.charge([charge])

    def close(self) -> None:
        """Lets another process open the ledger."""
        if self.ledger is not None:
            self.ledger.close()


def protection(
    privacy: Privacy,
    server: Server,
    *,
    devices: int,
    layers: Sequence[int],
    seed: int,
    folder: str,
) -> Protection | None:
    """Returns what the server does; None where devices do all or nothing.

    Args:
        privacy: What is protected.
        server: Rounds and cohort.
        devices: Devices in the population, a public number.
        layers: Lengths of the layers of an update, in order.
        seed: The run's seed, from which the draws follow where the noise is not ``secure``.
        folder: Where the ledger of the unit device begins; empty for none.

    Raises:
        LedgerError: There is one already, or the folder cannot hold it.
    """
    chosen = mechanism(privacy.device, server, devices=devices)
    if not isinstance(chosen, Central):
        return None
    ledger = None
    if folder:
        terms = device_terms(chosen, noise=privacy.noise)
        ledger = Ledger.create(Path(folder), "device", terms=terms)
    release = _release(privacy, server, chosen, devices=devices, layers=layers)
    return Protection(release=release, source=_draws(privacy.noise, seed=seed), ledger=ledger)


def _draws(noise: Noise, *, seed: int) -> Callable[[int, int], Source]:
    def source(number: int, attempt: int) -> Source:
        if noise == "secure":
            return SecureSource()
        return SeededSource(seed, "server", "round", number, "attempt", attempt)

    return source


def _release(
    privacy: Privacy, server: Server, chosen: Central, *, devices: int, layers: Sequence[int]
) -> Release:
    size, device = sum(layers), privacy.device
    alone = tuple(layers) if device.clipping == "layers" else ()
    match chosen:
        case CohortGaussian():
            return IndependentRelease(chosen, size=size, layers=alone)
        case IntegerGaussian():
            return IntegerRelease(chosen, size=size)
        case AdaptiveGaussian():
            return AdaptiveRelease(chosen, size=size, layers=alone)
        case CorrelatedGaussian():
            noise = correlation.noise(device, chosen, rounds=server.rounds, size=size)
            cohort = int(server.cohort)
            return SeparatedRelease(chosen, noise, cohort=cohort, devices=devices, layers=alone)
        case BandedGaussian():
            noise = correlation.noise(device, chosen, rounds=server.rounds, size=size)
            return BandedRelease(chosen, noise, devices=devices, layers=alone)
