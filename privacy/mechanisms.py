"""What may protect a run, as unions for those who handle any of them."""

from collections.abc import Mapping

from privacy.adaptive_gaussian import AdaptiveGaussian
from privacy.banded_gaussian import BandedGaussian
from privacy.cohort_gaussian import CohortGaussian
from privacy.correlated_gaussian import CorrelatedGaussian
from privacy.dpsgd import DpSgd
from privacy.integer_dpsgd import IntegerDpSgd
from privacy.integer_gaussian import IntegerGaussian
from privacy.local_gaussian import LocalGaussian

Central = (
    CohortGaussian | IntegerGaussian | AdaptiveGaussian | CorrelatedGaussian | BandedGaussian
)
"""Protects whole devices, at the server."""

Device = Central | LocalGaussian
"""Protects whole devices."""

Moment = DpSgd | IntegerDpSgd
"""Protects one moment, on its device."""

OF_NUMBERS: Mapping[str, type[DpSgd] | type[IntegerDpSgd]] = {
    "float64": DpSgd,
    "integers": IntegerDpSgd,
}
"""What protects one moment, by ``privacy.example.numbers``."""

Mechanism = Device | Moment
"""Protects either unit."""
