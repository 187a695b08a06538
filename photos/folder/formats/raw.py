"""Camera raw: the preview inside it, which rawpy finds, where that is installed."""

from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from PIL import Image

from photos.folder.formats.jpeg import MAGIC, open_jpeg
from photos.folder.formats.stored import Beside, Stored
from photos.folder.formats.tiff_tags import Tiff
from photos.folder.skips import LARGEST_BYTES, Skip

# The tag of TIFF that holds a packet of XMP, by Adobe: of a DNG, and of some cameras.
_XMP = 0x02BC
# Bytes of such a packet that are read. Without it a tag may claim the whole file.
_LONGEST_PACKET = 2**24


def open_raw(data: bytes) -> Stored | Skip:
    """Opens the preview of a raw file, which the camera itself developed, or says why not.

    Where the preview has no time, turn or rating of its own, those of the file count: most raw
    files are TIFF.
    """
    try:
        import rawpy
    except ImportError:
        return Skip.NO_RAW
    try:
        with rawpy.imread(BytesIO(data)) as raw:
            preview = raw.extract_thumb().data
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return Skip.NO_PREVIEW
    own = _own(data)
    if not isinstance(preview, bytes):
        return Stored(image=Image.fromarray(preview), beside=own)
    if not preview.startswith(MAGIC):
        return Skip.NO_PREVIEW
    stored = open_jpeg(preview)
    both = Beside(exif=(*stored.beside.exif, *own.exif), xmp=(*own.xmp, *stored.beside.xmp))
    return replace(stored, beside=both)


def beside_raw(file: BinaryIO) -> Beside:
    """Returns what ``open_raw`` finds beside the preview; the file's own where that fails."""
    data = file.read(LARGEST_BYTES)
    try:
        stored = open_raw(data)
    except Exception:
        # rawpy raises classes of its own for a file that is damaged.
        stored = Skip.DAMAGED
    return replace(_own(data), openable=False) if isinstance(stored, Skip) else stored.beside


def _own(data: bytes) -> Beside:
    tiff = Tiff.of(data)
    if tiff is None:
        return Beside()
    tags = tiff.tags(tiff.first_directory(), wanted={_XMP}, longest=_LONGEST_PACKET)
    packet = tags.get(_XMP)
    return Beside(exif=(data,), xmp=(packet,) if isinstance(packet, bytes) else ())
