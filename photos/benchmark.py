"""Measures how fast a device's photos are made: ``python -m photos.benchmark``.

Run it with ``OMP_NUM_THREADS=1`` for the rate of one thread.
"""

import time
from collections.abc import Callable

from photos.settings import Photos
from photos.synthetic import public_library

SIDE = 48
DEVICES = 40


def photos_per_second(
    *, side: int, devices: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Returns how many photos a second the first ``devices`` public libraries are made at."""
    settings = Photos(
        source="synthetic",
        root=None,
        devices=devices,
        held_out_devices=0,
        held_out_share=0,
        side=side,
        taste=0,
        taste_cosine=1,
        taste_flips=0,
        context_preference=0,
    )
    started = clock()
    libraries = (public_library(settings, seed=0, device=number) for number in range(devices))
    photos = sum(len(moment.photos) for library in libraries for moment in library.moments)
    return photos / (clock() - started)


def main() -> None:
    """Prints the rate at the default size, after a warm-up."""
    photos_per_second(side=SIDE, devices=2)
    rate = photos_per_second(side=SIDE, devices=DEVICES)
    print(f"{rate:,.0f} photos of {SIDE} px per second")


if __name__ == "__main__":
    main()
