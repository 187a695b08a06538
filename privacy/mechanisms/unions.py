"""What may protect a run, as unions for those who handle any of them."""

from collections.abc import Mapping

from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import DpSgd
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian

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
