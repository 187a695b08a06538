import threading

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from server.rounds.outcome import KnowsDirectory, RoundObserver
from simulations.federation.faults import Faults
from simulations.federation.grid import FIRST_NODE, CohortTraining, InProcessGrid

SECRET = "her name is in the exception"


class Watcher:
    def __init__(self):
        self.seen = 0

    def started(self, number, *, cohort):
        self.seen = 0

    def replied(self):
        self.seen += 1

    def closed(self, outcome):
        pass


def counting_app():
    app = ClientApp()

    @app.train()
    def train(message, context):
        device = context.node_config["partition-id"]
        if device == 3:
            raise RuntimeError(SECRET)
        visits = int(context.state["visits"]["n"]) if "visits" in context.state else 0
        context.state["visits"] = ConfigRecord({"n": visits + 1})
        message.content["config"]["seen"] = message.content["config"].get("seen", 0) + 1
        (values,) = message.content["arrays"].to_numpy_ndarrays()
        content = RecordDict(
            {
                "config": ConfigRecord(
                    {
                        "device": device,
                        "visits": visits + 1,
                        "seen": message.content["config"]["seen"],
                    }
                ),
                "arrays": ArrayRecord([values + device]),
            }
        )
        return Message(content, reply_to=message)

    return app


def grid(devices=10, watcher=None, **changes):
    faults = Faults(seed=0, dropout=changes.pop("dropout", 0.0), latency=0.0, timeout=1.0)
    return InProcessGrid(
        counting_app(),
        devices,
        run_config={"config": "{}"},
        observer=watcher or Watcher(),
        faults=faults,
        **changes,
    )


def messages(devices, content=None):
    shared = content or RecordDict(
        {
            "arrays": ArrayRecord([np.arange(3, dtype=np.float32)]),
            "config": ConfigRecord({"round": 1}),
            "metrics": MetricRecord({"m": 1.0}),
        }
    )
    return [Message(shared, FIRST_NODE + d, "train", group_id="1") for d in devices]


def test_a_grid_tells_its_directory_and_watches_the_rounds():
    assert isinstance(grid(), KnowsDirectory)
    assert isinstance(grid(), RoundObserver)


def test_replies_come_in_the_order_of_the_messages():
    replies = list(grid().send_and_receive(messages([5, 1, 9])))
    assert [reply.metadata.src_node_id - FIRST_NODE for reply in replies] == [5, 1, 9]
    assert [reply.content["config"]["device"] for reply in replies] == [5, 1, 9]


def test_no_messages_give_no_replies():
    assert list(grid().send_and_receive([])) == []


def test_a_device_that_changes_what_it_got_changes_it_for_no_other():
    replies = list(grid().send_and_receive(messages([0, 1, 2])))
    assert [reply.content["config"]["seen"] for reply in replies] == [1, 1, 1]


def test_a_device_remembers_its_state_from_message_to_message():
    a_grid = grid()
    for visit in (1, 2, 3):
        (reply,) = a_grid.send_and_receive(messages([4]))
        assert reply.content["config"]["visits"] == visit


def test_an_exception_becomes_an_error_without_its_text(caplog):
    (reply,) = grid().send_and_receive(messages([3]))
    assert reply.has_error()
    assert reply.error.reason == "device failed"
    assert SECRET not in str(reply.error)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("strict", [False, True])
def test_the_wire_format_changes_no_reply(strict):
    replies = list(grid(strict=strict).send_and_receive(messages([0, 3, 7])))
    assert [reply.has_error() for reply in replies] == [False, True, False]
    arrays = [reply.content["arrays"].to_numpy_ndarrays()[0].tolist() for reply in replies[::2]]
    assert arrays == [[0, 1, 2], [7, 8, 9]]


def test_lost_replies_are_left_out_and_the_others_stay_in_order():
    watcher = Watcher()
    replies = list(grid(40, watcher, dropout=0.5).send_and_receive(messages(range(10, 40))))
    numbers = [reply.metadata.src_node_id for reply in replies]
    assert 5 < len(numbers) < 25
    assert numbers == sorted(numbers)
    assert watcher.seen == 30


def test_a_device_works_only_when_its_reply_is_pulled():
    a_grid = grid()
    replies = iter(a_grid.send_and_receive(messages([0, 1, 2])))
    next(replies)
    assert len(a_grid._contexts) == 1


def test_a_million_devices_cost_nothing_before_they_are_asked():
    a_grid = grid(1_000_000)
    assert len(a_grid.get_node_ids()) == 1_000_000
    assert not a_grid._contexts
    (reply,) = a_grid.send_and_receive(messages([999_999]))
    assert reply.content["config"]["device"] == 999_999


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_device_with_messages_in_several_parts_answers_them_in_order(at_once):
    def in_turn(cohort):
        app = counting_app()
        return [app(message, context) for message, context in cohort]

    a_grid = grid(100, cohort=CohortTraining(train=in_turn, at_once=at_once))
    asked = [device for _ in range(3) for device in range(10, 74)]
    replies = list(a_grid.send_and_receive(messages(asked)))
    assert [reply.metadata.src_node_id - FIRST_NODE for reply in replies] == asked
    visits = [reply.content["config"]["visits"] for reply in replies if not reply.has_error()]
    assert sorted(set(visits)) == [1, 2, 3]
    assert visits == sorted(visits)


@pytest.mark.parametrize("end", [KeyboardInterrupt, GeneratorExit, ValueError])
def test_whoever_pulls_no_longer_stops_what_is_under_way(end):
    stopped = threading.Event()

    def slow(cohort):
        assert stopped.wait(30)
        return []

    def quick_or_slow(cohort):
        first = cohort[0][0].metadata.dst_node_id == FIRST_NODE + 10
        app = counting_app()
        return [app(*one) for one in cohort] if first else slow(cohort)

    training = CohortTraining(train=quick_or_slow, at_once=2, stop=stopped.set)
    replies = grid(300, cohort=training).send_and_receive(messages(range(10, 300)))
    next(replies)
    with pytest.raises(end):
        replies.throw(end())
    assert stopped.is_set()
