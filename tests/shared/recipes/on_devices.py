"""Two mechanisms on devices: one of a whole library, one of a moment."""

from recipes.recipe import Recipe

ON_DEVICES = Recipe(
    files={
        "privacy/mechanisms/presence.py": '''
        """Noise on a device's own update, against one whose library is empty."""

        from __future__ import annotations

        import math
        from dataclasses import dataclass, replace
        from typing import TYPE_CHECKING, Literal

        from privacy.accounting import analytic_gaussian, rdp
        from privacy.accounting.steps import Steps
        from privacy.mechanisms.base.mechanism import LocalMechanism
        from privacy.mechanisms.local_gaussian import LocalSettings
        from privacy.sampling.crowds import alone

        if TYPE_CHECKING:
            from privacy.ledger.records import Noise, Terms


        @dataclass(frozen=True, kw_only=True, slots=True)
        class PresenceGaussian(LocalMechanism):
            """Updates are one clip from zero at most: k of them have √k of sensitivity."""

            sampler = "presence"
            relation = "empty one library"
            question = "its library was empty"
            neighbours = "a library of a device and an empty one"
            by = "closed form"
            noise_multiplier: float
            clip: float
            delta: float

            def epsilon(self, visits: int) -> float:
                """Returns the ε of a device after so many visits."""
                if not visits:
                    return 0.0
                return analytic_gaussian.epsilon(self._of_all(visits), delta=self.delta)

            def epsilon_rdp(self, visits: int) -> float:
                """Returns a looser bound on the same ε."""
                if not visits:
                    return 0.0
                noise = self._of_all(visits)
                return rdp.epsilon(rate=1, noise_multiplier=noise, steps=1, delta=self.delta)

            def noise_for(self, target: float, visits: int) -> float:
                """Returns the least noise multiplier whose ε is at most ``target``."""
                return analytic_gaussian.noise(target, delta=self.delta) * math.sqrt(visits)

            def steps_of(self, visits: int) -> Steps:
                """Returns one step that no draw hides."""
                return Steps(alone(1.0), self._of_all(max(visits, 1)), min(visits, 1))

            def in_words(self) -> str:
                """Returns how much noise is added and where, for the card."""
                return f"noise {self.noise_multiplier:.2f} × clip {self.clip:g} on updates"

            def terms(self, *, noise: Noise) -> Terms:
                """Returns what opens its ledger; a charge is one visit of a device."""
                return self.opening(noise=noise)

            @classmethod
            def read(cls, terms: Terms) -> PresenceGaussian:
                """Returns the mechanism that the terms of a ledger describe."""
                return cls(
                    noise_multiplier=terms.noise_multiplier, clip=terms.clip, delta=terms.delta
                )

            def _of_all(self, visits: int) -> float:
                return self.noise_multiplier / math.sqrt(visits)


        @dataclass(frozen=True, kw_only=True, slots=True)
        class PresenceSettings(LocalSettings):
            """Whether a library is empty is hidden, and no more."""

            makes = (PresenceGaussian,)
            mechanism: Literal["presence"] = "presence"

            def derive(self) -> PresenceGaussian:
                """Returns the mechanism."""
                chosen = PresenceGaussian(
                    noise_multiplier=self.noise_multiplier or 0.0,
                    clip=self.clip,
                    delta=self.delta,
                )
                if self.noise_multiplier is not None:
                    return chosen
                noise = chosen.noise_for(self.target, self.max_participations)
                return replace(chosen, noise_multiplier=noise)
        ''',
        "conf/privacy/device/presence.yaml": """
        # Each device hides whether its library is empty.
        mechanism: presence
        epsilon: 8.0  # target at max_participations; the noise follows from it
        noise_multiplier: null  # the noise in units of clip; with epsilon it stops the device
        delta: 1e-5  # δ of the guarantee
        clip: 1.0  # largest norm of one update
        max_participations: ${server.rounds}  # visits after which a device declines
        """,
        "privacy/mechanisms/moments/coinless.py": '''
        """DP-SGD on one device that takes no credit for the coins of its moments."""

        from __future__ import annotations

        import math
        from dataclasses import dataclass, replace
        from typing import TYPE_CHECKING, Annotated, Literal

        from annotated_types import Interval

        from privacy.accounting import analytic_gaussian, rdp
        from privacy.accounting.steps import Steps
        from privacy.clipping.sensitivity import SENSITIVITY
        from privacy.mechanisms.base.mechanism import MomentMechanism
        from privacy.mechanisms.base.unit_settings import (
            Budget,
            ExampleSettings,
            LocalSteps,
            Protected,
        )
        from privacy.sampling.crowds import alone
        from protocol.settings import Times

        if TYPE_CHECKING:
            from privacy.ledger.records import Noise, Terms


        @dataclass(frozen=True, kw_only=True, slots=True)
        class CoinlessSgd(MomentMechanism):
            """As if every moment took part in every step: k steps have √k of sensitivity."""

            sampler = "no credit for coins"
            by = "closed form"
            noise_multiplier: float
            clip: float
            steps: int
            delta: float

            def epsilon(self, visits: int) -> float:
                """Returns the ε of a device after so many visits."""
                if not visits:
                    return 0.0
                return analytic_gaussian.epsilon(self._of_all(visits), delta=self.delta)

            def epsilon_rdp(self, visits: int) -> float:
                """Returns a looser bound on the same ε."""
                if not visits:
                    return 0.0
                noise = self._of_all(visits)
                return rdp.epsilon(rate=1, noise_multiplier=noise, steps=1, delta=self.delta)

            def noise_for(self, target: float, visits: int) -> float:
                """Returns the least noise multiplier whose ε is at most ``target``."""
                of_one = analytic_gaussian.noise(target, delta=self.delta)
                return of_one * SENSITIVITY * math.sqrt(self.steps * visits)

            def steps_of(self, visits: int) -> Steps:
                """Returns one step that no draw hides."""
                return Steps(alone(1.0), self._of_all(max(visits, 1)), min(visits, 1))

            def in_words(self) -> str:
                """Returns how much noise is added and where, for the card."""
                return f"noise {self.noise_multiplier:.2f} × clip {self.clip:g}, no coins"

            def terms(self, *, noise: Noise) -> Terms:
                """Returns what opens its ledger; a charge is one visit of a device."""
                return self.opening(noise=noise, steps=self.steps)

            @classmethod
            def read(cls, terms: Terms) -> CoinlessSgd:
                """Returns the mechanism that the terms of a ledger describe."""
                return cls(
                    noise_multiplier=terms.noise_multiplier,
                    clip=terms.clip,
                    steps=terms.steps,
                    delta=terms.delta,
                )

            def _of_all(self, visits: int) -> float:
                return self.noise_multiplier / SENSITIVITY / math.sqrt(self.steps * visits)


        @dataclass(frozen=True, kw_only=True, slots=True)
        class CoinlessSettings(Budget, ExampleSettings):
            """Attributes: delta, max_participations: Same as ``dpsgd``."""

            at = "privacy.example"
            makes = (CoinlessSgd,)
            mechanism: Literal["coinless"] = "coinless"
            delta: Annotated[float, Interval(ge=1e-12, le=1e-5)]
            max_participations: Times

            def protected(self, visit: LocalSteps) -> Protected:
                """Returns what protects a moment."""
                chosen = CoinlessSgd(
                    noise_multiplier=self.noise_multiplier or 0.0,
                    clip=self.clip,
                    steps=visit.steps,
                    delta=self.delta,
                )
                if self.noise_multiplier is None:
                    noise = chosen.noise_for(self.target, self.max_participations)
                    chosen = replace(chosen, noise_multiplier=noise)
                visits = self.affordable(chosen, most=self.max_participations)
                return Protected(mechanism=chosen, times=visits)

            def contradiction(self, *, cohort: float) -> str | None:
                """Returns the sentence that refuses neither noise nor ε, or ε without noise."""
                return self.budget_contradiction()

            def longest_sum(self, library: float, *, noise: float, spread: float) -> float:
                """Returns the largest norm of a step's noisy sum: each moment at its clip."""
                return self.clip * (library + noise * spread)
        ''',
        "conf/privacy/example/coinless.yaml": """
        # DP-SGD whose ε is that of every moment in every step.
        mechanism: coinless
        epsilon: 8.0  # target at max_participations; the noise follows from it
        noise_multiplier: null  # the noise in units of clip; with epsilon it stops the device
        delta: 1e-5  # δ of the guarantee, at most 1e-5
        clip: 0.3  # largest norm of one moment's gradient
        max_participations: ${server.rounds}  # visits after which a device declines
        """,
    },
    lines=(
        (
            "privacy/mechanisms/registry.py",
            "from privacy.mechanisms.local_gaussian import LocalSettings\n",
            "from privacy.mechanisms.moments.coinless import CoinlessSettings\n",
        ),
        (
            "privacy/mechanisms/registry.py",
            "from privacy.mechanisms.moments.settings import DpSgdSettings\n",
            "from privacy.mechanisms.presence import PresenceSettings\n",
        ),
        (
            "privacy/mechanisms/registry.py",
            '    "local": LocalSettings,\n',
            '    "presence": PresenceSettings,\n',
        ),
        (
            "privacy/mechanisms/registry.py",
            '    "dpsgd": DpSgdSettings,\n',
            '    "coinless": CoinlessSettings,\n',
        ),
    ),
)
