"""The ε of correlated noise: one Gaussian mechanism for all the rounds together."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from privacy.accounting import analytic_gaussian, rdp
from privacy.accounting.steps import Steps
from privacy.correlation import toeplitz
from privacy.correlation.separation import MinSeparation
from privacy.mechanisms.base.mechanism import CentralMechanism, coefficients_of, whole
from privacy.mechanisms.base.release import (
    Mean,
    Numbers,
    State,
    Update,
    check_names,
    clipped_sum,
)
from privacy.sampling.crowds import alone

if TYPE_CHECKING:
    from privacy.correlation.noise import CorrelatedNoise
    from privacy.ledger.records import Noise, Terms
    from privacy.noise import Source

ROUNDS = "rounds"
NOISE = ("noise.rounds", "noise.past")
RESTED = ("separation.devices", "separation.last", "separation.taken")


@dataclass(frozen=True, kw_only=True, slots=True)
class SeparatedGaussian(CentralMechanism):
    """Federated averaging with correlated noise (DP-FTRL, Kairouz et al. 2021), unit *device*.

    Formal guarantee: let two populations differ in one device, whose update is what it sends in
    the one and zero in the other, each time that it takes part. The models after any of the
    ``rounds`` (and so all that is computed from them) are (``epsilon()``, ``delta``)-
    differentially private for whoever sees them and no update. This holds for updates of norm
    at most the clip with the same weight, of devices that take part at most ``participations``
    times and at least ``separation`` rounds apart; for sums with noise_multiplier · clip ·
    (row t of C⁻¹ Z), also where nobody came; and for a public divisor. Updates may depend on
    earlier models: C is lower-triangular (Denisov et al., arXiv 2202.08312, theorem 2.1). A
    device that is added or removed is covered too where no other device's part depends on it.

    Who takes part is no secret and earns nothing. ``noise_multiplier`` is the deviation of Z
    over the clip; that of a round's noise depends on the scale of the coefficients, ε does not
    where both are scaled. "Up to floating point": the noise is float64.

    Attributes:
        noise_multiplier: Standard deviation of Z over the clip.
        coefficients: The first column of C; those not given are zero.
        rounds: Rounds of the run.
        separation: Rounds from one participation of a device to the next, at least.
        participations: Participations of one device, at most.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
    """

    sampler = "separated"
    by = "closed form"
    noise_multiplier: float
    coefficients: tuple[float, ...]
    rounds: int
    separation: int
    participations: int
    clip: float
    delta: float

    @property
    def sensitivity(self) -> float:
        """How far one device moves C x at most in all rounds, in units of the clip."""
        return self.reach(self.rounds)

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, in closed form (Balle and Wang 2018).

        The first rows of C⁻¹ Z are those of a smaller C. Without noise it is infinite.
        """
        if rounds == 0:
            return 0.0
        noise = self.noise_multiplier / self.reach(rounds)
        return analytic_gaussian.epsilon(noise, delta=self.delta)

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        if rounds == 0:
            return 0.0
        noise = self.noise_multiplier / self.reach(rounds)
        return rdp.epsilon(rate=1.0, noise_multiplier=noise, steps=1, delta=self.delta)

    def noise_for(self, target: float, rounds: int) -> float:
        """Returns the least noise multiplier; see ``least_noise``."""
        return least_noise(target, sensitivity=self.reach(rounds), delta=self.delta)

    def steps_of(self, rounds: int) -> Steps:
        """Returns one step that no draw hides."""
        if rounds == 0:
            return Steps(alone(1.0), self.noise_multiplier, 0)
        return Steps(alone(1.0), self.noise_multiplier / self.reach(rounds), 1)

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        noise = f"correlated noise {self.noise_multiplier:.2f} × clip {self.clip:g}"
        return f"{noise}, at the server"

    def remarks(self) -> tuple[str, ...]:
        """Returns how often a device takes part, and that it is no secret."""
        apart = self.separation
        return (f"a device takes part every {apart} rounds at most; who does is no secret",)

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one round."""
        public: dict[str, float | str] = {
            "rounds": self.rounds,
            "separation": self.separation,
            "participations": self.participations,
            "coefficients": json.dumps(self.coefficients),
        }
        return self.opening(noise=noise, public=public)

    @classmethod
    def read(cls, terms: Terms) -> SeparatedGaussian:
        """Returns the mechanism that the terms of a ledger describe."""
        return cls(
            noise_multiplier=terms.noise_multiplier,
            coefficients=coefficients_of(terms),
            rounds=whole(terms, "rounds"),
            separation=whole(terms, "separation"),
            participations=whole(terms, "participations"),
            clip=terms.clip,
            delta=terms.delta,
        )

    def reach(self, rounds: int) -> float:
        """Returns how far one device moves C x at most in the first rounds, in clips."""
        return toeplitz.sensitivity(
            np.array(self.coefficients),
            rounds,
            separation=self.separation,
            participations=self.participations,
        )


def least_noise(target: float, *, sensitivity: float, delta: float) -> float:
    """Returns the least noise multiplier whose ε is at most ``target``.

    Args:
        target: The promised ε, above 0.
        sensitivity: That of the strategy: ``toeplitz.sensitivity``.
        delta: The δ of the guarantee.

    Raises:
        ValueError: ``target`` is not above 0.
    """
    if not 0 < target < math.inf:
        raise ValueError(
            f"epsilon={target:g} must be finite and above 0; raise it, or train without noise."
        )
    return analytic_gaussian.noise(target, delta=delta) * sensitivity


class SeparatedRelease:
    """Cohorts whose devices have rested, correlated noise: nothing is trusted to coins."""

    repeatable: ClassVar[bool] = False

    def __init__(
        self,
        mechanism: SeparatedGaussian,
        noise: CorrelatedNoise,
        *,
        cohort: int,
        devices: int,
        layers: Sequence[int] = (),
    ) -> None:
        self._mechanism = mechanism
        self._noise = noise
        self._cohort = cohort
        self._devices = devices
        self._layers = layers
        self._separation = MinSeparation(mechanism.separation, mechanism.participations)
        self._rounds = 0

    def state(self) -> State:
        """Returns who took part and when, and the noise so far, which is secret."""
        rested = {f"separation.{name}": one for name, one in self._separation.state().items()}
        return {ROUNDS: np.array(self._rounds), **rested, **noise_state(self._noise)}

    def restore(self, state: State) -> None:
        """Goes on with these devices' rests and that noise."""
        check_names(state, (ROUNDS, *RESTED, *NOISE))
        restore_noise(self._noise, state)
        self._separation.restore(
            {name.removeprefix("separation."): state[name] for name in RESTED}
        )
        self._rounds = int(state[ROUNDS])

    def cohort(self, source: Source) -> Numbers:
        """Draws from those that have rested, and enters them whether or not they answer."""
        numbers = np.arange(self._devices, dtype=np.int64)
        rested = numbers[self._separation.eligible(numbers, self._rounds)]
        order = np.argsort(source.stream("cohort").keyed_uniform(rested))
        drawn = np.sort(rested[order[: self._cohort]])
        self._separation.took_part(drawn, self._rounds)
        self._rounds += 1
        return drawn

    def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
        """Returns ``correlated_mean``."""
        return correlated_mean(
            deltas,
            self._noise,
            clip=self._mechanism.clip,
            deviation=self._mechanism.noise_multiplier * self._mechanism.clip,
            expected=self._cohort,
            source=source,
            layers=self._layers,
        )


def noise_state(noise: CorrelatedNoise) -> State:
    """Returns what a run's noise goes on from, as secret as the noise, under ``NOISE``."""
    return {f"noise.{name}": one for name, one in noise.state().items()}


def restore_noise(noise: CorrelatedNoise, state: State) -> None:
    """Goes on from what ``noise_state`` returned."""
    noise.restore({name.removeprefix("noise."): state[name] for name in NOISE})


def correlated_mean(
    deltas: Iterable[Update],
    noise: CorrelatedNoise,
    *,
    clip: float,
    deviation: float,
    expected: float,
    source: Source,
    layers: Sequence[int] = (),
) -> Mean:
    """Returns the sum of clipped ``deltas`` with the next row of correlated noise.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        noise: The noise of the run; each round takes one row, also where nobody came.
        clip: Largest norm of an update.
        deviation: Standard deviation of the noise before it is correlated.
        expected: The divisor, public: devices of a cohort.
        source: Secret draws of this round.
        layers: Lengths of the layers that are clipped alone; none clips updates as a whole.
    """
    total, count = clipped_sum(deltas, clip, size=noise.size, layers=layers)
    total += deviation * noise.draw(source.stream("noise"))
    return Mean(value=total / expected, count=count)
