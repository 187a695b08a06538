"""A mechanism at the server, with a class for it, for its settings and for its release."""

from recipes.recipe import Recipe

MECHANISM = Recipe(
    files={
        "privacy/mechanisms/steady.py": '''
        """One noise for every round, with no credit for the draw of a cohort."""

        from __future__ import annotations

        import math
        from collections.abc import Iterable, Sequence
        from dataclasses import dataclass
        from functools import partial
        from typing import TYPE_CHECKING, Annotated, Literal

        from annotated_types import Interval

        from privacy.accounting import analytic_gaussian, rdp
        from privacy.accounting.steps import Steps
        from privacy.mechanisms.base.central_settings import CentralSettings
        from privacy.mechanisms.base.mechanism import CentralMechanism, sampling_of
        from privacy.mechanisms.base.release import Mean, PoissonCohorts, Update, clipped_sum
        from privacy.mechanisms.base.unit_settings import Federation, Protected, check_delta
        from privacy.mechanisms.moments.dpsgd import release
        from privacy.sampling.capped import CappedPoissonSampling
        from privacy.sampling.crowds import alone

        if TYPE_CHECKING:
            from privacy.ledger.records import Noise, Terms
            from privacy.noise import Source


        @dataclass(frozen=True, kw_only=True, slots=True)
        class SteadyGaussian(CentralMechanism):
            """As if every device took part in every round: k rounds have √k of sensitivity."""

            sampler = "steady"
            by = "closed form"
            sampling: CappedPoissonSampling
            noise_multiplier: float
            clip: float
            delta: float

            def epsilon(self, rounds: int) -> float:
                """Returns the ε after so many rounds."""
                if not rounds:
                    return 0.0
                return analytic_gaussian.epsilon(self._of_all(rounds), delta=self.delta)

            def epsilon_rdp(self, rounds: int) -> float:
                """Returns a looser bound on the same ε."""
                if not rounds:
                    return 0.0
                noise = self._of_all(rounds)
                return rdp.epsilon(rate=1, noise_multiplier=noise, steps=1, delta=self.delta)

            def noise_for(self, target: float, rounds: int) -> float:
                """Returns the least noise multiplier whose ε is at most ``target``."""
                return analytic_gaussian.noise(target, delta=self.delta) * math.sqrt(rounds)

            def steps_of(self, rounds: int) -> Steps:
                """Returns one step that no draw hides."""
                return Steps(alone(1.0), self._of_all(max(rounds, 1)), min(rounds, 1))

            def in_words(self) -> str:
                """Returns how much noise is added and where, for the card."""
                return f"steady noise {self.noise_multiplier:.2f} × clip {self.clip:g}"

            def terms(self, *, noise: Noise) -> Terms:
                """Returns what opens its ledger; a charge is one round."""
                return self.opening(noise=noise, sampling=self.sampling)

            @classmethod
            def read(cls, terms: Terms) -> SteadyGaussian:
                """Returns the mechanism that the terms of a ledger describe."""
                return cls(
                    sampling=sampling_of(terms),
                    noise_multiplier=terms.noise_multiplier,
                    clip=terms.clip,
                    delta=terms.delta,
                )

            def _of_all(self, rounds: int) -> float:
                return self.noise_multiplier / math.sqrt(rounds)


        @dataclass(frozen=True, kw_only=True, slots=True)
        class SteadySettings(CentralSettings):
            """Attributes: margin: Noise over what ``epsilon`` needs."""

            makes = (SteadyGaussian,)
            mechanism: Literal["steady"] = "steady"
            margin: Annotated[float, Interval(ge=1, le=10)]

            def protected(self, run: Federation) -> Protected:
                """Returns what protects a library."""
                check_delta(self.delta, devices=run.devices)
                chosen = SteadyGaussian(
                    sampling=self.sampling(run),
                    noise_multiplier=self.noise_multiplier or 0.0,
                    clip=self.clip,
                    delta=self.delta,
                )
                if self.noise_multiplier is None:
                    least = chosen.noise_for(self.target, run.rounds)
                    chosen = chosen.variant(noise_multiplier=self.margin * least)
                release = partial(SteadyRelease, chosen, self.clipping)
                return self.protecting(chosen, run, release=release)


        class SteadyRelease(PoissonCohorts):
            """The noisy sum of clipped updates over the expected cohort."""

            def __init__(
                self, mechanism: SteadyGaussian, clipping: str, layers: Sequence[int]
            ) -> None:
                super().__init__(mechanism.sampling)
                self._mechanism, self._size = mechanism, sum(layers)
                self._layers = layers if clipping == "layers" else ()

            def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
                """Returns what is released of a round, also where nobody came."""
                own = self._mechanism
                total, count = clipped_sum(
                    deltas, own.clip, size=self._size, layers=self._layers
                )
                deviation = own.noise_multiplier * own.clip
                noisy = release(total, deviation=deviation, stream=source.stream("noise"))
                return Mean(value=noisy / own.sampling.expected, count=count)
        ''',
        "conf/privacy/device/steady.yaml": """
        # One noise for every round, with no credit for the draw of a cohort.
        mechanism: steady
        epsilon: 8.0  # target after all rounds; the noise follows from it
        noise_multiplier: null  # the noise in units of clip; with epsilon it stops the run
        delta: 1e-4  # δ of the guarantee, below 1 / devices
        clip: 1.0  # largest norm of one update
        clipping: whole  # whole clips an update as one vector, layers each of its layers
        largest_cohort: null  # devices of a round at most; null: nine deviations above the mean
        margin: 2.0  # noise over what epsilon needs
        """,
    },
    lines=(
        (
            "privacy/mechanisms/registry.py",
            "from privacy.mechanisms.moments.settings import DpSgdSettings\n",
            "from privacy.mechanisms.steady import SteadySettings\n",
        ),
        (
            "privacy/mechanisms/registry.py",
            '    "local": LocalSettings,\n',
            '    "steady": SteadySettings,\n',
        ),
    ),
)
