"""Messages to nodes elsewhere and what comes back: each reply is pulled and judged alone.

Flower's link checks who may answer a message, by the request that brings the answer. What the
answer itself says of its sender, its run or its round, nobody has checked. So the sender here
is whoever was asked, and an answer that says otherwise is none.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeAlias

from flwr.app import Message, Metadata, RecordDict
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid

from protocol.messages import RefusalReason

NEVER_CAME = (
    ErrorCode.MESSAGE_UNAVAILABLE,
    ErrorCode.REPLY_MESSAGE_UNAVAILABLE,
    ErrorCode.NODE_UNAVAILABLE,
)
"""Codes of Flower's own errors, by which its link says that there will be no answer."""

AT_ONCE = 32
"""Replies that are pulled side by side. A node that announces a reply and never sends all of it
holds one of them for the three minutes that Flower waits, and the others go on."""

LOOK_SECONDS = 1.0
"""Seconds that one look waits for the replies that are being pulled."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks, doubled from the first to the second. Each look asks the link once
for every reply that is missing."""

Pulled: TypeAlias = Future[list[Message]]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came for a message.

    Attributes:
        asked: The message; whoever it went to is the sender.
        content: What was sent, or why it is no answer.
    """

    asked: Message
    content: RecordDict | RefusalReason

    @property
    def node(self) -> int:
        """The node that was asked."""
        return self.asked.metadata.dst_node_id


class Exchange:
    """Messages that are under way through a grid whose other end may send anything.

    Guarantees:
      * a message has at most one answer, and its sender is the node that was asked;
      * an answer that cannot be pulled, inflated or read costs nobody else's;
      * where the link says that no answer will come, none does.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._open: dict[str, Message] = {}
        self._pulls: dict[str, Pulled] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="replies")

    @property
    def waiting(self) -> frozenset[int]:
        """Nodes whose answer is still to come."""
        return frozenset(message.metadata.dst_node_id for message in self._open.values())

    def send(self, messages: list[Message]) -> None:
        """Sends ``messages``; those that the link does not take are not waited for."""
        if not messages:
            return
        taken = set(self._grid.push_messages(messages))
        self._open |= {
            message.metadata.message_id: message
            for message in messages
            if message.metadata.message_id in taken
        }

    def arrived(self) -> Iterator[Answer]:
        """Yields the answers that came since the last look; waits for a moment at most."""
        for message_id in self._open.keys() - self._pulls.keys():
            self._pulls[message_id] = self._threads.submit(self._pull, message_id)
        done, _ = wait(self._pulls.values(), timeout=LOOK_SECONDS)
        for message_id in [one for one, pull in self._pulls.items() if pull in done]:
            pulled = self._pulls.pop(message_id)
            if pulled.exception() is None and not pulled.result():
                continue
            asked = self._open.pop(message_id)
            content = _content(pulled, asked)
            if content is not None:
                yield Answer(asked, content)

    def close(self) -> None:
        """Waits for nothing more; what is being pulled is not used."""
        self._open.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _pull(self, message_id: str) -> list[Message]:
        return list(self._grid.pull_messages([message_id]))


def answers(grid: Grid, messages: list[Message], *, timeout: float) -> Iterator[Answer]:
    """Sends ``messages`` and yields what is answered within ``timeout`` seconds."""
    deadline, pause = time.monotonic() + timeout, SHORTEST_PAUSE
    exchange = Exchange(grid)
    exchange.send(messages)
    try:
        while True:
            yield from exchange.arrived()
            left = deadline - time.monotonic()
            if left <= 0 or not exchange.waiting:
                return
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
    finally:
        exchange.close()


def content_of(reply: Message) -> RecordDict | RefusalReason:
    """Returns what a reply holds, which may be nothing at all."""
    if reply.has_error():
        return RefusalReason.DEVICE_FAILED
    return reply.content if reply.has_content() else RefusalReason.NOT_A_REPLY


def _content(pulled: Pulled, asked: Message) -> RecordDict | RefusalReason | None:
    """What came, or why it is no answer; None where the link says that none will come."""
    try:
        reply = pulled.result()[0]
        if reply.has_error() and reply.error.code in NEVER_CAME:
            return None
        if _said(reply.metadata) != _expected(asked.metadata):
            return RefusalReason.NOT_A_REPLY
        return content_of(reply)
    except Exception:
        # A node's bytes are inflated by Flower, which raises what its parsers happen to raise.
        return RefusalReason.NOT_A_REPLY


def _said(reply: Metadata) -> tuple[object, ...]:
    return (
        reply.run_id,
        reply.src_node_id,
        reply.dst_node_id,
        reply.reply_to_message_id,
        reply.group_id,
        reply.message_type,
    )


def _expected(asked: Metadata) -> tuple[object, ...]:
    return (
        asked.run_id,
        asked.dst_node_id,
        asked.src_node_id,
        asked.message_id,
        asked.group_id,
        asked.message_type,
    )
