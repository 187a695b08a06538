"""Why a file or a moment is left out of a library."""

from enum import StrEnum

from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT

LARGEST_PIXELS = 64_000_000
"""Pixels of a photograph: as RGB they take 192 MB. Without it a small file that claims a huge
picture fills the memory."""
LARGEST_BYTES = 4 * LARGEST_PIXELS
"""Bytes of a photograph's file: four for each pixel, as if uncompressed. A larger WebP, which
is read as a whole, could fill the memory and end the process with all other photographs."""


class Skip(StrEnum):
    """A reason, in words that name no file: reasons are counted and printed."""

    OTHER_FILE = "not called like a photo: .jpg, .jpeg, .png, .webp, .heic, .heif, .avif or raw"
    MISPLACED = "photo outside a moment folder, or folder inside one"
    LINK = "symbolic link"
    UNREADABLE = "cannot be opened"
    NOT_A_PHOTO = "not a JPEG, PNG, WebP, HEIC, AVIF or camera raw inside"
    NO_HEIC = "HEIC photo without its decoder: run `.venv/bin/pip install pillow-heif`"
    NO_AVIF = "AVIF photo without its decoder: install a Pillow that was built with it"
    NO_RAW = 'camera raw without its reader: run `.venv/bin/pip install -e ".[raw]"`'
    NO_PREVIEW = "camera raw without a preview inside"
    RAW_TWIN = "camera raw of a photo beside it: one shot"
    TOO_LARGE = f"more than {LARGEST_PIXELS // 1_000_000} million pixels"
    TOO_SMALL = "fewer than 8 pixels on a side"
    LARGE_FILE = f"file of more than {LARGEST_BYTES // 1_000_000} million bytes"
    DAMAGED = "truncated or damaged"
    FEW_PHOTOS = f"moment of fewer than {SMALLEST_MOMENT} photos"
    MANY_PHOTOS = f"photo beyond the first {LARGEST_MOMENT} of its moment"
    EMPTY_DEVICE = "device folder without a photo"
    BAD_TABLE = "feedback.csv that cannot be read"
    BAD_ROW = "feedback.csv row that cannot be read"
    ROW_WITHOUT_PHOTO = "feedback.csv row for no photo"
    SEVERAL_PHOTOS = "feedback.csv row that could mean several photos"
    SECOND_ROW = "feedback.csv row for a photo that has one"
    UNKNOWN_FEEDBACK = "feedback.csv row with other feedback than favourite, keep or delete"
