"""The terms of a visit: what the configuration asks of every device."""

import math

from privacy.protection.derivation import Protection
from privacy.protection.settings import Privacy
from protocol.messages import VisitTerms
from protocol.settings import Training


def visit_terms(training: Training, privacy: Privacy, protection: Protection) -> VisitTerms:
    """Returns the terms: a function of public settings, the same for every device.

    Args:
        training: Local training.
        privacy: What is asked for.
        protection: What protects the run, as it follows from the settings.
    """
    example, device = protection.example, protection.device
    on_devices = [one for one in protection.units.values() if one.release is None]
    local = device if device in on_devices else None
    return VisitTerms(
        steps=training.steps,
        rate=training.rate,
        denominator=training.rate * training.reference_size,
        lr=training.lr,
        clip=math.inf if example is None else example.mechanism.clip,
        noise_multiplier=0.0 if example is None else example.mechanism.noise_multiplier,
        max_participations=min((one.times for one in on_devices), default=0),
        private=bool(protection.units),
        update_clip=privacy.device.own_clip,
        update_noise=0.0 if local is None else local.mechanism.noise_multiplier,
        integers=example is not None and example.mechanism.integers,
    )
