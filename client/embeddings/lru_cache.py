"""What a process remembers between messages, up to a limit."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Values by key; those that were not asked for longest are forgotten first.

    The last value stays however heavy it is.
    """

    def __init__(self, *, weigh: Callable[[V], int]) -> None:
        """Begins empty.

        Args:
            weigh: Weight of one value, the same whenever it is asked.
        """
        self._weigh = weigh
        self._values: OrderedDict[K, V] = OrderedDict()
        self._weight = 0

    def get(self, key: K, make: Callable[[], V], *, limit: int) -> V:
        """Returns the value of ``key``, made when it is not remembered.

        Args:
            key: The key.
            make: Makes the value.
            limit: Largest weight of all values together.
        """
        if key not in self._values:
            self.put(key, make(), limit=limit)
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: K, value: V, *, limit: int) -> None:
        """Remembers ``value`` in the place of a former one of ``key``; the rest as ``get``."""
        self._forget(key)
        self._values[key] = value
        self._weight += self._weigh(value)
        while self._weight > limit and len(self._values) > 1:
            self._forget(next(iter(self._values)))

    @contextmanager
    def lent(self, key: K, make: Callable[[], V], *, limit: int) -> Iterator[V]:
        """Lends the value of ``key``; one whose borrower failed is not lent again."""
        value = self.get(key, make, limit=limit)
        try:
            yield value
        except BaseException:
            self._forget(key)
            raise

    def clear(self) -> None:
        """Forgets all."""
        self._values.clear()
        self._weight = 0

    def _forget(self, key: K) -> None:
        if key in self._values:
            self._weight -= self._weigh(self._values.pop(key))
