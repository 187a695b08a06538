"""Which people of a public set train, and which are held out: a device is one of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from photos.sets.settings import DownloadedPhotos


@dataclass(frozen=True, kw_only=True, slots=True)
class Devices:
    """The devices of a set by their numbers.

    Attributes:
        training: Names of those that may train, sorted: the numbers from 0.
        held_out: Names of those that never do: the numbers after these.
    """

    training: tuple[str, ...]
    held_out: tuple[str, ...]

    def name(self, device: int) -> str:
        """Returns the name of a device."""
        return (*self.training, *self.held_out)[device]


def of_one_list(photos: DownloadedPhotos, names: Collection[str]) -> Devices:
    """Numbers the people of a set by name: from the front they train, from the back never.

    Raises:
        ValueError: There are too few.
    """
    ordered = sorted(names)
    left = len(ordered) - photos.held_out_devices
    return _devices(photos, ordered[: max(0, left)], ordered[max(0, left) :])


def of_two_lists(
    photos: DownloadedPhotos, training: Collection[str], held_out: Collection[str]
) -> Devices:
    """Numbers the people of a set that says itself who trains.

    Raises:
        ValueError: There are too few of either.
    """
    return _devices(photos, sorted(training), sorted(held_out))


def _devices(
    photos: DownloadedPhotos, training: Sequence[str], held_out: Sequence[str]
) -> Devices:
    wanted = len(training) if photos.devices is None else photos.devices
    if not 1 <= wanted <= len(training) or photos.held_out_devices > len(held_out):
        raise ValueError(
            f"photos.devices={wanted or 'at least 1'} and photos.held_out_devices="
            f"{photos.held_out_devices} are more than the {len(training)} that may train and "
            f"the {len(held_out)} others in photos.root={photos.root}; lower either."
        )
    return Devices(
        training=tuple(training[:wanted]),
        held_out=tuple(held_out[: photos.held_out_devices]),
    )
