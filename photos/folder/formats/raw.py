"""Camera raw: the preview inside it, which rawpy finds, where that is installed."""

from dataclasses import replace
from io import BytesIO

from PIL import Image

from photos.folder.formats.jpeg import MAGIC, open_jpeg
from photos.folder.formats.stored import Stored
from photos.folder.skips import Skip


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
        return Stored(image=Image.fromarray(preview), exif=(data,))
    if not preview.startswith(MAGIC):
        return Skip.NO_PREVIEW
    stored = open_jpeg(preview)
    return replace(stored, exif=(*stored.exif, data))
