"""Every cohort of a small population, counted out: what draws under a cap are compared with."""

import itertools
import math


def cohorts(chosen):
    """Each cohort with its probability, from all coins and all ways to cut to the cap."""
    for coins in itertools.product([0, 1], repeat=chosen.devices):
        drawn = [device for device, coin in enumerate(coins) if coin]
        likely = math.prod(chosen.rate if coin else 1 - chosen.rate for coin in coins)
        parts = list(itertools.combinations(drawn, min(len(drawn), chosen.cap)))
        yield from ((likely / len(parts), part) for part in parts)
