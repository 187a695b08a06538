"""A configuration as Flower takes it: one JSON text in a run-config file."""

import dataclasses
from pathlib import Path

import tomli_w

from protocol.rebuild import to_json
from simulations.configuration.pinned_weights import pinned
from simulations.configuration.settings import Config
from simulations.runs.earlier.earlier_runs import earlier_runs
from simulations.runs.whole_files import write_whole


def write_run_config(config: Config, file: Path) -> None:
    """Writes what `flwr run . --run-config FILE` needs to run ``config``.

    Paths are made absolute: Flower runs the apps from a folder of its own, and its bundle
    carries no weights. So those that an encoder comes with are written beside the file, with
    the rest of the ranker. Where the server protects whole devices, its ledgers go to a folder
    there too.
    """
    if not file.absolute().parent.is_dir():
        raise ValueError(f"--flower {file}: its folder does not exist; make it first.")
    if file.suffix != ".toml":
        raise ValueError(
            f"--flower {file}: Flower reads a run-config from a file in .toml; name it so."
        )
    earlier_runs(config)  # refuses a claim that start weights have spoilt
    written = {"config": to_json(pinned(_absolute(_begun(config, file))))}
    if config.privacy.device.at_server:
        written["ledger"] = str(file.absolute().with_suffix(".ledger"))
    write_whole(file, tomli_w.dumps(written))


def _begun(config: Config, file: Path) -> Config:
    """The same, starting from a file where the ranker is random but for its encoder."""
    if config.ranking.weights is not None or not config.ranking.encoder.shipped:
        return config
    from ranking.initial import initial_ranker
    from ranking.weights import Origin, save_weights

    beside, ranking = file.with_suffix(".start.safetensors"), config.ranking
    origin = Origin(
        seed=None,
        command="darkroom simulate --flower",
        ranking=ranking,
        side=config.photos.side,
    )
    save_weights(initial_ranker(ranking, seed=config.seed), beside, origin=origin)
    started = dataclasses.replace(ranking, weights=str(beside))
    return dataclasses.replace(config, ranking=started)


def _absolute(config: Config) -> Config:
    from ranking.weights import public_weights_path

    weights = config.ranking.weights
    if weights == "public":
        weights = str(public_weights_path(config.ranking.encoder.kind))
    elif weights is not None:
        weights = str(Path(weights).absolute())
    return dataclasses.replace(
        config,
        ranking=dataclasses.replace(config.ranking, weights=weights),
        photos=config.photos.absolute(),
    )
