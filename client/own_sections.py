"""A run's configuration as this device has it: with an encoder and a cache of its own."""

from dataclasses import replace

from client.consent.operator import OperatorPolicy
from client.sections import DeviceSections


def own_sections(sections: DeviceSections, policy: OperatorPolicy) -> DeviceSections:
    """Returns ``sections`` with the device's own encoder, which was found and tried.

    A configuration names no file on a device, and none of its code: of an encoder that is not
    Darkroom's it has the digest, and the device the encoder. Nor does it say where embeddings
    of photographs are kept; where those of made photos are is no secret.

    Raises:
        ValueError: The device does not have it, or has another; one sentence, for its owner.
    """
    if not sections.photos.made:
        cache = None if policy.cache is None else str(policy.cache)
        sections = replace(sections, cache=cache)
    ranking = sections.ranking.of_device(policy.encoder)
    if not ranking.encoder.external:
        return sections
    from ranking.model.encoders.registry import check_encoder

    check_encoder(ranking.encoder)
    return replace(sections, ranking=ranking)
