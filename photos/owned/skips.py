"""Why a file or a moment of one's own library is left out."""

from enum import StrEnum

from photos.library import SMALLEST_MOMENT


class Left(StrEnum):
    """A reason, in words that name no file; ``photos.folder.skips`` has those of decoding."""

    FILM = "film"
    LIVE_FILM = "film of a live photo"
    OTHER_FILE = "file of another kind"
    COMPANION = "sidecar of no photo"
    PACKAGE = "library of a photo program: export from it"
    LOOSE = "photo outside a device folder"
    COPY = "copy of a photo, byte for byte"
    BAD_SIDECAR = "sidecar that cannot be read"
    BAD_RATING = "rating out of range"
    ALONE = f"moment of fewer than {SMALLEST_MOMENT} photos"
    NO_ORDER = "moment whose photos all have the same feedback"
    NO_PHOTO = "library without a photo"
