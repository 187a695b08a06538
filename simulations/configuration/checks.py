"""What one setting asks of another: each refusal names both and the way out."""

import re
from collections.abc import Iterable
from pathlib import Path

from privacy.protection.settings import Privacy
from protocol.rebuild import SettingError
from ranking.settings import Ranking
from server.aggregation.rules import check_protected
from simulations.configuration.arms import opponents, overrides_by_arm, value_names
from simulations.configuration.settings import Config, Simulation
from simulations.configuration.study_settings import Arms, Comparison, PlainRun

ADDRESS = re.compile(r"auto|(ray://)?[A-Za-z0-9.-]+:[0-9]+")
HELD_OUT_FIGURES = (
    "normalised_ndcg@1",
    "normalised_ndcg@3",
    "normalised_ndcg@5",
    "ndcg@1",
    "ndcg@3",
    "ndcg@5",
    "best_shot",
)
RELEASED_FIGURES = ("unclipped",)
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check(config: Config) -> None:
    """Refuses settings that contradict each other, before anything is imported or written.

    Raises:
        SettingError: One sentence with the settings and the way out.
    """
    _names(config)
    _photos(config)
    _address(config.simulation.address)
    _folders(config.simulation)
    if config.photos.devices is not None:
        config.server.check_cohort(devices=config.photos.devices)
    _ranking(config.ranking, side=config.photos.side)
    _claim(config.privacy)
    _units(config.privacy, cohort=config.server.cohort)
    check_protected(config.server.aggregation, device=config.privacy.device)
    _best(config)
    _algorithm(config)
    _personal(config)
    _study(config)


def _names(config: Config) -> None:
    named: dict[str, Iterable[str]] = {"name": (config.name,)}
    if isinstance(config.study, Arms):
        named["study.arms"] = config.study.arms
        named["study.grids"] = value_names(config.study)
    for setting, names in named.items():
        for name in names:
            if not FOLDER_NAME.fullmatch(name):
                raise SettingError(
                    f"{setting}: '{name}' names a folder; use letters, digits, '-', '_', '.'."
                )


def _photos(config: Config) -> None:
    if flaw := config.photos.flaw():
        raise SettingError(flaw)


def _address(address: str | None) -> None:
    if address is not None and not ADDRESS.fullmatch(address):
        raise SettingError(
            f"simulation.address='{address}' is no address of a Ray cluster; use auto, "
            "ray://host:port, host:port of its head node, or null for this machine."
        )


def _folders(simulation: Simulation) -> None:
    if simulation.cache == "":
        raise SettingError("simulation.cache is empty; name a folder, or use null.")
    for name, folder in (("runs", simulation.runs), ("cache", simulation.cache or "")):
        if folder.startswith("~"):
            raise SettingError(
                f"simulation.{name}={folder} begins with '~', which only a shell replaces; "
                "write the whole path."
            )
        if "\0" in folder:
            raise SettingError(f"simulation.{name} holds a zero byte; name another folder.")


def _best(config: Config) -> None:
    """A choice by what held-out devices show would tell of them, under no ε."""
    best, private = config.checkpoint.best, config.privacy.protects
    if best is None or best in RELEASED_FIGURES:
        return
    if best not in HELD_OUT_FIGURES:
        allowed = ", ".join((*HELD_OUT_FIGURES, *RELEASED_FIGURES))
        raise SettingError(f"checkpoint.best={best} is not one of {allowed}, or null.")
    if private:
        raise SettingError(
            f"checkpoint.best={best} would choose a model by what held-out devices show, which "
            f"no ε covers; take {', '.join(RELEASED_FIGURES)}, null, or a run without privacy."
        )


def _ranking(ranking: Ranking, *, side: int) -> None:
    if flaw := ranking.flaw() or ranking.encoder.refuses(side):
        raise SettingError(flaw)
    weights = ranking.weights
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


def _units(privacy: Privacy, *, cohort: float) -> None:
    """Refuses settings of a unit of which one forbids another."""
    for unit in (privacy.example, privacy.device):
        if found := unit.contradiction(cohort=cohort):
            raise SettingError(found)


def _algorithm(config: Config) -> None:
    algorithm, privacy = config.simulation.algorithm, config.privacy
    units = {"example": privacy.example, "device": privacy.device}
    on = [f"privacy/{name}=none" for name, unit in units.items() if unit.protects]
    if algorithm != "federated" and on:
        raise SettingError(
            f"simulation.algorithm={algorithm} is a baseline without privacy; "
            f"add {' '.join(on)}."
        )


def _personal(config: Config) -> None:
    if config.simulation.personal and config.ranking.inputs != "readings":
        raise SettingError(
            "simulation.personal=true fits a few weights to each device, and ranking="
            f"{config.ranking.trained} trains more; take ranking=taste, taste_scenes or "
            "linear, or leave it false."
        )


def _study(config: Config) -> None:
    study = config.study
    if isinstance(study, PlainRun):
        return
    if not overrides_by_arm(study):
        raise SettingError(
            f"study={study.kind} has no arm; write study.arms or study.grids in a file of "
            "conf/experiment/, or take study=none for one plain run."
        )
    if isinstance(study, Comparison):
        _seeds(study.seeds)
        if study.against is not None:
            opponents(study, study.against)
    elif not config.photos.held_out_devices:
        raise SettingError(
            "study=search judges its trials on devices that never train, and "
            "photos.held_out_devices=0 has none; raise it."
        )


def _seeds(seeds: tuple[int, ...]) -> None:
    if not seeds:
        raise SettingError(
            "study.seeds is empty but study=comparison runs every arm at each of them; give "
            "one, as study.seeds=[0]."
        )
    if len(set(seeds)) < len(seeds):
        raise SettingError("study.seeds holds a seed twice; give each once.")
