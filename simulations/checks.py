"""What settings must be to each other: the checks that no single field can make."""

from pathlib import Path

from privacy.settings import Example
from protocol.rebuild import SettingError
from simulations.settings import Config

PROMISES = ("epsilon", "noise_multiplier", "delta", "clip", "max_participations")


def check(config: Config) -> None:
    """Refuses settings that contradict each other.

    Raises:
        SettingError: One sentence that names them and the way out.
    """
    _check_photos(config)
    _check_example(config.privacy.example)
    _check_algorithm(config)
    weights = config.ranking.weights
    if weights not in (None, "public") and not Path(str(weights)).is_file():
        raise SettingError(
            f"ranking.weights={weights} is no file; give a safetensors file, public, or null."
        )


def _check_photos(config: Config) -> None:
    photos, cohort = config.photos, config.server.cohort
    if photos.source == "synthetic" and photos.devices is None:
        raise SettingError("photos.devices=null is for folders; give a number of devices.")
    if photos.source == "synthetic" and photos.root is not None:
        raise SettingError(f"photos.root={photos.root} has no effect; add photos=folder.")
    if photos.source == "folder" and photos.root is None:
        raise SettingError("photos.root=null names no folder; give photos.root=DIR.")
    if photos.devices is not None and cohort > photos.devices:
        raise SettingError(
            f"server.cohort={cohort:g} is more than photos.devices={photos.devices}; "
            "lower the cohort or raise the devices."
        )


def _check_example(example: Example) -> None:
    if example.mechanism == "none":
        for name in PROMISES:
            value = getattr(example, name)
            if value is not None:
                raise SettingError(
                    f"privacy.example.{name}={value} has no effect with privacy/example=none; "
                    "add privacy/example=dpsgd."
                )
        return
    for name in ("delta", "clip", "max_participations"):
        if getattr(example, name) is None:
            raise SettingError(
                f"privacy.example.{name}=null is for privacy/example=none; give a number."
            )
    if (example.epsilon is None) == (example.noise_multiplier is None):
        raise SettingError(
            "privacy.example.epsilon and privacy.example.noise_multiplier: give one of them, "
            "and null for the other."
        )


def _check_algorithm(config: Config) -> None:
    algorithm = config.simulation.algorithm
    if algorithm != "federated" and config.privacy.example.mechanism != "none":
        raise SettingError(
            f"simulation.algorithm={algorithm} is a baseline without privacy; "
            "add privacy/example=none."
        )
