"""Terms of a ledger for each sampler, from which a test takes what it needs by ``replace``."""

from dataclasses import replace

from privacy.ledger.records import Terms

MOMENTS = Terms(
    code="0.1.0",
    unit="example",
    relation="add or remove one",
    sampler="poisson",
    rate=0.1,
    noise_multiplier=2.0,
    clip=0.5,
    steps=5,
    cap=None,
    population=None,
    delta=1e-5,
    noise="secure",
    public={},
)
WHOLE_MOMENTS = replace(MOMENTS, sampler="poisson, integers", public={"steps in a clip": 2**18})
LIBRARIES = replace(
    MOMENTS, relation="replace one library", sampler="everyone asked", rate=1.0, steps=1
)
COHORTS = replace(
    MOMENTS,
    unit="device",
    relation="one device contributes nothing",
    sampler="capped poisson",
    rate=0.25,
    steps=1,
    cap=97,
    population=120,
)
WHOLE_COHORTS = replace(
    COHORTS, sampler="capped poisson, integers", public={"steps in a clip": 2**18}
)
BANDS = replace(COHORTS, sampler="banded", public={"bands": 2, "coefficients": "[0.8, 0.6]"})
RESTED = replace(
    COHORTS,
    sampler="separated",
    rate=1.0,
    noise_multiplier=4.0,
    cap=None,
    population=None,
    public={"rounds": 8, "separation": 4, "participations": 2, "coefficients": "[0.8, 0.6]"},
)
