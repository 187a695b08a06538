"""The kinds of study, each with its own settings."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from protocol.choices import OneOf

Seed = Annotated[int, Interval(ge=0, le=2**63 - 1)]
Overrides = tuple[str, ...]
Axis = dict[str, Overrides]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainRun:
    """No study: one run of the configuration as it is."""

    kind: Literal["none"] = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Arms:
    """The configurations that a study tries; ``arms.overrides_by_arm`` spells them out.

    Attributes:
        grids: Axes by their names, each with its values' overrides by their names. An arm takes
            one value of each axis and is named for them, as ``linear-eps-2``.
        shared: Overrides of every arm of the grids, before those of its values.
        without: Names of the grids' arms that are left out.
        arms: Overrides of further arms, by the arm's name.
    """

    grids: tuple[dict[str, Axis], ...]
    shared: Overrides
    without: tuple[str, ...]
    arms: dict[str, Overrides]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison(Arms):
    """Every arm at every seed.

    Attributes:
        seeds: Seeds of every arm.
        workers: Processes that share the runs.
        against: A value of an axis: every arm of that axis is also compared with the arm that
            has this value there and the same values elsewhere. Null for no such comparison.
    """

    kind: Literal["comparison"] = "comparison"
    seeds: tuple[Seed, ...]
    against: str | None
    workers: Annotated[int, Interval(ge=1, le=256)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Search(Arms):
    """A random number of trials of random arms, and the ε of telling the best of them.

    Attributes:
        seed: Seed of every trial: they share one population.
        distribution: How the number of trials is drawn.
        trials: Trials on average.
    """

    kind: Literal["search"] = "search"
    seed: Seed
    distribution: Literal["geometric", "logarithmic", "poisson"]
    trials: Annotated[float, Interval(ge=1, le=10_000)]


STUDIES = OneOf("kind", {"none": PlainRun, "comparison": Comparison, "search": Search})
Study = Annotated[PlainRun | Comparison | Search, STUDIES]
