"""How long an honest update can be: a public bound, so that a longer one can be refused."""

import math

import numpy as np
from scipy.stats import binom, chi2

from protocol.messages import Vector, VisitTerms

TAIL = 1e-9
"""Probability that an honest update is refused: one in a billion. A millionth of
it lengthens the bound by some 5%."""

FLOAT32_SLACK = 1e-3
"""Relative, for sums that devices take in float32, each of which rounds by a ten-thousandth of
it. Without it an honest update on the bound could be refused."""

FLOAT32_UNIT = 2.0**-24
"""Half a unit in the last place of a float32, relative: what storing one number rounds. Without
it an update could be refused that is short beside its parameters."""

LONGEST = 2.0**63
"""L2 norm that no update may pass, whatever the terms. Its square, 2¹²⁶, is a float32 that can
be doubled, and float32 ends at 2¹²⁸: what is longer has no norm there, and scores that follow
from it are no numbers. Without it one device ends a run that clips nothing."""


def norm_bound(
    parameters: Vector, terms: VisitTerms, *, largest_library: int, tail: float = TAIL
) -> float:
    """Returns an L2 norm that an honest update exceeds with probability at most ``tail``.

    Derivation. Step t subtracts ``lr / denominator · (S_t + σ C z_t)``, where ``S_t`` sums the
    gradients, each of norm at most C, of the ``B_t`` moments that it drew, and ``z_t`` is a
    standard normal vector of the d trainable parameters. By the triangle inequality the update
    is at most

        lr / denominator · (C ΣB_t + σ C ‖Σz_t‖).

    However later gradients depend on earlier noise, ΣB_t is Binomial(steps · moments, rate)
    with at most ``largest_library`` moments, and Σz_t is N(0, steps · I), so that
    ‖Σz_t‖² / steps is χ² with d degrees of freedom. Each exceeds its upper quantile at
    ``tail / 2`` with at most that probability; by the union bound neither does with
    probability at least 1 − ``tail``.

    Float32 arithmetic is allowed for twice: a thousandth for the sums, and half a unit in the
    last place of the parameters for each step and for the difference at the end.

    Where the update is clipped before it leaves, it is at most that long, and its own noise is
    bounded as Σz_t is.

    Without a finite clip only ``LONGEST`` bounds it.

    Args:
        parameters: [d] float32 the released parameters that the device started from.
        terms: The terms.
        largest_library: Public bound on the moments that a device trains on.
        tail: Probability with which an honest update may be refused.
    """
    if math.isinf(terms.update_clip):
        honest = _trained(parameters, terms, largest_library=largest_library, tail=tail)
    else:
        honest = _protected(parameters, terms, largest_library=largest_library, tail=tail / 2)
    return min(honest, LONGEST)


def _protected(
    parameters: Vector, terms: VisitTerms, *, largest_library: int, tail: float
) -> float:
    """What an update comes to that is clipped, and given noise, before it leaves."""
    trained = _trained(parameters, terms, largest_library=largest_library, tail=tail)
    spread = math.sqrt(float(chi2.isf(tail, parameters.size)))
    whole = min(trained, terms.update_clip) + terms.update_deviation * spread
    return whole * (1 + FLOAT32_SLACK)


def _trained(
    parameters: Vector, terms: VisitTerms, *, largest_library: int, tail: float
) -> float:
    """What local training alone may come to."""
    if math.isinf(terms.clip):
        return math.inf
    draws = float(binom.isf(tail / 2, terms.steps * largest_library, terms.rate))
    noise = math.sqrt(terms.steps * float(chi2.isf(tail / 2, parameters.size)))
    length = (
        terms.lr / terms.denominator * terms.clip * (draws + terms.noise_multiplier * noise)
    )
    start = float(np.linalg.norm(parameters.astype(np.float64)))
    rounding = (terms.steps + 1) * FLOAT32_UNIT * (start + length)
    return length * (1 + FLOAT32_SLACK) + rounding
