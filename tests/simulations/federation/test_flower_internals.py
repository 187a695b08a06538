"""Flower's private touch-points are where Darkroom reaches for them."""

from flwr.app import ConfigRecord, Message, RecordDict

from simulations.federation import flower_internals


def test_the_private_touch_points_of_flower_exist():
    run = flower_internals.identify(7)
    assert run.run_id == 7
    message = Message(RecordDict(), 5, "train")
    flower_internals.number(message, "an id")
    assert message.metadata.message_id == "an id"
    assert message.metadata.src_node_id == flower_internals.SERVER_NODE
    assert flower_internals.over_the_wire(message).metadata.message_id == "an id"


def test_what_passes_through_the_wire_format_is_another_object_with_the_same_content():
    flower_internals.identify(1)
    message = Message(RecordDict({"config": ConfigRecord({"n": 3})}), 5, "train")
    passed = flower_internals.over_the_wire(message)
    passed.content["config"]["n"] = 4
    assert message.content["config"]["n"] == 3
