"""What one setting asks of another: each refusal names both and the way out."""

import dataclasses
import re
from pathlib import Path

from photos.settings import Photos
from privacy.settings import MOST_INTEGER_NOISE, Device, Example, Privacy
from protocol.rebuild import SettingError
from simulations.configuration.settings import Config

ADDRESS = re.compile(r"auto|(ray://)?[A-Za-z0-9.-]+:[0-9]+")
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

BUDGET = {"epsilon", "noise_multiplier", "delta", "clip"}
CLIPPED = {"clipping", "largest_cohort"}
SAMPLED = CLIPPED | {"noise_cohort", "noise_population"}
CORRELATED = CLIPPED | {"strategy", "buffers", "participation", "separation"}
USED: dict[str, set[str]] = {
    "none": set(),
    "dpsgd": BUDGET | {"max_participations", "numbers"},
    "gaussian": BUDGET | SAMPLED | {"numbers"},
    "adaptive": BUDGET | SAMPLED | {"quantile", "clip_lr", "count_share"},
    "matrix": BUDGET | CORRELATED,
    "auto": BUDGET | CORRELATED,
    "local": BUDGET | {"max_participations"},
}
USER = {
    "example": {"": "dpsgd"},
    "device": {
        "": "gaussian",
        "numbers": "gaussian",
        "quantile": "adaptive",
        "clip_lr": "adaptive",
        "count_share": "adaptive",
        "strategy": "matrix",
        "buffers": "matrix",
        "participation": "matrix",
        "separation": "matrix",
        "max_participations": "local",
    },
}
OPTIONAL = {
    "epsilon",
    "noise_multiplier",
    "largest_cohort",
    "separation",
    "noise_cohort",
    "noise_population",
}


def check(config: Config) -> None:
    """Refuses settings that contradict each other, before anything is imported or written.

    Raises:
        SettingError: One sentence with the settings and the way out.
    """
    _names(config)
    _photos(config.photos)
    _address(config.simulation.address)
    _cache(config)
    _cohort(config)
    _weights(config.ranking.weights)
    _claim(config.privacy)
    _unit("example", config.privacy.example)
    _unit("device", config.privacy.device)
    _production(config.privacy.device, cohort=config.server.cohort)
    _integers(config.privacy.device)
    _integers_of_moments(config.privacy.example)
    _rested(config.privacy.device)
    _algorithm(config)
    _study(config)


def _names(config: Config) -> None:
    named = {"name": (config.name,), "study.arms": config.study.arms}
    for setting, names in named.items():
        for name in names:
            if not FOLDER_NAME.fullmatch(name):
                raise SettingError(
                    f"{setting}: '{name}' names a folder; use letters, digits, '-', '_', '.'."
                )


def _photos(photos: Photos) -> None:
    if photos.source == "folder" and not photos.root:
        raise SettingError("photos.root is empty but photos=folder; add photos.root=DIR.")
    if photos.source == "synthetic" and photos.root is not None:
        raise SettingError(
            f"photos.root={photos.root} has no effect with photos=synthetic; add photos=folder."
        )
    if photos.source == "synthetic" and photos.devices is None:
        raise SettingError(
            "photos.devices is null but photos=synthetic; add a number, as photos.devices=60."
        )


def _address(address: str | None) -> None:
    if address is not None and not ADDRESS.fullmatch(address):
        raise SettingError(
            f"simulation.address='{address}' is no address of a Ray cluster; use auto, "
            "ray://host:port, host:port of its head node, or null for this machine."
        )


def _cache(config: Config) -> None:
    if config.simulation.cache == "":
        raise SettingError("simulation.cache is empty; name a folder, or use null.")
    if config.simulation.cache is not None and config.photos.source != "synthetic":
        raise SettingError(
            "simulation.cache would not notice a photograph that changed; with photos="
            f"{config.photos.source} leave it null."
        )


def _cohort(config: Config) -> None:
    cohort, devices = config.server.cohort, config.photos.devices
    if devices is not None and cohort > devices:
        raise SettingError(
            f"server.cohort={cohort:g} exceeds photos.devices={devices}; lower server.cohort."
        )


def _weights(weights: str | None) -> None:
    if weights not in (None, "public") and not Path(str(weights)).is_file():
        raise SettingError(
            f"ranking.weights={weights} is no file; use public, null or a safetensors file."
        )


def _claim(privacy: Privacy) -> None:
    if privacy.claim and privacy.noise != "secure":
        raise SettingError(
            f"privacy.noise={privacy.noise} draws noise and samples from the seed, which is no "
            "claim, and privacy.claim=true asks for one; use privacy.noise=secure."
        )
    if privacy.claim and not privacy.protects:
        raise SettingError(
            "privacy.claim=true asks for a claim but nothing is protected; add "
            "privacy/example=dpsgd or privacy/device=gaussian."
        )


