"""Tries an encoder that is not ours: what it gives must be a function of the photo alone.

The promise of a moment rests on embeddings that do not depend on other photos, bit for bit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

AT_ONCE = 16
"""Photos of every call where the encoder keeps them apart; else one by one. It is the batch of
``client.embeddings.examples``, which then goes through in one call."""

WIDEST = 4_096
"""Numbers of an embedding at most: a device keeps them of every photo, in memory."""

Embed = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What a trial found.

    Attributes:
        width: Numbers of an embedding.
        at_once: Photos of every call.
    """

    width: int
    at_once: int


@torch.no_grad()
def tried(embed: Embed, *, side: int, name: str, at_once: int | None = None) -> Tried:
    """Returns how wide an encoder is, and how many photos it may see at once.

    Args:
        embed: [n, 3, side, side] to [n, width].
        side: Pixels of a photo's side.
        name: What the encoder is called in a refusal.
        at_once: Photos of a call where it takes no other number.

    Raises:
        ValueError: What it gives is not [n, width] of finite float32 numbers, differs from call
            to call, or depends on the other photos; one sentence.
    """
    draws = torch.Generator("cpu").manual_seed(0)
    for count in (AT_ONCE, 1) if at_once is None else (at_once,):
        photos = torch.rand(count + 1, 3, side, side, generator=draws, device="cpu")
        width = _width(embed(photos[:count]), count, name)
        if not _steady(embed, photos):
            raise ValueError(
                f"{name} gives other numbers when it is asked again: take out its dropout, or "
                "whatever it draws or remembers."
            )
        if _apart(embed, photos):
            return Tried(width=width, at_once=count)
    raise ValueError(
        f"{name} embeds a photo otherwise when others are beside it, so that no ε of a moment "
        "would hold: export it without normalisation over a batch."
    )


def padded(embed: Embed, photos: Tensor, *, at_once: int) -> Tensor:
    """Returns [n, width] of [n, …] photos, ``at_once`` in every call, black ones among them."""
    calls = []
    for first in range(0, len(photos), at_once):
        some = photos[first : first + at_once]
        more = some.new_zeros(at_once - len(some), *some.shape[1:])
        calls.append(embed(torch.cat([some, more]))[: len(some)])
    return torch.cat(calls)


def _width(found: Tensor, count: int, name: str) -> int:
    if found.ndim != 2 or len(found) != count or found.dtype != torch.float32:  # noqa: PLR2004
        raise ValueError(
            f"{name} turns {count} photos into {found.dtype} of shape {tuple(found.shape)}: "
            "export a layer whose output is float32 [photos, width]."
        )
    if not 1 <= found.shape[1] <= WIDEST:
        raise ValueError(
            f"{name} gives {found.shape[1]} numbers for a photo, and 1 to {WIDEST} can be "
            "kept: export another layer."
        )
    if not found.isfinite().all():
        raise ValueError(
            f"{name} gives numbers that are not finite: check ranking.encoder.mean and "
            "ranking.encoder.deviation, or name another encoder."
        )
    return found.shape[1]


def _steady(embed: Embed, photos: Tensor) -> bool:
    """Whether the first photos are embedded alike before and after others are."""
    first = embed(photos[:-1])
    embed(photos[1:])
    return same(first, embed(photos[:-1]))


def _apart(embed: Embed, photos: Tensor) -> bool:
    """Whether the first photo, one amid a call and the last keep their bits alone."""
    count = len(photos) - 1
    together = embed(photos[:count])
    return all(
        same(padded(embed, photos[place : place + 1], at_once=count)[0], together[place])
        for place in {0, count // 2, count - 1}
    )


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two float32 tensors are equal bit for bit."""
    return torch.equal(one.contiguous().view(torch.int32), other.contiguous().view(torch.int32))
