"""The mechanisms by name: those that settings may ask for, and those that a ledger may name."""

from collections.abc import Mapping
from typing import Annotated

from privacy.ledger.records import Terms
from privacy.mechanisms.auto import AutoSettings
from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.base.unit_settings import DeviceSettings, ExampleSettings
from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.mechanisms.correlated.settings import MatrixSettings
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveSettings
from privacy.mechanisms.independent.settings import GaussianSettings
from privacy.mechanisms.local_gaussian import LocalSettings
from privacy.mechanisms.moments.settings import DpSgdSettings
from protocol.choices import OneOf

EXAMPLE: Mapping[str, type[ExampleSettings]] = {
    "none": NoExample,
    "dpsgd": DpSgdSettings,
}
"""Settings of ``privacy/example``."""

DEVICE: Mapping[str, type[DeviceSettings]] = {
    "none": NoDevice,
    "gaussian": GaussianSettings,
    "adaptive": AdaptiveSettings,
    "matrix": MatrixSettings,
    "auto": AutoSettings,
    "local": LocalSettings,
}
"""Settings of ``privacy/device``."""

Example = Annotated[ExampleSettings, OneOf("mechanism", EXAMPLE)]
Device = Annotated[DeviceSettings, OneOf("mechanism", DEVICE)]

SAMPLERS: Mapping[str, type[Mechanism]] = {
    made.sampler: made for kind in (*EXAMPLE.values(), *DEVICE.values()) for made in kind.makes
}
"""What a ledger's sampler names."""


def mechanism_of(terms: Terms) -> Mechanism:
    """Returns the mechanism that a ledger's terms describe.

    Raises:
        ValueError: The sampler is none that is known here, or lacks a term.
    """
    found = SAMPLERS.get(terms.sampler)
    if found is None:
        raise ValueError(
            f"sampler '{terms.sampler}' has no mechanism here; open this ledger with code "
            f"{terms.code}."
        )
    return found.read(terms)
