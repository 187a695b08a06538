"""A few tags of a TIFF directory, of which any may be rubbish, and none costs another."""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

Value = bytes | int
"""Bytes of text and of types without a meaning; of any other type the first whole number."""

# The number of a type -> struct's code of one value: the types of TIFF 6.0, and IFD.
_CODES = dict(zip(range(1, 14), ("s", "s", "H", "L", "LL", *"bshl", "ll", *"fdL"), strict=True))
# The types whose values are bytes: BYTE, ASCII and UNDEFINED.
_TEXTS = (1, 2, 7)
# The types whose values are a numerator over a denominator.
_RATIOS = (5, 10)
_ORDERS = {b"II": "<", b"MM": ">"}
# The number that follows the byte order in every TIFF header, in either order.
_VERSIONS = (b"*\0", b"\0*")
# Bytes of a directory's entry by TIFF 6.0: tag, type, count, and the value or its place.
_ENTRY = 12
# Bytes of a value that stands in its entry; of a longer one its place does.
_INLINE = 4
# Bytes of a value that are read: a time has 20. Without it a block of a megabyte, each of whose
# tags claims the whole block, takes 60 gigabytes.
_LONGEST = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Tiff:
    """A block of TIFF with its byte order; every place is counted from its header."""

    block: memoryview
    order: str

    @classmethod
    def of(cls, block: bytes | memoryview) -> "Tiff | None":
        """Returns the block, or None where its header is no TIFF header."""
        order = _ORDERS.get(bytes(block[:2]))
        if order is None or bytes(block[2:4]) not in _VERSIONS:
            return None
        return cls(block=memoryview(block), order=order)

    def first_directory(self) -> int:
        """Returns the place of the first directory; beyond the block where there is none."""
        place = self._numbers("L", 4)
        return int(place[0]) if place else len(self.block)

    def tags(self, directory: int, *, wanted: Collection[int]) -> dict[int, Value]:
        """Returns those of the wanted tags that a directory has and that can be read.

        Args:
            directory: Its place; one outside the block holds nothing.
            wanted: Numbers of tags. The others are not looked at.
        """
        found: dict[int, Value] = {}
        for place, tag, kind, count in self._entries(directory):
            value = self._value(kind, count, place) if tag in wanted else None
            if value is not None:
                found[tag] = value
        return found

    def extent(self, directory: int, *, tag: int) -> tuple[int, int]:
        """Returns the place of a tag's bytes and how many it says it has; nothing is read."""
        for place, number, kind, count in self._entries(directory):
            if number == tag and kind in _TEXTS and count > _INLINE:
                return int(self._numbers("L", place)[0]), count
        return 0, 0

    def _entries(self, directory: int) -> Iterator[tuple[int, int, int, int]]:
        """The place of the value, the tag, its type and count, as far as entries are whole."""
        length = self._numbers("H", directory)
        if not length:
            return
        start = directory + 2
        whole = min(int(length[0]), (len(self.block) - start) // _ENTRY)
        entries = self.block[start : start + whole * _ENTRY]
        for number, entry in enumerate(struct.iter_unpack(f"{self.order}HHL4x", entries)):
            yield start + number * _ENTRY + _ENTRY - _INLINE, *entry

    def _value(self, kind: int, count: int, place: int) -> Value | None:
        code = _CODES.get(kind)
        if code is None or not count:
            return None
        if count * struct.calcsize(f"={code}") > _INLINE:
            place = int(self._numbers("L", place)[0])
        if kind in _TEXTS:
            return bytes(self.block[place : place + min(count, _LONGEST)]) or None
        numbers = self._numbers(code, place)
        if not numbers:
            return None
        return _whole(*numbers) if kind in _RATIOS else _whole(numbers[0])

    def _numbers(self, code: str, place: int) -> tuple[int | float, ...]:
        """What stands at a place; nothing where it is outside the block."""
        size = struct.calcsize(f"={code}")
        if not 0 <= place <= len(self.block) - size:
            return ()
        return struct.unpack_from(self.order + code, self.block, place)


def _whole(numerator: float, denominator: float = 1) -> int | None:
    if not denominator or numerator % denominator:
        return None
    return int(numerator // denominator)
