"""What every mechanism knows of itself: its ε, its ledger terms, its words on the card."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any, ClassVar, Literal, Protocol, Self, cast

from privacy.accounting.steps import Steps
from privacy.ledger.records import Noise, Terms, Unit
from privacy.sampling.capped import CappedPoissonSampling

NOTHING: Mapping[str, float | str] = {}


class Sampled(Protocol):
    """A mechanism in real numbers whose ε is found on a grid of privacy losses."""

    @property
    def noise_multiplier(self) -> float:
        """Standard deviation of the noise over the clip."""
        ...

    @property
    def delta(self) -> float:
        """The δ of the guarantee."""
        ...

    def on_grid(self, times: int, interval: float, /) -> float:
        """Returns the ε on a grid of that width."""
        ...

    def steps_of(self, times: int, /) -> Steps:
        """Returns the steps of a subsampled Gaussian that it is."""
        ...


class Mechanism(ABC):
    """A randomised algorithm that hides one unit, and what it promises.

    ``times`` is how often it is applied: rounds of the server, or visits of one device.

    Attributes:
        sampler: Its name in a ledger.
        unit: What it hides.
        relation: How two neighbouring data sets differ.
        charged_unit: The unit of its ledger: *device* where each charge is the whole
            population's, *example* where each device pays for its own visits.
        once: One application, in a word.
        noise_at: Where the noise is added.
        question: What an attack guesses, after "whether".
        adversary: Whom the promise holds against: what they see.
        neighbours: Which two libraries or populations cannot be told apart.
        by: What the reported ε is found by.
        integers: Whether what is added up, and the noise, are whole numbers.
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest L2 norm of one contribution.
        delta: The δ of the guarantee.
    """

    sampler: ClassVar[str]
    unit: ClassVar[Unit]
    relation: ClassVar[str]
    charged_unit: ClassVar[Unit]
    once: ClassVar[Literal["round", "visit"]]
    noise_at: ClassVar[Literal["device", "server"]]
    question: ClassVar[str]
    adversary: ClassVar[str]
    neighbours: ClassVar[str]
    by: ClassVar[str] = "loss distributions"
    integers: ClassVar[bool] = False
    noise_multiplier: float
    clip: float
    delta: float

    @abstractmethod
    def epsilon(self, times: int, /) -> float:
        """Returns the reported ε: the least of the bounds that hold."""

    @abstractmethod
    def epsilon_rdp(self, times: int, /) -> float:
        """Returns a looser bound on the same ε, which shares no code with the first."""

    @abstractmethod
    def noise_for(self, target: float, times: int, /) -> float:
        """Returns a noise multiplier, within 0.5% of the least, whose ε is at most ``target``.

        Args:
            target: The promised ε.
            times: How often it is applied.

        Raises:
            ValueError: The promise cannot be met; ``NextToNoNoiseError`` where it asks for
                none.
        """

    @abstractmethod
    def steps_of(self, times: int, /) -> Steps:
        """Returns the steps of a subsampled Gaussian than which all of it is no worse."""

    @property
    def sampled(self) -> Sampled | None:
        """The mechanism whose ε is found on a grid of losses; None for a closed form."""
        return None

    def attack(self, times: int, /) -> float:
        """Returns the ε that a known attack proves at least; 0 where none is known."""
        return 0.0

    def second_opinion(self, times: int, /) -> float | None:
        """Returns ``epsilon_rdp`` for the card; None where ε has a closed form of its own."""
        return self.epsilon_rdp(times)

    @abstractmethod
    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""

    def remarks(self) -> tuple[str, ...]:
        """Returns what else the card must say."""
        return ()

    def when(self, times: int) -> str:
        """Returns how much of the run an ε counts, in words."""
        return f"after {times} {self.once}s" + (" at most" if self.once == "visit" else "")

    @abstractmethod
    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens a ledger of it: all that its ε follows from."""

    @classmethod
    @abstractmethod
    def read(cls, terms: Terms) -> Mechanism:
        """Returns the mechanism that the terms of a ledger describe.

        Raises:
            ValueError: They lack what its ε follows from.
        """

    def variant(self, **changes: float) -> Self:
        """Returns the same mechanism with another noise multiplier or δ."""
        changed: Self = replace(cast("Any", self), **changes)
        return changed

    def opening(
        self,
        *,
        noise: Noise,
        rate: float = 1.0,
        steps: int = 1,
        sampling: CappedPoissonSampling | None = None,
        public: Mapping[str, float | str] = NOTHING,
    ) -> Terms:
        """Returns terms with what every mechanism says of itself.

        Args:
            noise: Source of the secret draws.
            rate: Probability that a unit takes part in a step.
            steps: Steps of one charge.
            sampling: Who takes part in a round, where that is drawn by secret coins.
            public: Further terms.
        """
        protects = {"protects": "library"} if self.unit != self.charged_unit else NOTHING
        return Terms(
            code=version("darkroom"),
            unit=self.charged_unit,
            relation=self.relation,
            sampler=self.sampler,
            rate=rate if sampling is None else sampling.rate,
            noise_multiplier=self.noise_multiplier,
            clip=self.clip,
            steps=steps,
            cap=None if sampling is None else sampling.cap,
            population=None if sampling is None else sampling.devices,
            delta=self.delta,
            noise=noise,
            public={"noise at": self.noise_at, **protects, **public},
        )


