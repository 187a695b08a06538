"""What the server needs of a run's configuration."""

from dataclasses import dataclass

from privacy.protection.settings import Privacy
from protocol.rebuild import SettingError, section
from protocol.settings import Training
from ranking.settings import AnyRanking, Ranking
from server.settings import Server


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSections:
    """The server's sections, and nothing that only a device needs.

    Attributes:
        seed: The run's seed.
        side: Pixels of a photo's side, kept beside the weights of a trained ranker.
        source: Name of the photo source, kept beside them too; None where it is not said.
    """

    seed: int
    side: int
    source: str | None
    ranking: Ranking
    training: Training
    privacy: Privacy
    server: Server


def read_sections(text: str) -> ServerSections:
    """Returns the server's sections of the whole configuration in JSON.

    Raises:
        SettingError: The text is no JSON object, or a setting is unknown, missing or wrong.
    """
    return ServerSections(
        seed=section(text, "seed", int),
        side=section(text, "photos.side", int),
        source=_source(text),
        ranking=section(text, "ranking", AnyRanking),
        training=section(text, "training", Training),
        privacy=section(text, "privacy", Privacy),
        server=section(text, "server", Server),
    )


def _source(text: str) -> str | None:
    """The server opens no photos, and what a model was trained on is worth no refusal."""
    try:
        return section(text, "photos.source", str)
    except SettingError:
        return None


def read_devices(text: str) -> int:
    """Returns how many devices may train, which only a run with nodes elsewhere must say.

    Raises:
        SettingError: ``photos.devices`` is missing or null.
    """
    return section(text, "photos.devices", int)
