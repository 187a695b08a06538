"""What parameters a private device accepts: those that an honest run could come to."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from client.sections import DeviceSections
from privacy.mechanisms.base.unit_settings import TAIL
from protocol.messages import DeclineReason, Task
from ranking.settings import Ranking

MARGIN = 100.0
"""Times that honest parameters fit into the bound: it is to exclude numbers that overflow, not
to follow a run. A hundredth of it was never passed by a run that learns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterBounds:
    """Public bounds on what a server sends, a function of the configuration alone.

    They are no part of the guarantee of the unit *example*, which holds for any parameters.
    They keep a server from the ends of float32, where a moment's gradient says most about it.

    Attributes:
        frozen_digest: Hexadecimal SHA-256 of the one frozen part that is agreed; "" for none.
        radius: Largest L2 norm of the trained parameters; infinite for any that are finite.
        size: Number of trained parameters.
    """

    frozen_digest: str
    radius: float
    size: int

    def declines(self, task: Task) -> DeclineReason | None:
        """Returns why the task's parameters are not accepted, or None."""
        if task.digest != self.frozen_digest:
            return DeclineReason.FROZEN_PART_DIFFERS
        norm = float(np.linalg.norm(task.parameters.astype(np.float64)))
        within = math.isfinite(norm) and norm <= self.radius
        if not within or task.parameters.shape != (self.size,):
            return DeclineReason.PARAMETERS_OUT_OF_BOUNDS
        return None


def parameter_bounds(
    sections: DeviceSections, *, noise_multiplier: float, update_noise: float
) -> ParameterBounds:
    """Returns the bounds of a private run.

    The server moves the parameters once a round, as far as its optimizer goes for the longest
    mean update. That is the longest update, or the shortest of the two clips, and noise.

    Args:
        sections: The device's sections of the configuration.
        noise_multiplier: Noise of a step, in units of its clip.
        update_noise: Noise that a device adds to its update, in units of its clip.
    """
    frozen, start, size = _start(sections.ranking, sections.seed)
    spread = math.sqrt(size) + TAIL
    trained = _trained(sections, noise_multiplier=noise_multiplier, spread=spread)
    server = sections.server
    mean = sections.privacy.device.longest_mean(
        trained,
        rounds=server.rounds,
        cohort=server.cohort,
        noise=update_noise,
        spread=spread,
    )
    radius = MARGIN * (start + server.rounds * server.optimizer.farthest(mean))
    return ParameterBounds(frozen_digest=frozen, radius=radius, size=size)


@lru_cache(maxsize=8)
def _start(ranking: Ranking, seed: int) -> tuple[str, float, int]:
    """The frozen part's digest, the norm of the trained part, and its length."""
    import torch

    from ranking.initial import initial_ranker
    from ranking.model.build import build_ranker, frozen_names, trainable_names
    from ranking.parameters import flatten, frozen_digest

    named = ranking.weights not in (None, "public")
    if named:
        # A configuration names no file of the device's, but the digest of what is in it.
        blank = build_ranker(ranking, generator=torch.Generator().manual_seed(seed))
        size = flatten(blank, trainable_names(blank, ranking.trained)).size
        return ranking.frozen_digest or "", ranking.start_norm or 0.0, size
    ranker = initial_ranker(ranking, seed=seed)
    trained = flatten(ranker, trainable_names(ranker, ranking.trained))
    names = frozen_names(ranker, ranking.trained)
    digest = frozen_digest(ranker, names, flatten(ranker, names))
    return digest, float(np.linalg.norm(trained.astype(np.float64))), trained.size


def _trained(sections: DeviceSections, *, noise_multiplier: float, spread: float) -> float:
    """The longest update that training alone comes to."""
    training = sections.training
    scale = training.lr / (training.rate * training.reference_size)
    summed = sections.privacy.example.longest_sum(
        training.largest_library, noise=noise_multiplier, spread=spread
    )
    return scale * training.steps * summed
