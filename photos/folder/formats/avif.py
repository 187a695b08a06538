"""AVIF: decoded by Pillow, where it was built with the decoder."""

from collections.abc import Iterator
from io import BytesIO

from PIL import features
from PIL.AvifImagePlugin import AvifImageFile

from photos.folder.formats.stored import Beside, Stored
from photos.folder.skips import Skip

BRANDS = frozenset({b"avif", b"avis"})
"""Names by which a file of AVIF calls itself."""

# Bytes of a box's head: its length and its kind.
_HEAD = 8


def open_avif(data: bytes) -> Stored | Skip:
    """Opens an AVIF, or says that there is nothing to decode it; of a film the first picture.

    How it is to be turned the file itself says, and Pillow passes it on as EXIF.
    """
    if not features.check("avif"):
        return Skip.NO_AVIF
    try:
        image = AvifImageFile(BytesIO(data))
    except Exception:
        # Pillow reads EXIF before it has a picture: where that cannot be, it is read without.
        image = AvifImageFile(BytesIO(_without_exif(data)))
    return Stored(image=image, beside=Beside.of(image))


def _without_exif(data: bytes) -> bytes:
    """The file with another name for the kind of its EXIF, which no decoder knows."""
    whole = bytearray(data)
    for start, end, kind in _boxes(data):
        if kind == b"meta":
            whole[start:end] = whole[start:end].replace(b"Exif", b"none")
    return bytes(whole)


def _boxes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    while place + _HEAD <= len(data):
        length = int.from_bytes(data[place : place + 4])
        yield place, place + length, data[place + 4 : place + _HEAD]
        if length < _HEAD:  # the last box, or one of more than 4 GB
            return
        place += length
