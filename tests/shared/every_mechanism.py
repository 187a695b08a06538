"""One mechanism of each kind, at noise of two clips and δ = 1e-5."""

from privacy.mechanisms.correlated.banded_gaussian import BandedGaussian
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.independent.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.poisson import PoissonSampling

COMMON = {"noise_multiplier": 2.0, "clip": 1.0, "delta": 1e-5}
SAMPLING = CappedPoissonSampling(devices=100, rate=0.2, cap=22)
DPSGD = DpSgd(sampling=PoissonSampling(rate=0.2), steps=1, **COMMON)
INTEGER_DPSGD = IntegerDpSgd(sampling=PoissonSampling(rate=0.2), steps=1, **COMMON)
COHORT = CohortGaussian(sampling=SAMPLING, **COMMON)
ADAPTIVE = AdaptiveGaussian(sampling=SAMPLING, quantile=0.5, lr=0.2, share=0.1, **COMMON)
INTEGERS = IntegerGaussian(sampling=SAMPLING, **COMMON)
BANDED = BandedGaussian(sampling=SAMPLING, bands=2, coefficients=(0.8, 0.6), **COMMON)
SEPARATED = SeparatedGaussian(
    coefficients=(1.0,), rounds=8, separation=1, participations=8, **COMMON
)
LOCAL = LocalGaussian(**COMMON)
EVERY = [DPSGD, INTEGER_DPSGD, COHORT, ADAPTIVE, INTEGERS, BANDED, SEPARATED, LOCAL]
