"""What only files and mathematics can show of a configuration, before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from client.accelerator import accelerator
from client.embeddings.photo_cache import OWNER_ONLY
from client.model import prove_isolation
from client.training.isolation_check import NotIsolatedError
from photos.registry import open_source
from photos.source import Catalogued, PhotoSource
from privacy.protection.derivation import Protection
from protocol.rebuild import SettingError
from ranking.initial import initial_ranker
from ranking.model.encoders.registry import check_encoder
from simulations.configuration.feedback_survey import FeedbackSurvey, surveyed
from simulations.configuration.settings import Config, Simulation


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prepared:
    """What was made while a configuration was tried.

    Attributes:
        source: The libraries.
        protection: What protects the run.
        survey: What photographs hold; None where the libraries are made.
    """

    source: PhotoSource
    protection: Protection
    survey: FeedbackSurvey | None = None


def ready(config: Config) -> Prepared:
    """Returns what ``config`` needs once nothing is known to stand in its way.

    Raises:
        ValueError: The photos, the weights, the cache, the accelerator or the promise cannot be
            had, more devices are expected in a round than there are, or photographs hold no
            feedback to learn from or to judge by; one sentence with the way out.
    """
    source = open_source(config.photos, seed=config.seed)
    config.server.check_cohort(devices=source.devices)
    _encoder(config)
    _weights(config)
    _cache(config.simulation.cache)
    _accelerator(config.simulation)
    _isolation(config)
    protection = config.protection(devices=source.devices)
    unread = config.photos.made or isinstance(source, Catalogued)
    survey = None if unread else surveyed(config.photos, config.seed)
    return Prepared(source=source, protection=protection, survey=survey)


def _cache(folder: str | None) -> None:
    if folder is None:
        return
    try:
        Path(folder).mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as failure:
        raise SettingError(
            f"simulation.cache={folder} cannot keep files: {failure.strerror}; name another "
            "folder or null."
        ) from failure


def _accelerator(simulation: Simulation) -> None:
    try:
        found = accelerator(simulation.accelerator)
    except ValueError as failure:
        raise SettingError(str(failure)) from failure
    if found.type != "cpu" and simulation.engine.name == "opacus":
        raise SettingError(
            f"simulation.accelerator={simulation.accelerator} is not for "
            "simulation/engine=opacus; take simulation.accelerator=cpu or another engine."
        )


def _isolation(config: Config) -> None:
    """A run whose devices add noise needs an engine in which moments keep their bits."""
    if not config.privacy.protects or config.simulation.algorithm != "federated":
        return
    simulation, side = config.simulation, config.photos.side
    try:
        prove_isolation(config.ranking, simulation.engine, on=simulation.accelerator, side=side)
    except NotIsolatedError as failure:
        raise SettingError(str(failure)) from failure


def _encoder(config: Config) -> None:
    """An encoder of the user's own is found and tried before anything else asks it."""
    try:
        check_encoder(config.ranking.encoder)
    except ValueError as failure:
        raise SettingError(str(failure)) from failure


def _weights(config: Config) -> None:
    try:
        initial_ranker(config.ranking, seed=config.seed)
    except ValueError as failure:
        raise SettingError(f"ranking.weights={config.ranking.weights}: {failure}") from failure
