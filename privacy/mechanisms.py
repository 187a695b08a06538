"""What may protect a run, as unions for those who handle any of them."""

from privacy.adaptive_gaussian import AdaptiveGaussian
from privacy.banded_gaussian import BandedGaussian
from privacy.cohort_gaussian import CohortGaussian
from privacy.correlated_gaussian import CorrelatedGaussian
from privacy.dpsgd import DpSgd
from privacy.integer_gaussian import IntegerGaussian
from privacy.local_gaussian import LocalGaussian

Central = (
    CohortGaussian | IntegerGaussian | AdaptiveGaussian | CorrelatedGaussian | BandedGaussian
)
"""Protects whole devices, at the server."""

Device = Central | LocalGaussian
"""Protects whole devices."""

Mechanism = Device | DpSgd
"""Protects either unit."""