def _unit(name: str, unit: Example | Device) -> None:
    """Refuses what a unit's mechanism needs and lacks, or has and does not use."""
    values = dataclasses.asdict(unit)
    del values["mechanism"]
    used = USED[unit.mechanism]
    for setting, value in values.items():
        where = f"privacy.{name}.{setting}"
        if value is not None and setting not in used:
            other = USER[name].get(setting, USER[name][""])
            raise SettingError(
                f"{where}={_shown(value)} has no effect with privacy/{name}={unit.mechanism}; "
                f"add privacy/{name}={other}" + (", or set it to null." if used else ".")
            )
        if value is None and setting in used - OPTIONAL:
            raise SettingError(
                f"{where} is null but privacy/{name}={unit.mechanism} needs it; give it."
            )
    if used:
        _budget(name, unit)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _budget(name: str, unit: Example | Device) -> None:
    epsilon, noise = unit.epsilon, unit.noise_multiplier
    if epsilon is None and noise is None:
        raise SettingError(
            f"privacy.{name}.epsilon and privacy.{name}.noise_multiplier are both null; "
            "give one of them."
        )
    if epsilon is not None and noise == 0:
        raise SettingError(
            f"privacy.{name}.noise_multiplier=0 keeps no privacy.{name}.epsilon={epsilon:g}; "
            "set one of them to null."
        )


def _production(device: Device, *, cohort: float) -> None:
    """Refuses half of what a larger federation is, or one that is smaller than the run."""
    if (device.noise_cohort is None) != (device.noise_population is None):
        raise SettingError(
            "privacy.device.noise_cohort and privacy.device.noise_population describe one "
            "larger federation: give both, or set both to null."
        )
    if device.noise_cohort is None or device.noise_population is None:
        return
    if not cohort <= device.noise_cohort <= device.noise_population:
        raise SettingError(
            f"privacy.device.noise_cohort={device.noise_cohort:g} must lie between "
            f"server.cohort={cohort:g} and "
            f"privacy.device.noise_population={device.noise_population}."
        )


def _rested(device: Device) -> None:
    """Refuses a cap where cohorts have a fixed size."""
    separated = device.mechanism == "matrix" and device.participation == "separated"
    if separated and device.largest_cohort is not None:
        raise SettingError(
            f"privacy.device.largest_cohort={device.largest_cohort} has no effect with "
            "privacy.device.participation=separated, whose cohorts have one size; set it to "
            "null."
        )


def _integers(device: Device) -> None:
    """Refuses with integers what is not proven of them."""
    others = {"clipping": device.clipping == "layers", "noise_cohort": device.noise_cohort}
    for name, given in others.items():
        if device.numbers == "integers" and given:
            value = _shown(getattr(device, name))
            raise SettingError(
                f"privacy.device.{name}={value} is not for privacy.device.numbers=integers; "
                "use float64, or leave it as it was."
            )


def _integers_of_moments(example: Example) -> None:
    """Refuses noise beyond what the sampler of integers reaches."""
    noise = example.noise_multiplier
    if example.numbers == "integers" and noise is not None and noise > MOST_INTEGER_NOISE:
        raise SettingError(
            f"privacy.example.noise_multiplier={noise:g} is more than the "
            f"{MOST_INTEGER_NOISE} that privacy.example.numbers=integers can draw; lower it, "
            "or use float64."
        )


def _algorithm(config: Config) -> None:
    algorithm, privacy = config.simulation.algorithm, config.privacy
    units: dict[str, Example | Device] = {
        "example": privacy.example,
        "device": privacy.device,
    }
    on = [f"privacy/{name}=none" for name, unit in units.items() if unit.mechanism != "none"]
    if algorithm != "federated" and on:
        raise SettingError(
            f"simulation.algorithm={algorithm} is a baseline without privacy; "
            f"add {' '.join(on)}."
        )


def _study(config: Config) -> None:
    study = config.study
    if bool(study.seeds) != bool(study.arms):
        raise SettingError(
            "study.seeds and study.arms go together: give both, or neither for one plain run."
        )
    if study.search != "none" and len(study.seeds) != 1:
        raise SettingError(
            f"study.search={study.search} tries arms on one population; give study.seeds one "
            "seed, as study.seeds=[0], and study.arms."
        )
    if study.search != "none" and not config.photos.held_out_devices:
        raise SettingError(
            f"study.search={study.search} judges its trials on devices that never train, and "
            "photos.held_out_devices=0 has none; raise it."
        )
    if len(set(study.seeds)) < len(study.seeds):
        raise SettingError("study.seeds holds a seed twice; give each once.")
