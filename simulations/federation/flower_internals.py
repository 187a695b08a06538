"""Every private touch-point of Flower 1.41 that Darkroom needs: nothing else reaches inside."""

from flwr.app import Message
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

SERVER_NODE = 1
"""Node id that Flower gives to the server, its ``SUPERLINK_NODE_ID``."""


def identify(run_id: int) -> Run:
    """Names the process as the server's task of ``run_id``, and returns that run.

    Flower reads the identity when a message is made. It is global to the process, so one
    simulation runs at a time.
    """
    TaskIdentity.run_id = run_id
    TaskIdentity.node_id = SERVER_NODE
    TaskIdentity.task_id = 1
    return Run.create_empty(run_id)


def number(message: Message, message_id: str) -> None:
    """Gives ``message`` the id that a reply refers to."""
    message.metadata.__dict__["_message_id"] = message_id


def over_the_wire(message: Message) -> Message:
    """Returns ``message`` after a passage through Flower's wire format."""
    proto = message_to_proto(message)
    return message_from_proto(type(proto).FromString(proto.SerializeToString()))
