"""What decodes photographs here: with another decoder a file may have other pixels."""

from importlib.metadata import PackageNotFoundError, version

from PIL import features

FRAMED_AS = 1
"""Number of the way from a file to the square that is ranked; it rises when one of the modules
of ``photos.folder`` gives another square of the same file. Without it a cache keeps embeddings
of squares that are no longer made."""

_PACKAGES = ("pillow", "pillow-heif", "rawpy", "numpy")
# Libraries that Pillow may take from the system, in whatever version that has.
_LIBRARIES = ("jpg", "zlib", "webp", "avif")


def decoders() -> list[str]:
    """Returns the versions of all that pixels depend on beside the file."""
    return [
        str(FRAMED_AS),
        *(f"{name} {_version(name)}" for name in _PACKAGES),
        *(f"{name} {features.version(name) or ''}" for name in _LIBRARIES),
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
