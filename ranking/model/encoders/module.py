"""An encoder in a package that the user installed, found by its entry point."""

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import torch
from torch import Tensor, nn

from protocol.rebuild import shown
from ranking.encoders import External
from ranking.model.encoders.external import Opened
from ranking.model.encoders.trial import tried

GROUP = "darkroom.encoders"
"""The group of entry points that a package adds its encoders to."""

MUST = "it must turn float32 [photos, 3, side, side] into [photos, width]"


def opened(settings: External) -> Opened:
    """Returns the encoder of ``settings``, made once in a process.

    Raises:
        ValueError: No package has it, two have, or it is no encoder; one sentence.
    """
    return _opened(settings.unpinned())


@lru_cache(maxsize=4)
def _opened(settings: External) -> Opened:
    point = _point(settings.place)
    with torch.device("cpu"):
        made = _made(point, settings)
        digest = _digest(point, made)
        embed = _embedding(made)
        try:
            trial = tried(embed, side=settings.side, name=settings.called)
        except ValueError:
            raise
        except Exception as failure:
            raise ValueError(
                f"{settings.called} fails on photos of {settings.side} pixels "
                f"({type(failure).__name__}): {MUST}."
            ) from failure
    return Opened(embed=embed, tried=trial, digest=digest)


def _point(name: str) -> EntryPoint:
    there = entry_points(group=GROUP)
    found = [point for point in there if point.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"ranking.encoder.name={name} is an entry point of {len(found)} packages that are "
            "installed: uninstall all but one."
        )
    names = ", ".join(sorted(point.name for point in there)) or "none"
    raise ValueError(
        f"ranking.encoder.name={name} is no entry point of the group {GROUP} of an installed "
        f"package, where there is {names}: install the package that has it, or name another."
    )


def _made(point: EntryPoint, settings: External) -> Callable[[Tensor], Any]:
    """What the entry point makes of the settings; its code is the user's, and may fail."""
    try:
        made = point.load()(settings)
    except Exception as failure:
        raise ValueError(
            f"{settings.called} cannot be made ({type(failure).__name__}: "
            f"{shown(str(failure))}): mend the package, or name another."
        ) from failure
    if not callable(made):
        raise ValueError(
            f"{settings.called} makes {type(made).__name__}, which cannot be called: {MUST}."
        )
    return made.eval().requires_grad_(False) if isinstance(made, nn.Module) else made


def _embedding(made: Callable[[Tensor], Any]) -> Callable[[Tensor], Tensor]:
    def embed(photos: Tensor) -> Tensor:
        if isinstance(made, nn.Module):
            made.to(photos.device)
        found = made(photos)
        if not isinstance(found, Tensor):
            raise TypeError("what it gives is no tensor")
        return found

    return embed


def _digest(point: EntryPoint, made: object) -> str:
    """Of the entry point, its package's name and version, and every weight."""
    package = point.dist
    facts = [point.name, package.name if package else "", package.version if package else ""]
    digest = hashlib.sha256(json.dumps(facts).encode())
    weights = made.state_dict() if isinstance(made, nn.Module) else {}
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f"\n{name}{list(value.shape)}{value.dtype}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
