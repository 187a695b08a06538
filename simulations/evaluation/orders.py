"""The named orders of a synthetic population on the held-out moments."""

import numpy as np

from photos.settings import Photos
from photos.synthetic.ceilings import ceiling_scores
from simulations.evaluation.figures import Figures, judge
from simulations.evaluation.held_out import HeldOut


def judged(photos: Photos, held_out: HeldOut, *, seed: int) -> dict[str, Figures]:
    """Judges every named order, from random to Bayes; real photographs have none."""
    if not held_out.taste_known:
        return {}
    by_device = [ceiling_scores(photos, seed=seed, device=d) for d in held_out.devices]
    scores = {name: np.zeros(held_out.where.shape) for name in by_device[0]}
    owners = zip(held_out.device_of, held_out.numbers, strict=True)
    for row, (device, number) in enumerate(owners):
        for name, moments in by_device[device].items():
            values = moments[number]
            scores[name][row, : len(values)] = values
    return {name: judge(values, held_out) for name, values in scores.items()}
