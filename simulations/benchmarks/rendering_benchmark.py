"""How fast made photos are rendered.

``python -m simulations.benchmarks.rendering_benchmark`` prints it; with ``OMP_NUM_THREADS=1``
it is the rate of one thread.
"""

import time
from collections.abc import Callable

import numpy as np

from photos.synthetic.owner import public_owner
from photos.synthetic.renderer import draw_scenery, render

SIDE = 48
"""Pixels of a photo's side: the default of ``photos.side``."""

DEVICES = 40
"""Devices whose photos are timed."""


def photos_per_second(
    *, side: int, devices: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Returns how many photos of the first ``devices`` public devices are drawn a second."""
    rolls = [public_owner(seed=0, device=number).roll for number in range(devices)]
    generator = np.random.default_rng(0)
    started = clock()
    for roll in rolls:
        render(roll, draw_scenery(roll.moments, generator), side=side, generator=generator)
    return sum(len(roll.moment_of) for roll in rolls) / (clock() - started)


def main() -> None:
    """Prints the rate at the default size, after a warm-up."""
    photos_per_second(side=SIDE, devices=2)
    rate = photos_per_second(side=SIDE, devices=DEVICES)
    print(f"{rate:,.0f} photos of {SIDE} px per second")


if __name__ == "__main__":
    main()
