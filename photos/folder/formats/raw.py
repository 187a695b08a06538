"""Camera raw: the preview inside it, which rawpy finds, where that is installed."""

from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from PIL import Image

from photos.folder.formats.exif import taken
from photos.folder.formats.jpeg import MAGIC, open_jpeg
from photos.folder.formats.stored import Beside, Stored
from photos.folder.formats.tiff_tags import Tiff
from photos.folder.skips import LARGEST_BYTES, Skip

# The tag of TIFF that holds a packet of XMP, by Adobe: of a DNG, and of some cameras.
_XMP = 0x02BC
# Bytes of a file that hold its directories, by which it is told when it was taken. Without it
# listing a library reads all of its bytes.
_FIRST = 2**18
# Bytes of such a packet that are read. Without it a tag may claim the whole file.
_LONGEST_PACKET = 2**24


def open_raw(data: bytes) -> Stored | Skip:
    """Opens the preview of a raw file, which the camera itself developed, or says why not.

    Where the preview has no time and no turn of its own, those of the file count: most raw
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
    if not isinstance(preview, bytes):
        return Stored(image=Image.fromarray(preview), beside=Beside(exif=(data,)))
    if not preview.startswith(MAGIC):
        return Skip.NO_PREVIEW
    stored = open_jpeg(preview)
    return replace(stored, beside=replace(stored.beside, exif=(*stored.beside.exif, data)))


def beside_raw(file: BinaryIO) -> Beside:
    """Returns what the file itself says; where that is no time, also what its preview says.

    Of a TIFF the beginning is read, and the packet wherever it is.
    """
    head = file.read(_FIRST)
    exif: tuple[bytes, ...] = (head,)
    xmp = _packets(head, file)
    if taken(exif) is None:
        file.seek(0)
        data = file.read(LARGEST_BYTES)
        exif = (data, *_of_preview(data))
    return Beside(exif=exif, xmp=xmp, openable=_has_reader())


def _packets(head: bytes, file: BinaryIO) -> tuple[bytes, ...]:
    tiff = Tiff.of(head)
    place, length = (0, 0) if tiff is None else tiff.extent(tiff.first_directory(), tag=_XMP)
    if not length:
        return ()
    file.seek(place)
    return (file.read(min(length, _LONGEST_PACKET)),)


def _of_preview(data: bytes) -> tuple[bytes, ...]:
    try:
        stored = open_raw(data)
    except Exception:
        # Of a damaged file rawpy raises errors of its own.
        return ()
    return () if isinstance(stored, Skip) else stored.beside.exif


def _has_reader() -> bool:
    try:
        import rawpy  # noqa: F401
    except ImportError:
        return False
    return True
