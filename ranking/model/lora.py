"""Low-rank adapters: a few weights that bend a frozen linear layer (Hu et al. 2021)."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class AdaptedLinear(nn.Module):
    """A linear layer plus a product of two thin ones, which begins as zero.

    Args:
        base: The layer that is adapted.
        rank: Width between the thin layers.
    """

    def __init__(self, base: nn.Linear, *, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = _bare(base.in_features, rank)
        self.up = _bare(rank, base.out_features)

    def forward(self, inputs: Tensor) -> Tensor:
        """[*, in] to [*, out]."""
        outputs: Tensor = self.base(inputs) + self.up(self.down(inputs))
        return outputs


def adapt(module: nn.Module, *, rank: int, generator: torch.Generator) -> None:
    """Replaces every linear layer under ``module`` by an adapted one; the function stays.

    Args:
        module: Changed in place.
        rank: Rank of the adapters.
        generator: Draws the first thin layer; the second is zero.
    """
    for name, child in tuple(module.named_children()):
        if isinstance(child, nn.Linear):
            layer = AdaptedLinear(child, rank=rank)
            nn.init.kaiming_uniform_(layer.down.weight, a=math.sqrt(5), generator=generator)
            nn.init.zeros_(layer.up.weight)
            setattr(module, name, layer)
        else:
            adapt(child, rank=rank, generator=generator)


def under_adapters(
    weights: Mapping[str, Tensor], state: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Returns a plain module's ``weights`` under the names of ``state``, which may be adapted.

    Args:
        weights: The ``state_dict`` of the module before ``adapt``.
        state: The ``state_dict`` after it; gives the adapters' own weights.
    """
    names = {name.replace(".base.", "."): name for name in state}
    own = {name: value for name, value in state.items() if is_adapter(name)}
    return own | {names.get(name, name): value for name, value in weights.items()}


def is_adapter(name: str) -> bool:
    """Says whether a parameter's name is that of an adapter's."""
    return name.endswith((".down.weight", ".up.weight"))


def _bare(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer without bias whose weights await a draw that is not global."""
    return nn.Linear(inputs, outputs, bias=False, device="meta").to_empty(device="cpu")
