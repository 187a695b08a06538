"""The rounds of a run: Flower's own loop without its log and without its evaluation."""

from flwr.app import ConfigRecord
from flwr.serverapp import Grid

from protocol.messages import Vector
from server.rounds.strategy import RoundStrategy, arrays_of, vector


def run(
    strategy: RoundStrategy,
    grid: Grid,
    parameters: Vector,
    *,
    rounds: int,
    timeout: float,
) -> Vector:
    """Runs ``rounds`` rounds from ``parameters`` and returns the model they came to.

    A round waits at most ``timeout`` seconds for its replies. Where the last parameters alone
    count, the result is that of ``strategy.start``.
    """
    arrays = arrays_of(parameters)
    for number in range(1, rounds + 1):
        messages = strategy.configure_train(number, arrays, ConfigRecord(), grid)
        replies = grid.send_and_receive(messages, timeout=timeout)
        released, _ = strategy.aggregate_train(number, replies)
        arrays = released or arrays
    return vector(arrays) if strategy.model is None else strategy.model
