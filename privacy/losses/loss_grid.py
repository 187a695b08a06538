"""How wide the grid of privacy losses is."""

import math

# Width of the grid of the reported ε, in units of loss: its dots move ε by less than is printed
# where steps are few. On a wider one the golden figures are missed in their fourth digit.
FINE = 1e-4
# Relative: what the grid of a width from ``width`` adds to ε.
SHARE = 2e-4
# The width of a grid for a smaller ε is that for this one: else a search for next to none takes
# minutes.
LEAST_EPSILON = 0.01


def width(epsilon: float, *, steps: int, delta: float) -> float:
    """Returns the width of a fine grid: ``FINE`` times a whole number, or over a power of two.

    A grid whose dots are connected (Doroshenko et al., arXiv 2207.04380) adds about width²/6 to
    the variance of a step's loss and half of that to its mean, and ε is about the mean and
    √(2 ln 1/δ) deviations: by this rule it adds 0.02% to ε. Where few take part it adds far
    less.

    Args:
        epsilon: About the ε that will be found.
        steps: Composed steps.
        delta: The δ of the guarantee.
    """
    epsilon = max(epsilon, LEAST_EPSILON)
    spread = epsilon + 2 * math.log(1 / delta)
    times = epsilon * math.sqrt(12 * SHARE / (steps * spread)) / FINE
    return FINE * (math.floor(times) if times >= 1 else 2.0 ** math.floor(math.log2(times)))