class CentralMechanism(Mechanism):
    """Hides at the server whether a device took part: the server is trusted."""

    unit = "device"
    relation = "one device contributes nothing"
    charged_unit = "device"
    once = "round"
    noise_at = "server"
    question = "a device took part"
    adversary = "the models alone: the server, who sees updates, is trusted"
    neighbours = "two populations, in one of which a device contributes nothing"


class LocalMechanism(Mechanism):
    """Hides a whole library on its device, by noise on the update: nobody is trusted."""

    unit = "device"
    relation = "replace one library"
    charged_unit = "example"
    once = "visit"
    noise_at = "device"
    question = "it was this library"
    adversary = "every update, the server included, whatever it sends"
    neighbours = "any two libraries of a device"


class MomentMechanism(Mechanism):
    """Hides one moment on its device: nobody is trusted."""

    unit = "example"
    relation = "add or remove one"
    charged_unit = "example"
    once = "visit"
    noise_at = "device"
    question = "a moment was there"
    adversary = "every update, the server included, whatever it sends"
    neighbours = "two libraries of a device, one of which has one moment more"


def sampling_of(terms: Terms) -> CappedPoissonSampling:
    """Returns who takes part in a round, as the terms of a ledger have it.

    Raises:
        ValueError: They name neither population nor cap.
    """
    if terms.population is None or terms.cap is None:
        raise ValueError(
            f"sampler '{terms.sampler}' has neither population nor cap in this ledger; open it "
            f"with code {terms.code}."
        )
    return CappedPoissonSampling(devices=terms.population, rate=terms.rate, cap=terms.cap)


def whole(terms: Terms, key: str) -> int:
    """Returns a whole number from 1 among the further terms.

    Raises:
        ValueError: It is none.
    """
    value = terms.public.get(key)
    if not isinstance(value, float | int) or value < 1 or value != int(value):
        raise ValueError(
            f"sampler '{terms.sampler}' needs a whole number 'public.{key}' from 1 in this "
            f"ledger; open it with code {terms.code}."
        )
    return int(value)


def coefficients_of(terms: Terms) -> tuple[float, ...]:
    """Returns the first column of the strategy of correlated noise.

    Raises:
        ValueError: It is no list of numbers.
    """
    try:
        column = json.loads(str(terms.public.get("coefficients")))
        return tuple(float(value) for value in column)
    except (ValueError, TypeError) as failure:
        raise ValueError(
            f"sampler '{terms.sampler}' needs a list of numbers 'public.coefficients' in this "
            f"ledger; open it with code {terms.code}."
        ) from failure
