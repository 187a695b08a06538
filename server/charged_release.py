"""What the server releases for the unit *device*: charged first, drawn in secret."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from privacy.ledger.chain import Head
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Noise
from privacy.ledger.resumed import resumed_ledger
from privacy.mechanisms.base.release import Release
from privacy.mechanisms.base.unit_settings import Protected
from privacy.noise import SecureSource, SeededSource, Source


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargedRelease:
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


def charged_release(
    device: Protected | None,
    *,
    noise: Noise,
    layers: Sequence[int],
    seed: int,
    folder: str,
    resumed: bool = False,
    kept: Head | None = None,
) -> ChargedRelease | None:
    """Returns what the server does; None where devices do all or nothing.

    Args:
        device: What protects whole devices, if anything does.
        noise: Source of the secret draws.
        layers: Lengths of the layers of an update, in order.
        seed: The run's seed, from which the draws follow where the noise is not ``secure``.
        folder: Where the ledger of the unit device begins; empty for none.
        resumed: Whether the run goes on, and its ledger with it.
        kept: Where that ledger ended in the checkpoint; None where it had not begun.

    Raises:
        LedgerError: There is one already, or the folder cannot hold it; of a run that goes on,
            it does not verify or is another's.
    """
    if device is None or device.release is None:
        return None
    ledger = None
    if folder:
        terms = device.mechanism.terms(noise=noise)
        ledger = (
            resumed_ledger(Path(folder), "device", terms=terms, kept=kept)
            if resumed
            else Ledger.create(Path(folder), "device", terms=terms)
        )
    release = device.release(layers)
    return ChargedRelease(release=release, source=_draws(noise, seed=seed), ledger=ledger)


def _draws(noise: Noise, *, seed: int) -> Callable[[int, int], Source]:
    def source(number: int, attempt: int) -> Source:
        if noise == "secure":
            return SecureSource()
        return SeededSource(seed, "server", "round", number, "attempt", attempt)

    return source
