"""The named orders of a population on the held-out moments."""

import numpy as np

from photos.source import PhotoSource
from simulations.evaluation.figures import Figures, judge
from simulations.evaluation.held_out import HeldOut


def judged(source: PhotoSource, held_out: HeldOut) -> dict[str, Figures]:
    """Judges every named order of ``source``; where tastes are unknown there is none."""
    by_device = [source.orders(device) for device in held_out.devices]
    scores = {name: np.zeros(held_out.where.shape) for name in by_device[0]}
    owners = zip(held_out.device_of, held_out.numbers, strict=True)
    for row, (device, number) in enumerate(owners):
        for name, moments in by_device[device].items():
            values = moments[number]
            scores[name][row, : len(values)] = values
    return {name: judge(values, held_out) for name, values in scores.items()}
