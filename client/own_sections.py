"""A run's configuration as this device has it: photos, cache and encoder are its own."""

from dataclasses import replace

from client.consent.operator import OperatorPolicy
from client.consent.own_photos import own_photos
from client.sections import DeviceSections
from protocol.rebuild import SettingError

MOST_MEMORY = 512
"""MB of a process's working set that a run may ask of a device: the default. More would only
keep embeddings from one message to the next, and a SuperNode begins a process for each."""


def own_sections(
    sections: DeviceSections, policy: OperatorPolicy, *, simulated: bool = False
) -> DeviceSections:
    """Returns ``sections`` with what is the device's own.

    A configuration names no file or folder on a device, and none of its code. Its photographs
    and its cache are where its operator says, and nowhere else; of an encoder that is not
    Darkroom's the configuration has the digest, and the device the encoder, which is found and
    tried here.

    Args:
        sections: The run's.
        policy: The operator's.
        simulated: Whether the run and the machine have one owner, who named the paths.

    Raises:
        ValueError: The device does not have something, or another; one sentence, for its owner.
    """
    sections = _simulated(sections, policy) if simulated else _deployed(sections, policy)
    ranking = sections.ranking.of_device(policy.encoder)
    if not ranking.encoder.external:
        return sections
    from ranking.model.encoders.registry import check_encoder

    check_encoder(ranking.encoder)
    return replace(sections, ranking=ranking)


def _simulated(sections: DeviceSections, policy: OperatorPolicy) -> DeviceSections:
    """Where embeddings of made photos are kept is no secret; of others the operator says it."""
    if sections.photos.made:
        return sections
    return replace(sections, cache=_cache(policy))


def _deployed(sections: DeviceSections, policy: OperatorPolicy) -> DeviceSections:
    memory = min(sections.memory, MOST_MEMORY)
    own = replace(sections, cache=_cache(policy), memory=memory)
    if policy.photos is not None:
        return replace(own, photos=own_photos(sections.photos, policy.photos))
    if not sections.photos.made:
        raise SettingError(
            "node-config: 'photos' is missing, and a device reads no folder that a run names; "
            'add photos="/absolute/path" of this device\'s own photographs.'
        )
    return sections if own == sections else own


def _cache(policy: OperatorPolicy) -> str | None:
    return None if policy.cache is None else str(policy.cache)
