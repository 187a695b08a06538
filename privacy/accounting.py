"""The ε that is told: privacy loss distributions of the Poisson-subsampled Gaussian."""

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial

from dp_accounting import (
    DpEvent,
    GaussianDpEvent,
    NeighboringRelation,
    PoissonSampledDpEvent,
    SelfComposedDpEvent,
    TruncatedSubsampledGaussianDpEvent,
)
from dp_accounting.pld import PLDAccountant

from privacy import analytic_gaussian, rdp
from privacy.cohort_sampling import CappedPoissonSampling

FINE = 1e-4
LARGEST_EPSILON = 100
MOST_STEPS = 300_000
LEAST_CAPPED = 0.2
SPARED = 1e-3


@lru_cache(maxsize=4096)
def epsilon(
    *,
    rate: float,
    noise_multiplier: float,
    steps: int,
    delta: float,
    interval: float = FINE,
) -> float:
    """Returns an upper bound on ε, close to the true one (Koskela et al. 2020).

    Neighbours differ by one example, added or removed; every example takes part in a step
    by its own coin; all steps are seen.

    Args:
        rate: Probability of an example in a step.
        noise_multiplier: Standard deviation over the clipping norm; 0 gives infinity.
        steps: Number of composed steps; 0 gives 0.
        delta: The δ of the guarantee.
        interval: Width of the grid of privacy losses; the bound holds for every width.
            Where ε is near 100 or beyond, or steps are over 300,000, a grid would take
            gigabytes or minutes: then the bound is that of Rényi accounting.
    """
    if steps == 0:
        return 0.0
    if noise_multiplier == 0:
        return float("inf")
    event = PoissonSampledDpEvent(rate, GaussianDpEvent(noise_multiplier))
    renyi = partial(
        rdp.epsilon, rate=rate, noise_multiplier=noise_multiplier, steps=steps, delta=delta
    )
    if steps > MOST_STEPS or renyi(orders=rdp.WHOLE_ORDERS) > LARGEST_EPSILON:
        return renyi()
    relation = NeighboringRelation.ADD_OR_REMOVE_ONE
    return _on_grid(event, steps, relation=relation, delta=delta, interval=interval)


@lru_cache(maxsize=4096)
def capped_epsilon(
    sampling: CappedPoissonSampling,
    *,
    noise_multiplier: float,
    rounds: int,
    delta: float,
    interval: float = FINE,
) -> float:
    """Returns an upper bound on the ε of a Gaussian sum over a capped Poisson sample.

    Neighbours differ in one member, whose term is zero in one of them (arXiv 2508.15089). Where
    the cap hardly ever cuts, the bound is that of Poisson sampling without it, at a δ smaller
    by what the cuts can add: sooner found, and larger in the fourth place at most.

    Args:
        sampling: Who takes part in a round, by a secret coin.
        noise_multiplier: Standard deviation over the largest norm; 0 gives infinity.
        rounds: Composed rounds, whose results are all seen; 0 gives 0.
        delta: The δ of the guarantee.
        interval: As of ``epsilon``; wider where ε is above 1, in proportion.
    """
    if rounds == 0:
        return 0.0
    if noise_multiplier == 0:
        return float("inf")
    if noise_multiplier < LEAST_CAPPED:
        # A grid of such losses would take gigabytes: no credit for sampling, or Rényi's.
        unsampled = noise_multiplier / math.sqrt(rounds)
        renyi = capped_renyi(
            sampling, noise_multiplier=noise_multiplier, rounds=rounds, delta=delta
        )
        return min(analytic_gaussian.epsilon(unsampled, delta=delta), renyi)
    rough = rdp.epsilon(
        rate=sampling.rate,
        noise_multiplier=noise_multiplier,
        steps=rounds,
        delta=delta,
        orders=rdp.WHOLE_ORDERS,
    )
    interval = max(interval, FINE * min(rough, LARGEST_EPSILON))
    uncut = epsilon(
        rate=sampling.rate,
        noise_multiplier=noise_multiplier,
        steps=rounds,
        delta=(1 - SPARED) * delta,
        interval=interval,
    )
    if lost_to_cuts(uncut, rounds=rounds, overflow=sampling.overflow) <= SPARED * delta:
        return uncut
    event = TruncatedSubsampledGaussianDpEvent(
        dataset_size=sampling.devices,
        sampling_probability=sampling.rate,
        truncated_batch_size=sampling.cap,
        noise_multiplier=noise_multiplier,
    )
    relation = NeighboringRelation.REPLACE_SPECIAL
    return _on_grid(event, rounds, relation=relation, delta=delta, interval=interval)


def capped_renyi(
    sampling: CappedPoissonSampling,
    *,
    noise_multiplier: float,
    rounds: int,
    delta: float,
    orders: tuple[float, ...] = rdp.ORDERS,
) -> float:
    """Returns a looser bound than ``capped_epsilon``, by our own Rényi accounting.

    Without the cap a round is Poisson sampling: its ε at half of δ, where the other half holds
    what the cap can add, and infinity elsewhere.

    Args:
        sampling: Who takes part in a round, by a secret coin.
        noise_multiplier: Standard deviation over the largest norm.
        rounds: Composed rounds, whose results are all seen.
        delta: The δ of the guarantee.
        orders: Rényi orders to minimise over.
    """
    found = rdp.epsilon(
        rate=sampling.rate,
        noise_multiplier=noise_multiplier,
        steps=rounds,
        delta=delta / 2,
        orders=orders,
    )
    lost = lost_to_cuts(found, rounds=rounds, overflow=sampling.overflow)
    return found if lost <= delta / 2 else math.inf


def lost_to_cuts(epsilon: float, *, rounds: int, overflow: float) -> float:
    """Returns what a cap that cuts with probability ``overflow`` a round can add to δ at ε.

    By coupling: with and without the cap a run is the same but for an event of probability
    rounds · overflow, so (ε, δ) of the one is (ε, δ + (1 + e^ε) · rounds · overflow) of the
    other.
    """
    if not epsilon < math.log(2.0**1000):
        return 0.0 if overflow == 0 else math.inf
    return (1 + math.exp(epsilon)) * rounds * overflow


def _on_grid(
    event: DpEvent,
    times: int,
    *,
    relation: NeighboringRelation,
    delta: float,
    interval: float,
) -> float:
    with quiet():
        accountant = PLDAccountant(relation, value_discretization_interval=interval)
        accountant.compose(SelfComposedDpEvent(event, times))
        return float(accountant.get_epsilon(delta))


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the library's warnings and its log off the terminal."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
