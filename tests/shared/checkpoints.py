"""Checkpoints that no run made, and what one says."""

from dataclasses import asdict

import numpy as np

from privacy.ledger.chain import Head
from server.rounds.state import ServerState
from simulations.runs.checkpoints.checkpoint import Checkpoint, Counts

SIZE = 4


def some_checkpoint(number, *, moments=1, recent=2, **changes):
    draws = np.random.default_rng(number)

    def vector():
        return draws.standard_normal(SIZE).astype(np.float32)

    server = ServerState(
        round=number,
        parameters=vector(),
        model=vector(),
        moments=tuple(draws.standard_normal(SIZE) for _ in range(moments)),
        recent=tuple(vector() for _ in range(recent)),
        release={"clip": np.array(0.5), "noise.past": draws.standard_normal((2, SIZE))},
        ledger=Head(number + 1, "ab" * 32),
    )
    values = {
        "server": server,
        "heads": {"device": Head(number + 1, "ab" * 32), "example": Head(1, "0" * 64)},
        "counts": Counts(invited=5, admitted=3, declined={"spent": 2}, released={"clip": 0.5}),
        "rows": number + 1,
        "judged_round": number,
        "judged": vector(),
        "config": {"name": "a", "seed": 0, "server": {"rounds": 9}},
        "code": "0.1.0",
    }
    return Checkpoint(**{**values, **changes})


def told(checkpoint):
    """All that a checkpoint says, in values that compare bit for bit."""

    def plain(value):
        if isinstance(value, np.ndarray):
            return str(value.dtype), value.shape, value.tobytes()
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return tuple(plain(one) for one in value)
        return value

    return plain(asdict(checkpoint))
