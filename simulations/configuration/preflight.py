"""What only files and mathematics can tell of a configuration, before anything is written."""

from pathlib import Path
from tempfile import TemporaryFile

from client.accelerator import accelerator
from client.model import prove_isolation
from client.training.isolation_check import NotIsolatedError
from photos.source import PhotoSource, open_source
from protocol.rebuild import SettingError
from ranking.initial import initial_ranker
from server.protection import unit_device
from server.protection.visit_terms import work
from simulations.configuration.settings import Config, Simulation


def ready(config: Config) -> PhotoSource:
    """Returns the libraries of ``config`` once nothing is known to stand in its way.

    Raises:
        ValueError: The photos, the weights, the cache, the accelerator or the promise cannot be
            had, or more devices are expected in a round than there are; one sentence with the
            way out.
    """
    source = open_source(config.photos, seed=config.seed)
    _cohort(config, devices=source.devices)
    _weights(config)
    _cache(config.simulation.cache)
    _accelerator(config.simulation)
    _isolation(config)
    _privacy(config, devices=source.devices)
    return source


def _privacy(config: Config, *, devices: int) -> None:
    privacy, server = config.privacy, config.server
    device = unit_device.mechanism(privacy.device, server, devices=devices)
    unit_device.affordable_rounds(privacy.device, server, device)
    work(config.training, privacy, update=device)


def _cohort(config: Config, *, devices: int) -> None:
    cohort = config.server.cohort
    if cohort > devices:
        raise SettingError(
            f"server.cohort={cohort:g} is more than the {devices} devices of "
            f"photos.root={config.photos.root} that train; lower server.cohort or "
            "photos.held_out_devices."
        )


def _cache(folder: str | None) -> None:
    if folder is None:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
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


def _weights(config: Config) -> None:
    try:
        initial_ranker(config.ranking, seed=config.seed)
    except ValueError as failure:
        raise SettingError(f"ranking.weights={config.ranking.weights}: {failure}") from failure
