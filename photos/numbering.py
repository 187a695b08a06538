"""Which folder of a root is which device."""

from collections.abc import Sequence
from pathlib import Path

from photos.settings import Photos


def numbered(folders: Sequence[Path], photos: Photos) -> tuple[Path, ...]:
    """Returns the devices' folders by number: those that may train, then those that never do.

    Training devices are taken from the front of ``folders`` and held-out ones from the back, so
    that both stay the same when the other count changes.

    Args:
        folders: All there are, sorted by name.
        photos: How many of each.

    Returns:
        None of them where there are too few.
    """
    available = len(folders) - photos.held_out_devices
    training = available if photos.devices is None else photos.devices
    if not 1 <= training <= available:
        return ()
    return (*folders[:training], *folders[available:])
