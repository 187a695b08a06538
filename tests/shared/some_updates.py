"""Updates of lengths from far below any clip to far above it."""

import numpy as np


def updates(seed, count, *, size):
    draws = np.random.default_rng(seed)
    scales = draws.choice([1e-3, 1.0, 1e6], size=(count, 1))
    return list((scales * draws.normal(size=(count, size))).astype(np.float32))
