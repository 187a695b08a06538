"""Replies that never arrive: drop-outs and stragglers on a virtual clock."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """Decides which replies are lost, as a function of (seed, round, device) alone.

    Attributes:
        seed: The run's seed.
        dropout: Probability that a device never answers.
        latency: Median seconds until a device answers, log-normal with σ = 1; no time passes.
        timeout: Seconds after which the round no longer waits.
    """

    seed: int
    dropout: float
    latency: float
    timeout: float

    def loses(self, device: int, *, group: str) -> bool:
        """Says whether the reply of ``device`` to the messages of ``group`` is lost."""
        if self.dropout == 0 and self.latency == 0:
            return False
        words = np.frombuffer(group.encode().ljust(-(-len(group.encode()) // 4) * 4), np.uint32)
        entropy = [0x0FA17, self.seed, device, *words.tolist()]
        draws = np.random.default_rng(np.random.SeedSequence(entropy))
        dropped = draws.uniform() < self.dropout
        late = self.latency * np.exp(draws.standard_normal()) > self.timeout
        return bool(dropped or late)
