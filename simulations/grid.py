"""Flower's grid without Flower's processes: the very apps, called in this one."""

import logging
from collections.abc import Iterable, Iterator, Mapping

from flwr.app import (
    ArrayRecord,
    ConfigRecord,
    Context,
    Error,
    Message,
    MetricRecord,
    RecordDict,
)
from flwr.clientapp import ClientApp
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid
from flwr.supercore.run import Run

from server.directory import RangeDirectory
from server.observation import RoundObserver, RoundOutcome
from simulations import flower_internals
from simulations.faults import Faults

FIRST_NODE = 1_000
RUN_ID = 1

log = logging.getLogger(__name__)
RunConfig = dict[str, bool | float | int | str]
Record = ArrayRecord | ConfigRecord | MetricRecord


class InProcessGrid(Grid):
    """Runs a ``ClientApp`` for each message, in this process, one after another.

    Guarantees:
      * node ids are ``FIRST_NODE + device``, and replies come in the order of the messages;
      * a device's state exists from its first message on: a population costs nothing;
      * every device gets its own records; only the bytes of arrays are shared, read-only;
      * an exception in a device becomes an ``Error`` without its text;
      * ``strict`` sends every message and reply through Flower's wire format.

    It also tells the server which node is which device and shows the run to an observer.
    """

    def __init__(
        self,
        client_app: ClientApp,
        devices: int,
        *,
        run_config: Mapping[str, bool | float | int | str],
        observer: RoundObserver,
        faults: Faults,
        strict: bool = False,
    ) -> None:
        self.directory = RangeDirectory(FIRST_NODE, devices)
        self._client_app = client_app
        self._run_config: RunConfig = dict(run_config)
        self._observer = observer
        self._faults = faults
        self._strict = strict
        self._run = flower_internals.identify(RUN_ID)
        self._contexts: dict[int, Context] = {}
        self._waiting: dict[str, Message] = {}
        self._sent = 0

    @property
    def run(self) -> Run:
        """The run, which has no identity outside this process."""
        return self._run

    def set_run(self, run: Run) -> None:
        """Takes over ``run``."""
        self._run = run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Returns a message, for strategies of the older API."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Iterable[int]:
        """Returns the node ids of all devices, without a list of them."""
        return range(FIRST_NODE, FIRST_NODE + self.directory.devices)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Takes ``messages`` and returns their ids; a device works when its reply is pulled."""
        ids = []
        for message in messages:
            self._sent += 1
            message_id = f"message-{self._sent}"
            flower_internals.number(message, message_id)
            self._waiting[message_id] = message
            ids.append(message_id)
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> Iterator[Message]:
        """Yields the replies one by one, in order; lost ones are left out."""
        for message_id in message_ids:
            message = self._waiting.pop(message_id)
            device = message.metadata.dst_node_id - FIRST_NODE
            reply = self._reply(message, device)
            self._observer.replied()
            if not self._faults.loses(device, group=message.metadata.group_id):
                yield reply

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Message]:
        """Yields the replies to ``messages``; time passes on the faults' virtual clock only."""
        return self.pull_messages(self.push_messages(messages))

    def started(self, number: int, *, cohort: int) -> None:
        """Passes the beginning of a round on to the observer."""
        self._observer.started(number, cohort=cohort)

    def replied(self) -> None:
        """Does nothing: replies are counted where they are pulled."""

    def closed(self, outcome: RoundOutcome) -> None:
        """Passes the end of a round on to the observer."""
        self._observer.closed(outcome)

    def _reply(self, message: Message, device: int) -> Message:
        received = flower_internals.over_the_wire(message) if self._strict else _own(message)
        try:
            reply = self._client_app(received, self._context(device))
        except Exception as failure:
            log.warning("a device failed with %s", type(failure).__name__)
            error = Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, "device failed")
            reply = Message(error, reply_to=message)
        return flower_internals.over_the_wire(reply) if self._strict else reply

    def _context(self, device: int) -> Context:
        if device not in self._contexts:
            self._contexts[device] = Context(
                run_id=RUN_ID,
                node_id=FIRST_NODE + device,
                node_config={
                    "partition-id": device,
                    "num-partitions": self.directory.devices,
                },
                state=RecordDict(),
                run_config=self._run_config,
            )
        return self._contexts[device]


def _own(message: Message) -> Message:
    """Replaces the records of ``message`` by copies that a device may change."""
    if message.has_error():
        return message
    message.content = RecordDict({name: _copy(r) for name, r in message.content.items()})
    return message


def _copy(record: Record) -> Record:
    if isinstance(record, ConfigRecord):
        return ConfigRecord(dict(record))
    if isinstance(record, MetricRecord):
        return MetricRecord(dict(record))
    arrays = ArrayRecord()
    for name, array in record.items():
        arrays[name] = array
    return arrays
