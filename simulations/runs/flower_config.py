"""A configuration as Flower takes it: one JSON text in a run-config file."""

import dataclasses
from pathlib import Path

import tomli_w

from protocol.rebuild import to_json
from simulations.configuration.pinned_weights import pinned
from simulations.configuration.settings import Config
from simulations.runs.run_folder import write_whole


def write_run_config(config: Config, file: Path) -> None:
    """Writes what `flwr run . --run-config FILE` needs to run ``config``.

    Paths are made absolute: Flower runs the apps from a folder of its own, and its bundle
    carries no weights. Where the server protects whole devices, its ledgers go to a folder
    beside the file.
    """
    if not file.absolute().parent.is_dir():
        raise ValueError(f"--flower {file}: its folder does not exist; make it first.")
    written = {"config": to_json(pinned(_absolute(config)))}
    if config.privacy.device.at_server:
        written["ledger"] = str(file.absolute().with_suffix(".ledger"))
    write_whole(file, tomli_w.dumps(written))


def _absolute(config: Config) -> Config:
    from ranking.weights import public_weights_path

    weights = config.ranking.weights
    if weights == "public":
        weights = str(public_weights_path())
    elif weights is not None:
        weights = str(Path(weights).absolute())
    return dataclasses.replace(
        config,
        ranking=dataclasses.replace(config.ranking, weights=weights),
        photos=config.photos.absolute(),
    )
