"""Rankers of the default sizes, without composing a configuration."""

from typing import Any

import torch

from ranking.encoders import Drawn
from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.settings import RANKINGS, Ranking, Trained
from ranking.sizes import ListTransformer

ENCODER = Drawn(width=64, depth=2, heads=4)
LIST = ListTransformer(
    kind="transformer",
    own=10,
    scenes=8,
    width=64,
    depth=2,
    heads=4,
    hidden=64,
    context=23,
    attend=True,
)


def ranking(trained: Trained, **changes: Any) -> Ranking:
    """Returns the settings of ``conf/ranking/{trained}.yaml`` from random weights."""
    more = {"rank": 4} if trained == "lora" else {}
    chosen = {
        "encoder": ENCODER,
        "list": LIST,
        "context": True,
        "loss": "softmax",
        "weights": None,
        **more,
        **changes,
    }
    return RANKINGS[trained](trained=trained, **chosen)


def ranker(trained: Trained, *, seed: int = 0, **changes: Any) -> Ranker:
    """Returns a ranker with random weights."""
    generator = torch.Generator().manual_seed(seed)
    return build_ranker(ranking(trained, **changes), generator=generator)
