"""The ledgers of all simulated devices: one file for each unit, keyed by device."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from flwr.app import Message, MessageType

from privacy.ledger.chain import Head
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Noise
from privacy.ledger.resumed import resumed_ledger
from privacy.protection.derivation import Protection
from protocol.codec import decode_reply
from protocol.messages import Declined
from server.rounds.directory import Directory


class DeviceLedgers:
    """Charges visits before any reply of them is handed over; a context manager.

    On a real device the files of ``client.consent.device_ledger`` have this place, where its
    operator names a folder for them. Here a part of the cohort is one line and one fsync for
    each unit.
    """

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        """Takes over open ledgers, one for each unit that devices pay for."""
        self._ledgers = ledgers

    @property
    def heads(self) -> dict[str, Head]:
        """Where each ledger ends, by its unit."""
        return {ledger.name: ledger.head for ledger in self._ledgers}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for ledger in self._ledgers:
            ledger.close()

    def charge(
        self, messages: Sequence[Message], replies: Sequence[Message], *, directory: Directory
    ) -> None:
        """Records the visits of a part: of every device that did not decline.

        A device that failed is charged too: how far it came is not known.
        """
        visits = [
            (message, directory.device(message.metadata.dst_node_id))
            for message, reply in zip(messages, replies, strict=True)
            if message.metadata.message_type == MessageType.TRAIN and not _declined(reply)
        ]
        if not visits or not self._ledgers:
            return
        number, _, attempt = visits[0][0].metadata.group_id.partition(".")
        charge = Charge(
            round=int(number),
            attempt=int(attempt),
            devices=tuple(device for _, device in visits if device is not None),
            what="update",
        )
        for ledger in self._ledgers:
            ledger.charge([charge])


NO_LEDGERS = DeviceLedgers([])
"""Those of devices that pay for nothing."""


def device_ledgers(
    protection: Protection,
    folder: Path | None,
    *,
    noise: Noise,
    kept: Mapping[str, Head] | None = None,
) -> DeviceLedgers:
    """Begins the ledgers that devices keep, of what they themselves protect, or goes on.

    Args:
        protection: What protects the run.
        folder: Where to; None for no ledgers.
        noise: Source of the secret draws.
        kept: For a run that goes on, where each ledger ended by its unit; None for one that
            begins.

    Raises:
        LedgerError: A ledger does not verify, or its terms are not those of the run.
    """
    if folder is None:
        return NO_LEDGERS
    ledgers = []
    for unit, one in protection.units.items():
        if one.release is None:
            terms = one.mechanism.terms(noise=noise)
            ledgers.append(
                Ledger.create(folder, unit, terms=terms)
                if kept is None
                else resumed_ledger(folder, unit, terms=terms, kept=kept.get(unit))
            )
    return DeviceLedgers(ledgers)


def _declined(reply: Message) -> bool:
    return reply.has_content() and isinstance(decode_reply(reply.content, size=0), Declined)
