"""Settings of every mechanism and a small run, which a test changes by ``replace``."""

from privacy.mechanisms.auto import AutoSettings
from privacy.mechanisms.base.unit_settings import Federation
from privacy.mechanisms.correlated.settings import MatrixSettings
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveSettings
from privacy.mechanisms.independent.settings import GaussianSettings
from privacy.mechanisms.local_gaussian import LocalSettings
from privacy.mechanisms.moments.settings import DpSgdSettings
from protocol.settings import Training

RUN = Federation(devices=50, rounds=2, cohort=5.0)
VISIT = Training(steps=3, rate=0.25, reference_size=40, largest_library=100, lr=0.5)
DPSGD = DpSgdSettings(
    epsilon=8.0,
    noise_multiplier=None,
    delta=1e-5,
    clip=2.0,
    numbers="float64",
    max_participations=10,
)
LOCAL = LocalSettings(
    epsilon=4.0, noise_multiplier=None, delta=1e-5, clip=0.5, max_participations=4
)
AT_SERVER = {
    "epsilon": 2.0,
    "noise_multiplier": None,
    "delta": 1e-3,
    "clip": 0.5,
    "clipping": "whole",
    "largest_cohort": None,
}
ALONE = {"noise_cohort": None, "noise_population": None}
CORRELATED = {
    "strategy": "banded",
    "buffers": 2,
    "participation": "separated",
    "separation": None,
}
GAUSSIAN = GaussianSettings(**AT_SERVER, **ALONE, numbers="float64")
ADAPTIVE = AdaptiveSettings(**AT_SERVER, **ALONE, quantile=0.6, clip_lr=0.2, count_share=0.1)
MATRIX = MatrixSettings(**AT_SERVER, **CORRELATED)
AUTO = AutoSettings(**AT_SERVER, **CORRELATED)
