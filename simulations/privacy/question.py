"""What may be asked of a privacy plan, as it is typed."""

from enum import StrEnum


class Unit(StrEnum):
    """What is protected."""

    EXAMPLE = "example"
    DEVICE = "device"


class Asked(StrEnum):
    """The number that follows from the others."""

    ROUNDS = "rounds"
    COHORT = "cohort"
    NOISE = "noise"
    EPSILON = "epsilon"
