"""Builds the ranker and says which of its parameters are trained."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import nn

from ranking.model.lora import adapt, is_adapter
from ranking.model.ranker import Ranker
from ranking.settings import Lora, Ranking, Trained

TASTE, TOKEN = "list_ranker.taste.weight", "list_ranker.token.weight"
BY_SCENE = "list_ranker.scene_token.weight"
READER, SCENE = "list_ranker.reader.", "list_ranker.reader.scene."
ENCODER = "encoder."


def build_ranker(ranking: Ranking, *, generator: torch.Generator) -> Ranker:
    """Returns a ranker with random weights drawn from ``generator`` alone.

    The weights are the same for every ``ranking.trained``; ``lora`` adds adapters that do not
    change the function before they are trained. What is added to the token's score is zero.

    Raises:
        ValueError: The sizes do not fit each other; one sentence.
    """
    if flaw := ranking.flaw():
        raise ValueError(flaw)
    with torch.device("meta"):
        ranker = Ranker(ranking)
    ranker.to_empty(device="cpu")
    for module in ranker.modules():
        _initialise(module, generator=generator)
    nn.init.zeros_(ranker.list_ranker.taste.weight)
    nn.init.zeros_(ranker.list_ranker.scene_token.weight)
    if isinstance(ranking, Lora):
        adapt(ranker.list_ranker.reader, rank=ranking.rank, generator=generator)
    return ranker


def trainable_names(ranker: Ranker, trained: Trained) -> tuple[str, ...]:
    """Returns the names of the parameters that ``trained`` trains, in the ranker's order."""
    return tuple(name for name, _ in ranker.named_parameters() if PARTS[trained](name))


def frozen_names(ranker: Ranker, trained: Trained) -> tuple[str, ...]:
    """Returns the names of all other parameters, in the ranker's order."""
    return tuple(name for name, _ in ranker.named_parameters() if not PARTS[trained](name))


def _reads_features(name: str) -> bool:
    """Whether a parameter changes the features; the scene's do not, while no weight asks."""
    return name.startswith(READER) and not name.startswith(SCENE)


PARTS: Mapping[Trained, Callable[[str], bool]] = MappingProxyType(
    {
        "taste": lambda name: name == TOKEN,
        "taste_scenes": lambda name: name in (TOKEN, BY_SCENE),
        "linear": lambda name: name == TASTE,
        "head": _reads_features,
        "lora": lambda name: is_adapter(name) and _reads_features(name),
        "all": lambda name: _reads_features(name) or name.startswith(ENCODER),
    }
)
"""Which parameters each choice trains, by their names."""


def _initialise(module: nn.Module, *, generator: torch.Generator) -> None:
    match module:
        case nn.Linear() | nn.Conv2d():
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        case nn.LayerNorm() | nn.GroupNorm():
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        case _ if any(True for _ in module.parameters(recurse=False)):
            raise TypeError(f"{type(module).__name__} has parameters and no way to begin.")
