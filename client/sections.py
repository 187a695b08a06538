"""What a device needs of a run's configuration."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from client.settings import Accelerator, EngineChoice, Memory
from photos.registry import SETTINGS
from photos.settings import Photos
from privacy.protection.settings import Privacy
from protocol.choices import OneOf
from protocol.optimizers import AnyOptimizer
from protocol.rebuild import section
from protocol.setting_names import field_hints
from protocol.settings import Cohort, Times, Training
from ranking.settings import AnyRanking, Ranking


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSteps:
    """How far the server moves the parameters, which bounds what a device accepts.

    Attributes:
        rounds: Rounds of the run.
        cohort: Expected devices of a round.
        optimizer: The server optimizer.
    """

    rounds: Times
    cohort: Cohort
    optimizer: AnyOptimizer


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSections:
    """The device's sections. A task's terms may be stronger than these, never weaker."""

    seed: int
    photos: Photos
    ranking: Ranking
    training: Training
    privacy: Privacy
    server: ServerSteps
    engine: EngineChoice
    accelerator: Accelerator
    memory: Memory
    cache: str | None

    @property
    def private(self) -> bool:
        """Whether nothing but protected updates may leave."""
        return self.privacy.protects


@lru_cache(maxsize=8)
def read_sections(text: str) -> DeviceSections:
    """Returns the device's sections of the whole configuration in JSON.

    Raises:
        SettingError: The text is no JSON object, or a setting is unknown, missing or wrong.
    """
    return DeviceSections(
        seed=section(text, "seed", int),
        photos=section(text, "photos", Annotated[Photos, OneOf("source", SETTINGS)]),  # type: ignore[arg-type]
        ranking=_ranking(text),
        training=section(text, "training", Training),
        privacy=section(text, "privacy", Privacy),
        server=_server_steps(text),
        engine=section(text, "simulation.engine", EngineChoice),
        accelerator=section(text, "simulation.accelerator", Accelerator),  # type: ignore[arg-type]
        memory=section(text, "simulation.memory", Memory),
        cache=section(text, "simulation.cache", str | None),  # type: ignore[arg-type]
    )


def _ranking(text: str) -> Ranking:
    """Without the paths of whoever wrote it, which mean nothing here."""
    ranking: Ranking = section(text, "ranking", AnyRanking)
    return ranking.portable()


def _server_steps(text: str) -> ServerSteps:
    """The server's section has more, which is not the device's to read."""
    hints = field_hints(ServerSteps)
    return ServerSteps(**{name: section(text, f"server.{name}", hints[name]) for name in hints})
