"""The places of the synthetic population: colours of sky and ground, and how rough they are."""

import numpy as np

NAMES = ("landscape", "beach", "city", "night", "indoor", "snow", "sunset", "food")

# Red, green and blue of the sky from 0 to 1, a row for each name.
SKY = np.array(
    [
        [0.45, 0.65, 0.90],
        [0.50, 0.75, 0.95],
        [0.62, 0.66, 0.74],
        [0.07, 0.08, 0.20],
        [0.72, 0.62, 0.50],
        [0.78, 0.84, 0.92],
        [0.95, 0.55, 0.32],
        [0.55, 0.40, 0.30],
    ],
    dtype=np.float32,
)

# The same of the ground.
GROUND = np.array(
    [
        [0.25, 0.48, 0.22],
        [0.85, 0.76, 0.55],
        [0.34, 0.34, 0.37],
        [0.13, 0.12, 0.18],
        [0.48, 0.34, 0.24],
        [0.93, 0.94, 0.97],
        [0.33, 0.21, 0.30],
        [0.82, 0.80, 0.74],
    ],
    dtype=np.float32,
)

ROUGHNESS = np.array([0.30, 0.16, 0.34, 0.18, 0.22, 0.10, 0.20, 0.26], dtype=np.float32)
"""Contrast of the texture of each scene, as a share of its brightness."""
