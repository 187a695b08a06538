"""Builds the ranker and says which of its parameters are trained."""

import math

import torch
from torch import nn

from ranking.model.lora import adapt, is_adapter
from ranking.model.ranker import Ranker
from ranking.settings import Trained

TASTE = "list_ranker.taste.weight"


def build_ranker(trained: Trained, *, generator: torch.Generator) -> Ranker:
    """Returns a ranker with random weights drawn from ``generator`` alone, and zero taste.

    The weights are the same for every ``trained``; ``lora`` adds adapters that do not change
    the function before they are trained.
    """
    with torch.device("meta"):
        ranker = Ranker()
    ranker.to_empty(device="cpu")
    for module in ranker.modules():
        _initialise(module, generator=generator)
    nn.init.zeros_(ranker.list_ranker.taste.weight)
    if trained == "lora":
        adapt(ranker.list_ranker.block, generator=generator)
        adapt(ranker.list_ranker.hidden, generator=generator)
    return ranker


def trainable_names(ranker: Ranker, trained: Trained) -> tuple[str, ...]:
    """Returns the names of the parameters that ``trained`` trains, in the ranker's order."""
    return tuple(name for name, _ in ranker.named_parameters() if _is_trained(name, trained))


def frozen_names(ranker: Ranker, trained: Trained) -> tuple[str, ...]:
    """Returns the names of all other parameters, in the ranker's order."""
    return tuple(
        name for name, _ in ranker.named_parameters() if not _is_trained(name, trained)
    )


def _is_trained(name: str, trained: Trained) -> bool:
    match trained:
        case "linear":
            return name == TASTE
        case "head":
            return name.startswith("list_ranker.") and name != TASTE
        case "lora":
            return is_adapter(name) or name.startswith("list_ranker.score.")
        case "all":
            return name != TASTE


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
