"""A grid of stand-in devices, and the settings of a small run."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace

import numpy as np
import pytest
from flwr.app import Error, Message
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid
from rankings import ranking

from privacy.mechanisms.correlated.settings import MatrixSettings
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveSettings
from privacy.mechanisms.independent.settings import GaussianSettings
from protocol.messages import VisitTerms
from protocol.optimizers import Sgd
from protocol.rebuild import to_plain
from server.aggregation.uniform_mean import UniformMean
from server.settings import Server
from simulations.federation.flower_internals import identify, number


class DeviceGrid(Grid):
    """Answers each message by ``device(message)``; None is no answer.

    It is asked for each reply alone, as Flower's link is, and says of a silent device what the
    link says of one that is gone. What a device raises is raised when its reply is pulled.
    ``arrangement`` reorders, repeats or drops replies, as a network may, where all are asked
    for together.
    """

    def __init__(
        self,
        device: Callable[[Message], Message | None],
        nodes: Iterable[int] = (),
        *,
        arrangement: Callable[[list[Message]], list[Message]] = list,
    ) -> None:
        self.device = device
        self.nodes = list(nodes)
        self.arrangement = arrangement
        self.sent: list[Message] = []

    def push_messages(self, messages):
        sent = list(messages)
        for place, message in enumerate(sent, start=len(self.sent)):
            number(message, f"message-{place}")
        self.sent += sent
        return [message.metadata.message_id for message in sent]

    def pull_messages(self, message_ids):
        (message_id,) = message_ids
        place = int(message_id.removeprefix("message-"))
        reply = self.device(self.sent[place])
        return [gone(self.sent[place]) if reply is None else reply]

    def send_and_receive(self, messages, *, timeout=None):
        sent = list(messages)
        self.push_messages(sent)
        replies = [self.device(message) for message in sent]
        came = [reply for reply in replies if reply is not None]
        return self.arrangement(came) if came else []

    def get_node_ids(self):
        return self.nodes

    def set_run(self, run):
        raise NotImplementedError

    run = None

    def create_message(self, *arguments, **named):
        raise NotImplementedError


def gone(message: Message) -> Message:
    """What Flower's link itself answers for a node that is not there."""
    reply = Message(Error(ErrorCode.NODE_UNAVAILABLE, "gone"), reply_to=message)
    reply.metadata.__dict__["_src_node_id"] = reply.metadata.dst_node_id
    return reply


class Watcher:
    """Remembers what the strategy told it."""

    def __init__(self):
        self.begun = []
        self.outcomes = []

    def started(self, number, *, cohort):
        self.begun.append((number, cohort))

    def replied(self):
        pass

    def closed(self, outcome):
        self.outcomes.append(outcome)


@pytest.fixture(autouse=True)
def _identity():
    identify(1)


@pytest.fixture
def device_grid():
    return DeviceGrid


@pytest.fixture
def watcher():
    return Watcher()


@pytest.fixture
def settings():
    return Server(
        rounds=2,
        cohort=5.0,
        averaged=1,
        timeout=60.0,
        aggregation=UniformMean(),
        optimizer=Sgd(lr=1.0),
    )


@pytest.fixture
def terms():
    return VisitTerms(
        steps=1,
        rate=1.0,
        denominator=10.0,
        lr=1.0,
        clip=1.0,
        noise_multiplier=0.0,
        max_participations=0,
        private=True,
    )


@pytest.fixture
def start():
    return np.zeros(3, np.float32)


NUMBERS = {
    "epsilon": None,
    "noise_multiplier": 1.0,
    "delta": 1e-3,
    "clip": 1.0,
    "clipping": "whole",
    "largest_cohort": None,
}
ALONE = {"noise_cohort": None, "noise_population": None}
CORRELATED = {"strategy": "banded", "buffers": 2, "separation": None}


@pytest.fixture(scope="session")
def at_server():
    """Each mechanism by which a server protects devices: σ = 1, δ = 1e-3, a clip of 1."""
    return SimpleNamespace(
        independent=GaussianSettings(**NUMBERS, **ALONE, numbers="float64"),
        adaptive=AdaptiveSettings(
            **NUMBERS, **ALONE, quantile=0.5, clip_lr=0.2, count_share=0.1
        ),
        separated=MatrixSettings(**NUMBERS, **CORRELATED, participation="separated"),
        banded=MatrixSettings(**NUMBERS, **CORRELATED, participation="bands"),
    )


@pytest.fixture
def configuration():
    """What a server is told of a run of four devices, whose moments are hidden."""
    return {
        "seed": 1,
        "photos": {"devices": 4, "side": 48},
        "ranking": to_plain(ranking("linear")),
        "training": {
            "steps": 1,
            "rate": 1.0,
            "reference_size": 10,
            "largest_library": 10,
            "lr": 1.0,
            "seconds": None,
        },
        "privacy": {
            "noise": "secure",
            "claim": False,
            "example": {
                "mechanism": "dpsgd",
                "epsilon": None,
                "noise_multiplier": 1.0,
                "delta": 1e-5,
                "clip": 1.0,
                "numbers": "float64",
                "max_participations": 5,
            },
            "device": {"mechanism": "none"},
        },
        "server": {
            "rounds": 2,
            "cohort": 4.0,
            "averaged": 1,
            "timeout": 30.0,
            "aggregation": {"rule": "mean"},
            "optimizer": {"name": "sgd", "lr": 1.0},
        },
    }
