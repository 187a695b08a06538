"""What an attack proves: an ε that no accountant may undercut."""

import math

import numpy as np

from privacy import deferred

# Of the rounds in which one takes part, and of the noise: what lies beyond is left out, which
# lowers what is proven.
DEVIATIONS = 9.0
# Thresholds that the sum is held to, evenly from 0 on. Each proves a bound, so that fewer prove
# less: with 24 a test of how much is proven fails.
THRESHOLDS = 64
# Relative, above what float64 rounds. Without it more than the truth could seem proven, and a
# right accountant be called wrong.
ROUND_DOWN = 1 - 1e-6


def epsilon(*, rate: float, noise_multiplier: float, steps: int, delta: float) -> float:
    """Returns a lower bound on ε, by an attack that compares the sum of all releases.

    Guarantee: whatever is (ε, δ)-differentially private for all releases of Poisson-sampled
    sums with Gaussian noise is so for their sum, which is N(k, steps · σ²) with the number k of
    steps that one took part in, binomial where it was there and 0 where it was not. So
    P(sum > c) ≤ e^ε Q(sum > c) + δ for every threshold c, and the largest ε that one of them
    forces is returned. It is near the true one where a step reveals little.

    Args:
        rate: Probability of one in a step, whatever the others do.
        noise_multiplier: Standard deviation over the clipping norm; 0 gives 0, nothing proven.
        steps: Composed steps.
        delta: The δ of the guarantee.
    """
    if steps == 0 or noise_multiplier == 0:
        return 0.0
    deviation = noise_multiplier * math.sqrt(steps)
    spread = DEVIATIONS * math.sqrt(steps * rate * (1 - rate))
    low = max(0, math.floor(steps * rate - spread))
    numbers = np.arange(low, min(steps, math.ceil(steps * rate + spread)) + 1)
    likely = deferred.stats.binom.logpmf(numbers, steps, rate)
    borders = np.linspace(0, numbers[-1] / deviation + DEVIATIONS, THRESHOLDS)
    present = np.array(
        [
            deferred.special.logsumexp(
                likely + deferred.special.log_ndtr(numbers / deviation - border)
            )
            for border in borders
        ]
    )
    more = present > math.log(delta)
    kept, absent = present[more], deferred.special.log_ndtr(-borders[more])
    proven = kept + np.log(-np.expm1(math.log(delta) - kept)) - absent
    return max(0.0, float(proven.max(initial=0.0))) * ROUND_DOWN
