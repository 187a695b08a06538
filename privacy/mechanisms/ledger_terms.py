"""What opens the ledger of each unit: all that its ε follows from."""

import json
from collections.abc import Mapping
from importlib.metadata import version

from privacy.ledger.records import Noise, Terms, Unit
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Central, Moment
from privacy.sampling.capped import CappedPoissonSampling

ZERO_OUT = "one device contributes nothing"
NOTHING: Mapping[str, float | str] = {}


def example_terms(mechanism: Moment, *, noise: Noise) -> Terms:
    """Returns the terms of a visit's DP-SGD; a charge is one visit of a device."""
    sampler, public = "poisson", NOTHING
    if isinstance(mechanism, IntegerDpSgd):
        sampler, public = "poisson, integers", {"steps in a clip": mechanism.grid_steps}
    return Terms(
        code=version("darkroom"),
        unit="example",
        relation="add or remove one",
        sampler=sampler,
        rate=mechanism.sampling.rate,
        noise_multiplier=mechanism.noise_multiplier,
        clip=mechanism.clip,
        steps=mechanism.steps,
        cap=None,
        population=None,
        delta=mechanism.delta,
        noise=noise,
        public={"noise at": "device", **public},
    )


def device_terms(mechanism: Central, *, noise: Noise) -> Terms:
    """Returns the terms of what the server releases in a round; a charge is one round."""
    match mechanism:
        case CohortGaussian():
            return _sampled(mechanism, mechanism.sampling, noise=noise)
        case IntegerGaussian():
            return _sampled(
                mechanism,
                mechanism.sampling,
                noise=noise,
                sampler="capped poisson, integers",
                public={"steps in a clip": mechanism.steps},
            )
        case AdaptiveGaussian():
            public: dict[str, float | str] = {
                "clip": "adaptive, from that of the first round",
                "quantile": mechanism.quantile,
                "count share": mechanism.share,
                "noise on updates, in clips": mechanism.update_noise,
            }
            return _sampled(mechanism, mechanism.sampling, noise=noise, public=public)
        case BandedGaussian():
            public = {
                "bands": mechanism.bands,
                "coefficients": json.dumps(mechanism.coefficients),
            }
            return _sampled(
                mechanism, mechanism.sampling, noise=noise, sampler="banded", public=public
            )
        case CorrelatedGaussian():
            return _separated(mechanism, noise=noise)


def _sampled(
    mechanism: CohortGaussian | IntegerGaussian | AdaptiveGaussian | BandedGaussian,
    sampling: CappedPoissonSampling,
    *,
    noise: Noise,
    sampler: str = "capped poisson",
    public: Mapping[str, float | str] = NOTHING,
) -> Terms:
    return Terms(
        code=version("darkroom"),
        unit="device",
        relation=ZERO_OUT,
        sampler=sampler,
        rate=sampling.rate,
        noise_multiplier=mechanism.noise_multiplier,
        clip=mechanism.clip,
        steps=1,
        cap=sampling.cap,
        population=sampling.devices,
        delta=mechanism.delta,
        noise=noise,
        public={"noise at": "server", **public},
    )


def _separated(mechanism: CorrelatedGaussian, *, noise: Noise) -> Terms:
    return _unsampled(
        mechanism,
        noise=noise,
        unit="device",
        relation=ZERO_OUT,
        sampler="separated",
        public={
            "noise at": "server",
            "rounds": mechanism.rounds,
            "separation": mechanism.separation,
            "participations": mechanism.participations,
            "coefficients": json.dumps(mechanism.coefficients),
        },
    )


def local_terms(mechanism: LocalGaussian, *, noise: Noise) -> Terms:
    """Returns the terms of an update with its own noise; a charge is one visit of a device.

    The unit whose visits are counted is a device's library, named by its device.
    """
    return _unsampled(
        mechanism,
        noise=noise,
        unit="example",
        relation="replace one library",
        sampler="everyone asked",
        public={"noise at": "device", "protects": "library"},
    )


def _unsampled(
    mechanism: CorrelatedGaussian | LocalGaussian,
    *,
    noise: Noise,
    unit: Unit,
    relation: str,
    sampler: str,
    public: dict[str, float | str],
) -> Terms:
    """The terms of one step that takes no credit for who takes part."""
    return Terms(
        code=version("darkroom"),
        unit=unit,
        relation=relation,
        sampler=sampler,
        rate=1.0,
        noise_multiplier=mechanism.noise_multiplier,
        clip=mechanism.clip,
        steps=1,
        cap=None,
        population=None,
        delta=mechanism.delta,
        noise=noise,
        public=public,
    )
