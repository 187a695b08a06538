"""The sizes that are typed after `darkroom pretrain`."""

from collections.abc import Sequence
from pathlib import Path

from ranking.settings import Ranking
from simulations.configuration.hydra_bridge import compose
from simulations.pretraining.world import sizes_of_world

READ = ("ranking/encoder", "ranking/list", "ranking.encoder", "ranking.list", "ranking.weights")
"""The settings that a training of public weights reads: sizes, and whose encoder to keep."""


def sizes_asked(overrides: Sequence[str]) -> Ranking:
    """Composes the sizes that ``overrides`` ask for; open ones are those of the public photos.

    Args:
        overrides: As they are typed: ranking.list.width=96 …

    Raises:
        ValueError: One of them is refused by the configuration, or is a setting that trains no
            public weights.
    """
    ranking = compose(overrides, sizes=sizes_of_world).ranking
    for word in overrides:
        if not _is_read(word):
            raise ValueError(
                f"{word} says nothing to darkroom pretrain, which reads ranking/encoder, "
                "ranking/list, their sizes and ranking.weights; leave it out."
            )
    return ranking


def kept(overrides: Sequence[str]) -> list[str]:
    """Returns ``overrides`` as they stand in a file that others read: no folder of a path."""
    return [_without_folder(word) for word in overrides]


def _is_read(word: str) -> bool:
    key = word.lstrip("+~").partition("=")[0]
    return any(key == name or key.startswith(f"{name}.") for name in READ)


def _without_folder(word: str) -> str:
    key, is_set, value = word.partition("=")
    return f"{key}{is_set}{Path(value).name}" if key == "ranking.weights" else word
