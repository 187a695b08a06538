"""The ledgers of all simulated devices: one file for each unit, keyed by device."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from flwr.app import Message, MessageType

from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from privacy.mechanisms.ledger_terms import example_terms, local_terms
from privacy.mechanisms.local_gaussian import LocalGaussian
from protocol.codec import decode_reply
from protocol.messages import Declined
from server.protection.unit_device import mechanism as device_mechanism
from server.protection.visit_terms import mechanism as example_mechanism
from server.rounds.directory import Directory
from simulations.configuration.settings import Config


class DeviceLedgers:
    """Charges visits before any reply of them is handed over; a context manager.

    On a real device the files of ``client.consent.device_ledger`` have this place, where its
    operator names a folder for them. Here a part of the cohort is one line and one fsync for
    each unit.
    """

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        """Takes over open ledgers, one for each unit that devices pay for."""
        self._ledgers = ledgers

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


def device_ledgers(config: Config, folder: Path | None, *, devices: int) -> DeviceLedgers:
    """Begins the ledgers that the devices of ``config`` keep in ``folder``; None for none."""
    if folder is None:
        return DeviceLedgers([])
    privacy, terms = config.privacy, {}
    example = example_mechanism(config.training, privacy.example)
    if example is not None:
        terms["example"] = example_terms(example, noise=privacy.noise)
    device = device_mechanism(privacy.device, config.server, devices=devices)
    if isinstance(device, LocalGaussian):
        terms["device"] = local_terms(device, noise=privacy.noise)
    return DeviceLedgers(
        [Ledger.create(folder, unit, terms=opening) for unit, opening in terms.items()]
    )


def _declined(reply: Message) -> bool:
    return reply.has_content() and isinstance(decode_reply(reply.content, size=0), Declined)
