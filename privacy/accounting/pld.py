"""The reported ε: the least of several bounds, each of which holds."""

import math
from functools import lru_cache, partial

import numpy as np

from privacy.accounting import analytic_gaussian, rdp, renyi_conversion
from privacy.losses import loss_grid, step_losses
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import Crowds, alone, crowds

# An ε above it promises nothing, and a grid of its losses would take gigabytes: no grid is
# tried.
LARGEST_EPSILON = 100
# Composed steps on a grid at most: the rounding of more shows in the last digits of ε, and the
# grid would be very fine.
MOST_STEPS = 10_000_000
# The δ at which ε is found that chooses the width of a grid for many δ. Another one gives
# another width, which moves each δ a little and none below the truth.
USUAL_DELTA = 1e-5


@lru_cache(maxsize=4096)
def epsilon(
    *,
    rate: float,
    noise_multiplier: float,
    steps: int,
    delta: float,
    interval: float | None = None,
) -> float:
    """Returns an upper bound on ε, close to the true one.

    Neighbours differ by one example, added or removed; every example takes part in a step
    by its own coin; all steps are seen.

    Args:
        rate: Probability of an example in a step.
        noise_multiplier: Standard deviation over the clipping norm; 0 gives infinity.
        steps: Number of composed steps; 0 gives 0.
        delta: The δ of the guarantee.
        interval: Width of the grid of privacy losses; None for the reported ε. With a
            multiple of ``loss_grid.FINE`` ε is never lower: that is for searches.
    """
    return _least(
        alone(rate),
        noise_multiplier=noise_multiplier,
        steps=steps,
        delta=delta,
        interval=interval,
    )


@lru_cache(maxsize=4096)
def capped_epsilon(
    sampling: CappedPoissonSampling,
    *,
    noise_multiplier: float,
    rounds: int,
    delta: float,
    interval: float | None = None,
) -> float:
    """Returns an upper bound on the ε of a Gaussian sum over a capped Poisson sample.

    Neighbours differ in one member, whose term is zero in one of them: ``crowds.crowds`` says
    what it can meet in a round, and why that is enough.

    Args:
        sampling: Who takes part in a round, by a secret coin.
        noise_multiplier: Standard deviation over the largest norm; 0 gives infinity.
        rounds: Composed rounds, whose results are all seen; 0 gives 0.
        delta: The δ of the guarantee.
        interval: Same as for ``epsilon``.
    """
    return _least(
        crowds(sampling),
        noise_multiplier=noise_multiplier,
        steps=rounds,
        delta=delta,
        interval=interval,
    )


def _least(
    crowds: Crowds,
    *,
    noise_multiplier: float,
    steps: int,
    delta: float,
    interval: float | None,
) -> float:
    """The least of three bounds.

    The first takes no credit for sampling: a run is then one Gaussian mechanism, whose ε a
    smaller rate can only lower. The second is Rényi accounting. The third is privacy losses on
    a grid (Koskela et al. 2020), where the grid fits in memory.
    """
    if steps == 0:
        return 0.0
    if noise_multiplier < rdp.LEAST_NOISE:
        return math.inf
    unsampled = analytic_gaussian.epsilon(noise_multiplier / math.sqrt(steps), delta=delta)
    renyi = partial(
        rdp.crowded_epsilon,
        crowds,
        noise_multiplier=noise_multiplier,
        steps=steps,
        delta=delta,
    )
    found = min(unsampled, renyi(orders=rdp.WHOLE_ORDERS))
    if interval is None or found > LARGEST_EPSILON:
        # Most of the time of a search would go into fractional orders.
        found = min(found, renyi())
    if found == 0 or found > LARGEST_EPSILON or steps > MOST_STEPS:
        return found
    if interval is None:
        interval = min(loss_grid.FINE, loss_grid.width(found, steps=steps, delta=delta))
    on_grid = step_losses.epsilon(
        crowds, noise_multiplier=noise_multiplier, steps=steps, delta=delta, interval=interval
    )
    return min(found, on_grid)


def deltas(
    crowds: Crowds, *, noise_multiplier: float, steps: int, epsilons: tuple[float, ...]
) -> list[float]:
    """Returns upper bounds on δ at each ε: each the least of the bounds that ``epsilon`` takes.

    Args:
        crowds: What one can meet, as from ``crowds.crowds`` or ``crowds.alone``.
        noise_multiplier: Standard deviation over the largest norm; 0 gives ones.
        steps: Composed steps; 0 gives zeros.
        epsilons: Not negative.
    """
    if steps == 0:
        return [0.0] * len(epsilons)
    if noise_multiplier < rdp.LEAST_NOISE:
        return [1.0] * len(epsilons)
    divergences = rdp.divergences(crowds, noise_multiplier, steps=steps)
    renyi = dict(zip(rdp.ORDERS, divergences.tolist(), strict=True))
    unsampled = noise_multiplier / math.sqrt(steps)
    found = [
        min(
            renyi_conversion.delta(renyi, epsilon=one),
            analytic_gaussian.delta(one, noise=unsampled),
        )
        for one in epsilons
    ]
    about = renyi_conversion.epsilon(renyi, delta=USUAL_DELTA)
    if about > LARGEST_EPSILON or steps > MOST_STEPS:
        return found
    on_grid = step_losses.deltas(
        crowds,
        noise_multiplier=noise_multiplier,
        steps=steps,
        epsilons=np.array(epsilons),
        interval=loss_grid.width(about, steps=steps, delta=USUAL_DELTA),
    )
    return [min(one, other) for one, other in zip(found, on_grid.tolist(), strict=True)]
