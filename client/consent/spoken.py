"""What a device's operator reads in its own log: one sentence for each thing that happened.

Nothing here leaves the device, and nothing here is of a photograph.
"""

from collections.abc import Iterator
from functools import lru_cache

from client.consent.configured_floor import own_protection
from client.sections import read_sections
from protocol.messages import DeclineReason, LeftOut

DECLINED = {
    DeclineReason.PARTICIPATIONS_SPENT: "it has made all visits that the run asks for",
    DeclineReason.FROZEN_PART_MISSING: (
        "the frozen part of the model has not come yet; the server sends it again"
    ),
    DeclineReason.FROZEN_PART_DIFFERS: (
        "the frozen part that came is not the one that the configuration names"
    ),
    DeclineReason.PARAMETERS_OUT_OF_BOUNDS: (
        "the server sent parameters that no honest run comes to"
    ),
    DeclineReason.PRIVATE_RUN: "a private run has no figures of a device to show",
    DeclineReason.WEAKER_THAN_FLOOR: (
        "the server asks for less protection than the configuration or this node-config demands"
    ),
    DeclineReason.BUDGET_SPENT: "one more visit would pass the privacy budget",
}
LEFT_OUT = {
    LeftOut.NUMBER_TAKEN: (
        "another node says that it is device {0} too; give each SuperNode its own number by "
        "'device' in node-config, and restart this one"
    ),
    LeftOut.NO_NUMBER: (
        "its answer to the server did not say in its own name that it is device {0}"
    ),
    LeftOut.NO_SUCH_DEVICE: (
        "the run has no training device {0}; 'device' in node-config is from 0 to "
        "photos.devices − 1"
    ),
}
UNITS = {"example": "each moment", "device": "the whole library"}


def declined(reason: DeclineReason, *, configuration: str, agreed: str) -> str:
    """Returns why the device does not take part.

    Args:
        reason: What the server is told.
        configuration: Digest of the run's configuration.
        agreed: Digest of the only one that the device agrees to; "" for any.
    """
    said = DECLINED.get(reason, "")
    if reason is DeclineReason.ANOTHER_CONFIGURATION:
        said = (
            f"the configuration of this run has the digest {configuration}, and the one that "
            f"is agreed to, or that earlier visits were of, {agreed}"
        )
    return f"the device declines: {said}."


def left_out(reason: LeftOut, *, number: int) -> str:
    """Returns why the server asks nothing of the device, whose number this is."""
    return f"the server leaves this device out: {LEFT_OUT[reason].format(number)}."


@lru_cache(maxsize=64)
def spent(text: str, visits: int) -> tuple[str, ...]:
    """Returns what the device has shown after so many visits, a sentence for each unit.

    Args:
        text: The whole configuration in JSON.
        visits: Of this configuration.
    """
    return tuple(_spent(text, visits))


def _spent(text: str, visits: int) -> Iterator[str]:
    privacy, own = read_sections(text).privacy, own_protection(text)
    claim = "" if privacy.noise == "secure" else ", which is no claim: the noise is not secret"
    for unit, found in own.items():
        delta, epsilon = found.mechanism.delta, found.mechanism.epsilon(visits)
        yield (
            f"visit {visits} is charged: ε ≤ {epsilon:.4g} at δ = {delta:g} for {UNITS[unit]} "
            f"in all visits under this configuration{claim}."
        )
    if not own:
        added = "the server adds noise, which no device can see" if privacy.protects else "none"
        yield f"visit {visits} begins; protection on this device: {added}."
