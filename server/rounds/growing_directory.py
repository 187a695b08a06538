"""Which node is which device where nodes come and go; each is asked, and some are left out.

Every round's coins are tossed for the numbers 0 … ``devices`` − 1, whoever is there. So the
probability with which a device is asked is the same in every round of the run, and is the one
that ε is charged at, as long as a node has one number and a number one node.
"""

import logging
from collections import Counter
from collections.abc import Mapping

from flwr.app import Message, MessageType, RecordDict
from flwr.serverapp import Grid

from protocol.codec import decode_device, encode_notice
from protocol.messages import LeftOut
from server.rounds.exchange import Answer, Exchange

log = logging.getLogger("flwr.darkroom")

SAID = {
    LeftOut.NUMBER_TAKEN: "another node says that it is device {0} too",
    LeftOut.NO_NUMBER: "it did not say in its own name which device it is",
    LeftOut.NO_SUCH_DEVICE: "there is no training device {0}",
}


class GrowingDirectory:
    """Nodes by what they say of themselves, of which more may come during a run.

    Guarantees:
      * a node is at most one device, and a device at most one node;
      * what a node says counts for itself alone, whatever sender its answer names;
      * of several nodes that say the same number at once none takes part, and whoever holds a
        number keeps it while it is online;
      * a node that is left out is told why, once; it is asked again when it was away.
    """

    def __init__(self, grid: Grid, devices: int, *, timeout: float) -> None:
        """Asks nobody yet.

        Args:
            grid: Flower's grid.
            devices: Devices that may train, numbered from 0.
            timeout: Seconds that a node has to answer.
        """
        self._grid = grid
        self._timeout = timeout
        self._devices = devices
        self._exchange = Exchange(grid)
        self._online: set[int] = set()
        self._heard: set[int] = set()
        self._nodes: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    @property
    def devices(self) -> int:
        """How many devices may train, also those that have not come."""
        return self._devices

    @property
    def present(self) -> int:
        """How many have a node."""
        return len(self._nodes)

    def node(self, device: int) -> int | None:
        """Returns the node of a device, or None for one that has not come."""
        return self._nodes.get(device)

    def device(self, node: int) -> int | None:
        """Returns the device of a node, or None for a node that is no training device."""
        return self._numbers.get(node)

    def look(self) -> None:
        """Asks nodes that have come, and takes in those that answered since the last look."""
        self.settle(self.hear())

    def hear(self) -> Mapping[int, int | None]:
        """Asks new nodes and returns what others said since: None for what is no number."""
        self._online = set(self._grid.get_node_ids())
        self._heard &= self._online | self._numbers.keys()
        new = sorted(self._online - self._heard - self._exchange.waiting)
        self._exchange.send([self._message(RecordDict(), node) for node in new])
        said = {answer.node: _number(answer) for answer in self._exchange.arrived()}
        self._heard |= said.keys()
        return said

    def settle(self, said: Mapping[int, int | None]) -> None:
        """Gives numbers to the nodes that may have those that they said together.

        A node that has one keeps it, whatever it says now.
        """
        new = {node: number for node, number in said.items() if node not in self._numbers}
        together = Counter(new.values())
        for node, number in new.items():
            reason = self._objection(number, alone=together[number] == 1)
            if reason is not None:
                self._leave_out(node, reason, number)
            elif number is not None:
                self._give(number, node)

    def _objection(self, number: int | None, *, alone: bool) -> LeftOut | None:
        if number is None:
            return LeftOut.NO_NUMBER
        if number >= self._devices:
            return LeftOut.NO_SUCH_DEVICE
        held = self._nodes.get(number)
        return None if alone and (held not in self._online) else LeftOut.NUMBER_TAKEN

    def _give(self, number: int, node: int) -> None:
        before = self._nodes.get(number)
        if before is not None:
            # It has gone. When it comes back it is asked anew, for its number is another's now.
            del self._numbers[before]
            self._heard.discard(before)
        self._nodes[number], self._numbers[node] = node, number

    def _leave_out(self, node: int, reason: LeftOut, number: int | None) -> None:
        log.warning("darkroom: node %d is left out: %s", node, SAID[reason].format(number))
        self._grid.push_messages([self._message(encode_notice(reason), node)])

    def _message(self, content: RecordDict, node: int) -> Message:
        return Message(content, node, MessageType.QUERY, ttl=self._timeout)


def _number(answer: Answer) -> int | None:
    if not isinstance(answer.content, RecordDict):
        return None
    try:
        return decode_device(answer.content)
    except Exception:
        # What a node sent may raise anything; it is then no number.
        return None
