"""What a device demands of any task, whoever sends it."""

import math
from dataclasses import dataclass

from client.consent.parameter_bounds import ParameterBounds
from privacy.mechanisms.base.limits import LEAST_CLIP, MOST_CLIP, MOST_INTEGER_NOISE, MOST_NOISE
from protocol.messages import DeclineReason, Task, VisitTerms


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """The weakest terms under which a device trains.

    Formal guarantee: let a server send any tasks, chosen by all that it has seen. A device that
    obeys ``declines`` takes part in at most ``visits`` visits of at most ``steps`` steps, of a
    rate of at most ``rate`` and a noise of at least ``noise_multiplier``. What it shows follows
    from steps at exactly the floor, by further coins and noise that know no data. So all
    together has at most the ε of ``visits`` visits at the floor, also where terms alternate
    (adaptive composition of dominating pairs, Zhu, Dong and Wang 2022). The same holds of
    ``update_noise`` for the unit *device* with local noise.

    Where the server adds the noise, a device demands that the run is private and no more: it
    cannot see that noise. It then has to trust the server.

    Attributes:
        configuration: Hexadecimal SHA-256 of the text of the run's configuration.
        consented: Whether the device's operator agrees to that text.
        private: Whether a task must be private.
        rate: Largest probability of a moment in a step.
        steps: Largest number of steps of a visit.
        noise_multiplier: Smallest noise of a step, in units of its clip.
        clip: Largest norm of a moment's gradient.
        integers: Whether steps are in integers: neither way is weaker, but ε is of one.
        update_noise: Smallest noise on an update, in units of its clip.
        update_clip: Largest norm of an update.
        visits: Most visits in all; None for any number.
        bounds: On the parameters; None for any.
    """

    configuration: str
    consented: bool
    private: bool
    rate: float
    steps: int
    noise_multiplier: float
    clip: float
    update_noise: float
    update_clip: float
    visits: int | None
    bounds: ParameterBounds | None = None
    integers: bool = False

    def agrees(self, configuration: str) -> bool:
        """Says whether the device trains under this configuration.

        Args:
            configuration: Digest of that of its earlier visits, which must be the same one;
                "" without any.
        """
        return self.consented and configuration in ("", self.configuration)

    def declines(self, terms: VisitTerms, *, visits: int) -> DeclineReason | None:
        """Returns why a device with so many visits behind it does not take part, or None.

        A term that is not a number is weaker than any.
        """
        if not self._keeps(terms):
            return DeclineReason.WEAKER_THAN_FLOOR
        if self.visits is not None and visits >= self.visits:
            return DeclineReason.BUDGET_SPENT
        return None

    def refuses(self, task: Task) -> DeclineReason | None:
        """Returns why the task's parameters are not accepted, or None."""
        return None if self.bounds is None else self.bounds.declines(task)

    def _keeps(self, terms: VisitTerms) -> bool:
        return all(
            (
                terms.private or not self.private,
                self.visits != 0,
                0 < terms.rate <= self.rate,
                1 <= terms.steps <= self.steps,
                0 < terms.lr < math.inf,
                0 < terms.denominator < math.inf,
                self.noise_multiplier <= terms.noise_multiplier <= MOST_NOISE,
                _within(terms.clip, self.clip),
                self.update_noise <= terms.update_noise <= MOST_NOISE,
                _within(terms.update_clip, self.update_clip),
                terms.integers == self.integers,
                not terms.integers or terms.noise_multiplier <= MOST_INTEGER_NOISE,
            )
        )


def _within(clip: float, most: float) -> bool:
    """Whether a clip is at most ``most``, and finite ones lie where the mechanism is tested."""
    return clip <= most and (LEAST_CLIP <= clip <= MOST_CLIP or clip == math.inf)
