"""The ranker that a run starts from: the same for whoever knows the settings."""

import hashlib
import json
from pathlib import Path

import torch

from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.settings import Ranking
from ranking.weights import load_weights, public_weights_path


def initial_ranker(ranking: Ranking, *, seed: int) -> Ranker:
    """Returns the ranker before training: the same for the same arguments and weights file.

    Raises:
        ValueError: ``ranking.weights`` names no usable file, or the encoder's own is not.
    """
    ranker = build_ranker(ranking, generator=_generator(seed))
    match ranking.weights:
        case None:
            ranker.encoder.begin()
        case "public":
            load_weights(ranker, public_weights_path(ranking.encoder.kind))
        case path:
            load_weights(ranker, Path(path))
    return ranker


def _generator(seed: int) -> torch.Generator:
    name = json.dumps([seed, "weights"]).encode()
    entropy = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    return torch.Generator().manual_seed(entropy)
