"""Ranges of settings, as ``annotated_types`` declares them beside a field."""

from collections.abc import Iterable, Iterator
from typing import Any

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt


def within(number: Any, limits: Iterable[Any]) -> bool:
    """Says whether ``number`` keeps to every one of ``limits``."""
    return all(_holds(number, limit) for limit in _single(limits))


def allowed(limits: Iterable[Any]) -> str:
    """Returns the limits in words, such as "above 0 and at most 1"."""
    return " and ".join(_words(limit) for limit in _single(limits))


def _single(limits: Iterable[Any]) -> Iterator[Any]:
    for limit in limits:
        if isinstance(limit, GroupedMetadata):
            yield from limit
        else:
            yield limit


def _holds(number: Any, limit: Any) -> bool:
    match limit:
        case Gt(gt=bound):
            return bool(number > bound)
        case Ge(ge=bound):
            return bool(number >= bound)
        case Lt(lt=bound):
            return bool(number < bound)
        case Le(le=bound):
            return bool(number <= bound)
    raise TypeError(f"{limit!r} is not a range")


def _words(limit: Any) -> str:
    match limit:
        case Gt(gt=bound):
            return f"above {bound}"
        case Ge(ge=bound):
            return f"at least {bound}"
        case Lt(lt=bound):
            return f"below {bound}"
        case Le(le=bound):
            return f"at most {bound}"
    raise TypeError(f"{limit!r} is not a range")
