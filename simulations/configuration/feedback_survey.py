"""Whether photographs hold anything to learn and anything to judge by, before a round runs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from photos.library import Library, Moment
from photos.registry import open_source
from photos.settings import Photos
from photos.source import PhotoSource
from photos.split import held_out_moments, training_moments
from protocol.rebuild import SettingError


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackSurvey:
    """What all libraries of a population hold, as far as heads of files say it.

    It is known in a simulation only.

    Attributes:
        training: Moments that train.
        training_orders: Those of them whose photos differ in feedback: only they say an order.
        judged_orders: Held-out moments that are judged and say an order.
        rated: Photos with feedback, where the source counts them.
        skipped: How many files and moments were left out, by reason.
    """

    training: int
    training_orders: int
    judged_orders: int
    rated: int | None
    skipped: dict[str, int]

    def lines(self) -> list[str]:
        """Returns what to print."""
        found = [] if self.rated is None else [f"{self.rated:,} photos with a rating"]
        orders = (
            f"{self.training:,} moments train, {self.training_orders:,} with an order; "
            f"{self.judged_orders:,} judge"
        )
        reasons = [f"skipped {count}: {reason}" for reason, count in self.skipped.items()]
        return [*found, orders, *(reasons or ["nothing skipped before decoding"])]


@lru_cache(maxsize=1)
def surveyed(photos: Photos, seed: int) -> FeedbackSurvey:
    """Looks at every library once and says what is in them; a refusal is never remembered.

    No photo of a file is decoded: one that turns out damaged then is counted here as sound.

    Raises:
        SettingError: No moment that trains says an order, or none that is judged; one sentence
            with how to get feedback.
    """
    found = _survey(photos, seed)
    if not found.training_orders:
        raise SettingError(
            f"photos={photos.source} has no moment to train on whose photos differ in feedback"
            f"{_rated(found)}, so that nothing would be learned; {photos.advice()}."
        )
    if not found.judged_orders:
        raise SettingError(
            f"photos={photos.source} holds out no moment whose photos differ in feedback"
            f"{_rated(found)}, so that every figure would be nan; raise "
            f"photos.held_out_share={photos.held_out_share:g}, or {photos.advice()}."
        )
    return found


def orders(moments: Iterable[Moment]) -> int:
    """Returns how many moments have photos that differ in feedback."""
    return sum(len(set(moment.feedback.tolist())) > 1 for moment in moments)


def _survey(photos: Photos, seed: int) -> FeedbackSurvey:
    source, share = open_source(photos, seed=seed), photos.held_out_share
    training = training_orders = judged_orders = 0
    skipped: Counter[str] = Counter()
    rated: list[int] = []
    for device in range(source.devices + source.held_out_devices):
        library = _at_a_glance(source, device)
        skipped.update(library.skipped)
        rated += [] if library.rated is None else [library.rated]
        if device < source.devices:
            own = training_moments(library, seed=seed, held_out_share=share)
            training, training_orders = training + len(own), training_orders + orders(own)
        if device >= source.devices or not source.held_out_devices:
            judged_orders += orders(held_out_moments(library, seed=seed, held_out_share=share))
    return FeedbackSurvey(
        training=training,
        training_orders=training_orders,
        judged_orders=judged_orders,
        rated=sum(rated) if rated else None,
        skipped=dict(sorted(skipped.items())),
    )


def _at_a_glance(source: PhotoSource, device: int) -> Library:
    """A device's library; no photo of a file is decoded, for ratings are all that counts."""
    # A made population needs no decoder of photographs.
    from photos.folder.decoding import glance
    from photos.folder.photograph import FileSource

    if isinstance(source, FileSource):
        return source.read(device, glance)
    return source.library(device)


def _rated(found: FeedbackSurvey) -> str:
    return "" if found.rated is None else f" ({found.rated:,} photos with a rating were found)"
