"""HEIC, as phones write it: decoded by pillow-heif, where that is installed."""

from io import BytesIO

from photos.folder.formats.stored import Beside, Stored
from photos.folder.skips import Skip

BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Names by which a file of HEIF calls itself."""


def open_heif(data: bytes) -> Stored | Skip:
    """Opens the main picture of a HEIC file, or says that there is nothing to decode it.

    The decoder turns it as the file itself asks; EXIF's turn, which says the same again, does
    not count, as the format demands. A small picture that the file holds beside is never taken
    in its place: nothing makes it one of the same.
    """
    try:
        from pillow_heif import HeifImageFile, libheif_info

        if not libheif_info()["decoders"]:
            return Skip.NO_HEIC
        image = HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call]
    except ImportError:
        return Skip.NO_HEIC
    return Stored(image=image, beside=Beside.of(image), upright=True)
