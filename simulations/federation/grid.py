"""Flower's grid without Flower's processes: the very apps, called in this one."""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import islice

from flwr.app import (
    ConfigRecord,
    Context,
    Error,
    Message,
    MessageType,
    RecordDict,
)
from flwr.clientapp import ClientApp
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid
from flwr.supercore.run import Run

from client.consent.agreement import NEW
from client.consent.simulated import SimulatedContext
from client.context import STATE
from server.rounds.directory import RangeDirectory
from server.rounds.outcome import RoundObserver, RoundOutcome
from server.rounds.state import Resumption
from simulations.federation import flower_internals
from simulations.federation.device_ledgers import DeviceLedgers
from simulations.federation.faults import Faults
from simulations.federation.own_records import own_records

FIRST_NODE = 1_000
"""Node id of device 0, beyond the server's own. A device's number is no node id where devices
are fewer than that, so that one taken for the other is found."""

TOGETHER = 64
"""Messages of one part, whose devices train in one call. Another number makes other batches,
whose updates may differ in their last digits."""

AHEAD = 1
"""Parts that are begun beyond those under way, while the server takes in replies. At 0 a thread
that ends meanwhile is idle; more parts hold more updates in memory."""

RUN_ID = 1
"""Flower's number of the run. A process has one run at a time, so that it names no other."""

log = logging.getLogger(__name__)
RunConfig = dict[str, bool | float | int | str]
Answers = tuple[list[Message], Iterable[Message]]
"""A part with its replies, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortTraining:
    """How devices that train are answered.

    Attributes:
        train: Answers messages to train, many in one call, in order; None for one by one.
        at_once: Calls side by side, in threads.
        ledgers: Charged with the visits of a part before any reply of it is yielded.
        stop: Ends calls that are under way, where replies are pulled no longer.
    """

    train: Callable[[Sequence[tuple[Message, Context]]], Iterable[Message]] | None = None
    at_once: int = 1
    ledgers: DeviceLedgers | None = None
    stop: Callable[[], None] = lambda: None


class InProcessGrid(Grid):
    """Runs a ``ClientApp`` for each message, in this process.

    Guarantees:
      * node ids are ``FIRST_NODE + device``, and replies come in the order of the messages;
      * a device's state exists from its first message on: a population costs nothing;
      * every device gets its own records; only the bytes of arrays are shared, read-only;
      * an exception in a device becomes an ``Error`` without its text;
      * with ``cohort``, tasks to train are handed over many at once, and answered as the
        ``ClientApp`` would answer each; which are together is a function of the messages alone;
      * ``strict`` sends every message and reply through Flower's wire format.

    It also tells the server which node is which device and shows the run to an observer.

    Attributes:
        node_config: What every device's owner gives it, beside its number.
        resumption: Where the run goes on; None for one that begins.
        visits: How often each device has visited before: its state, where the run goes on. The
            frozen part is sent again.
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
        cohort: CohortTraining | None = None,
    ) -> None:
        self.directory = RangeDirectory(FIRST_NODE, devices)
        self._client_app = client_app
        self._run_config: RunConfig = dict(run_config)
        self.node_config: RunConfig = {}
        self.resumption: Resumption | None = None
        self.visits: Callable[[int], int] = lambda device: 0
        self._observer = observer
        self._faults = faults
        self._strict = strict
        self._cohort = cohort or CohortTraining()
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
        waiting = (self._waiting.pop(message_id) for message_id in message_ids)
        with closing(self._answered(_parts(waiting))) as answered:
            for messages, answers in answered:
                yield from self._handed_over(messages, answers)

    def _handed_over(
        self, messages: list[Message], answers: Iterable[Message]
    ) -> Iterator[Message]:
        """The replies of a part, once its visits are charged."""
        replies = answers
        if self._cohort.ledgers is not None:
            replies = list(answers)
            self._cohort.ledgers.charge(messages, replies, directory=self.directory)
        for message, reply in zip(messages, replies, strict=True):
            self._observer.replied()
            device = message.metadata.dst_node_id - FIRST_NODE
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

    def _answered(self, parts: Iterator[list[Message]]) -> Generator[Answers, None, None]:
        """Each part with its replies, in order; some parts are begun before they are pulled."""
        at_once = self._cohort.at_once
        if at_once == 1:
            yield from ((part, self._replies(part)) for part in parts)
            return
        with ThreadPoolExecutor(at_once) as threads:
            try:
                yield from self._side_by_side(parts, threads)
            except BaseException:
                # Leaving waits for what is under way: after Ctrl-C nobody wants it.
                threads.shutdown(wait=False, cancel_futures=True)
                self._cohort.stop()
                raise

    def _side_by_side(
        self, parts: Iterator[list[Message]], threads: ThreadPoolExecutor
    ) -> Iterator[Answers]:
        begun: deque[tuple[list[Message], Future[list[Message]]]] = deque()
        for part in parts:
            alone = not _trains(part) or any(_share(part, earlier) for earlier, _ in begun)
            while begun and (alone or len(begun) > self._cohort.at_once + AHEAD):
                earlier, replies = begun.popleft()
                yield earlier, replies.result()
            if _trains(part):
                begun.append((part, threads.submit(self._listed, part)))
            else:
                yield part, self._replies(part)
        for earlier, replies in begun:
            yield earlier, replies.result()

    def _listed(self, part: Sequence[Message]) -> list[Message]:
        return list(self._replies(part))

    def _replies(self, messages: Sequence[Message]) -> Iterator[Message]:
        received = ((self._received(m), self._context(m)) for m in messages)
        replies: Iterable[Message]
        if self._cohort.train is None or not _trains(messages):
            replies = (self._reply(message, context) for message, context in received)
        else:
            replies = self._cohort.train(list(received))
        for reply in replies:
            yield flower_internals.over_the_wire(reply) if self._strict else reply

    def _received(self, message: Message) -> Message:
        return flower_internals.over_the_wire(message) if self._strict else own_records(message)

    def _reply(self, message: Message, context: Context) -> Message:
        try:
            return self._client_app(message, context)
        except Exception as failure:
            log.warning("a device failed with %s", type(failure).__name__)
            error = Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, "device failed")
            return Message(error, reply_to=message)

    def _context(self, message: Message) -> Context:
        device = message.metadata.dst_node_id - FIRST_NODE
        if device not in self._contexts:
            self._contexts[device] = SimulatedContext(
                run_id=RUN_ID,
                node_id=FIRST_NODE + device,
                node_config={
                    **self.node_config,
                    "partition-id": device,
                    "num-partitions": self.directory.devices,
                },
                state=self._state(device),
                run_config=self._run_config,
            )
        return self._contexts[device]

    def _state(self, device: int) -> RecordDict:
        visits = self.visits(device)
        if not visits:
            return RecordDict()
        return RecordDict({STATE: ConfigRecord(asdict(replace(NEW, participations=visits)))})


def _parts(messages: Iterator[Message]) -> Iterator[list[Message]]:
    while part := list(islice(messages, TOGETHER)):
        yield part


def _trains(part: Sequence[Message]) -> bool:
    return all(message.metadata.message_type == MessageType.TRAIN for message in part)


def _share(part: Sequence[Message], other: Sequence[Message]) -> bool:
    """Whether a device has messages in both: its state must go from one to the next."""
    nodes = {message.metadata.dst_node_id for message in part}
    return any(message.metadata.dst_node_id in nodes for message in other)
