"""The head of a photograph's file: its format, and the blocks of EXIF and XMP in it."""

from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from photos.folder.formats.heif import BRANDS
from photos.owned.metadata.png_chunks import late_chunks

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
# Bytes of a file of boxes: the kind of the first, and the name that it calls itself by.
_KIND, _BRAND = slice(4, 8), slice(8, 12)


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What stands before, or behind, the pixels of a file.

    Attributes:
        format: Pillow's name of the format.
        exif: The block of EXIF, or nothing.
        xmp: The packet of XMP, or nothing.
    """

    format: str
    exif: bytes
    xmp: bytes


def read_head(file: BinaryIO) -> Head:
    """Reads a file's head; no pixel is decoded.

    Pillow would decode a PNG file to find what it has behind its pixels; here its chunks are
    passed over.

    Raises:
        Exception: The file is no photo, or a hostile one: Pillow raises almost anything.
    """
    with _opened(file) as image:
        name, blocks = image.format or "", [image.info.get(one) for one in ("exif", "xmp")]
    exif, xmp = (block if isinstance(block, bytes) else b"" for block in blocks)
    if name == "PNG" and not (exif and xmp):
        late_exif, late_xmp = late_chunks(file)
        exif, xmp = exif or late_exif, xmp or late_xmp
    return Head(format=name, exif=exif, xmp=xmp)


def _opened(file: BinaryIO) -> Image.Image:
    start = file.read(_BRAND.stop)
    file.seek(0)
    if start[_KIND] == b"ftyp" and start[_BRAND] in BRANDS:
        from pillow_heif import HeifImageFile

        opened: Image.Image = HeifImageFile(file)  # type: ignore[no-untyped-call]
        return opened
    Image.init()
    return Image.open(file, formats=[one for one in _FORMATS if one in Image.OPEN])
