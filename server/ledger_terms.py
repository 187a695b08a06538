"""What opens the ledger of each unit: all that its ε follows from."""

from importlib.metadata import version

from privacy.charge import Noise, Terms
from privacy.cohort_gaussian import CohortGaussian
from privacy.dpsgd import DpSgd
from privacy.local_gaussian import LocalGaussian


def example_terms(mechanism: DpSgd, *, noise: Noise) -> Terms:
    """Returns the terms of a visit's DP-SGD; a charge is one visit of a device."""
    return Terms(
        code=version("darkroom"),
        unit="example",
        relation="add or remove one",
        sampler="poisson",
        rate=mechanism.sampling.rate,
        noise_multiplier=mechanism.noise_multiplier,
        clip=mechanism.clip,
        steps=mechanism.steps,
        cap=None,
        population=None,
        delta=mechanism.delta,
        noise=noise,
        public={"noise at": "device"},
    )


def cohort_terms(mechanism: CohortGaussian, *, noise: Noise) -> Terms:
    """Returns the terms of a round's noisy sum; a charge is one round."""
    return Terms(
        code=version("darkroom"),
        unit="device",
        relation="one device's updates are zero",
        sampler="capped poisson",
        rate=mechanism.sampling.rate,
        noise_multiplier=mechanism.noise_multiplier,
        clip=mechanism.clip,
        steps=1,
        cap=mechanism.sampling.cap,
        population=mechanism.sampling.devices,
        delta=mechanism.delta,
        noise=noise,
        public={"noise at": "server"},
    )


def local_terms(mechanism: LocalGaussian, *, noise: Noise) -> Terms:
    """Returns the terms of an update with its own noise; a charge is one visit of a device.

    The unit whose visits are counted is a device's library, named by its device.
    """
    return Terms(
        code=version("darkroom"),
        unit="example",
        relation="replace one library",
        sampler="everyone asked",
        rate=1.0,
        noise_multiplier=mechanism.noise_multiplier,
        clip=mechanism.clip,
        steps=1,
        cap=None,
        population=None,
        delta=mechanism.delta,
        noise=noise,
        public={"noise at": "device", "protects": "library"},
    )
