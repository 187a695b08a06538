"""Flower's ServerApp: reads a run's configuration, hands it to the rounds, keeps the result."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

from privacy.protection.derivation import Protection
from protocol.messages import Vector
from server.aggregation.rules import check_protected
from server.charged_release import ChargedRelease, charged_release
from server.rounds import divergence
from server.rounds.directory import Directory
from server.rounds.divergence import Sound
from server.rounds.outcome import KnowsDirectory, RoundObserver
from server.rounds.registration import queried_directory
from server.rounds.round_log import RoundLog
from server.rounds.state import Resumes
from server.rounds.strategy import RoundStrategy, arrays_of, vector
from server.rounds.task_messages import RunTerms
from server.sections import ServerSections, read_devices, read_sections
from server.visit_terms import visit_terms

if TYPE_CHECKING:
    from server.model import ServerModel

app = ServerApp()
RESULT = "result"


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Runs the rounds that the run-config's ``config``, a JSON text, describes.

    Leaves the model that was released last where ``result`` finds it and, where the
    run-config's ``output`` names a file, the whole ranker in that file: also of a run that ends
    before its time, such as one that diverges. Where ``ledger`` names a folder, the ledger of
    the unit device is begun there.
    """
    from server.model import ServerModel

    text = str(context.run_config["config"])
    sections = read_sections(text)
    check_protected(sections.server.aggregation, device=sections.privacy.device)
    output = _output(str(context.run_config["output"]))
    model = ServerModel.initial(sections.ranking, seed=sections.seed)
    directory = _directory(grid, context, timeout=sections.server.timeout)
    protection = Protection.of(
        sections.privacy,
        visit=sections.training,
        run=sections.server.federation(directory.devices),
    )
    observer = _observer(grid, sections)
    resumption = grid.resumption if isinstance(grid, Resumes) else None
    release = charged_release(
        protection.device,
        noise=sections.privacy.noise,
        layers=model.layers,
        seed=sections.seed,
        folder=_ledger(grid, context),
        resumed=resumption is not None,
        kept=None if resumption is None else resumption.ledger,
    )
    strategy = RoundStrategy(
        sections.server,
        _run_terms(sections, protection, model),
        seed=sections.seed,
        directory=directory,
        observer=observer,
        release=release,
        ordered=isinstance(grid, KnowsDirectory),
    )
    strategy.sound = _sound(observer, model, side=sections.side)
    _promise(observer, protection, release)
    rounds = protection.rounds if resumption is None else resumption.rounds
    try:
        if resumption is not None:
            strategy.resume(resumption)
        strategy.run(grid, model.trainable, rounds=rounds)
    finally:
        if release is not None:
            release.close()
        # Whatever ended the run, what was released before is finite and is kept.
        if strategy.model is not None:
            context.state[RESULT] = arrays_of(strategy.model)
            if output is not None:
                model.take(strategy.model)
                _save(model, output, sections)


def result(context: Context) -> Vector:
    """Returns the model [trainable] that a run of ``app`` with this context came to."""
    return vector(context.state.array_records[RESULT])


def _run_terms(
    sections: ServerSections, protection: Protection, model: "ServerModel"
) -> RunTerms:
    return RunTerms(
        visit=visit_terms(sections.training, sections.privacy, protection),
        largest_library=sections.training.largest_library,
        frozen=model.frozen,
        digest=model.digest,
    )


def _sound(observer: RoundObserver, model: "ServerModel", *, side: int) -> Sound:
    """How releases are tried: by noise where nobody else judges them, from the start on."""
    if not isinstance(observer, RoundLog):
        return lambda _: True
    tried = partial(model.scores_finitely, side=side)
    divergence.check(0, model.trainable, sound=tried)
    return tried


def _promise(
    observer: RoundObserver, protection: Protection, release: ChargedRelease | None
) -> None:
    """Logs the promise of a run whose rounds are shown nowhere but in Flower's log."""
    example, device = protection.example, protection.device
    if not isinstance(observer, RoundLog):
        return
    if example is not None:
        moment, visits = example.mechanism, min(example.times, protection.rounds)
        observer.promised_moments(
            moment.epsilon(visits), delta=moment.delta, visits=visits, claim=protection.claim
        )
    if release is not None and device is not None:
        chosen, kept = device.mechanism, release.ledger is not None
        observer.promised(chosen.epsilon(device.times), delta=chosen.delta, ledger=kept)


def _ledger(grid: Grid, context: Context) -> str:
    """Where the run's ledger begins: under Flower, a folder of the run's own number."""
    folder = str(context.run_config.get("ledger", ""))
    if not folder or isinstance(grid, KnowsDirectory):
        return folder
    own = Path(folder) / str(context.run_id)
    own.mkdir(parents=True, exist_ok=True)
    return str(own)


def _save(model: "ServerModel", output: Path, sections: ServerSections) -> None:
    from ranking.weights import Origin, runs_before, save_weights

    # The file may be shared and the seed may not: cohorts without secret coins follow from it.
    origin = Origin(
        seed=None,
        command="flwr run .",
        ranking=sections.ranking,
        side=sections.side,
        photos=sections.source,
        runs=(*runs_before(sections.ranking.weights), output.stem),
    )
    save_weights(model.ranker, output, origin=origin)


def _directory(grid: Grid, context: Context, *, timeout: float) -> Directory:
    if isinstance(grid, KnowsDirectory):
        return grid.directory
    devices = read_devices(str(context.run_config["config"]))
    quorum = _quorum(context.run_config.get("quorum", 0), devices)
    return queried_directory(grid, devices, timeout=timeout, quorum=quorum)


def _quorum(value: object, devices: int) -> int:
    if type(value) is not int or not 0 <= value <= devices:
        raise ValueError(
            f"quorum={value} must be a whole number of devices, at most photos.devices="
            f"{devices}; 0 waits for all."
        )
    return value


def _observer(grid: Grid, sections: ServerSections) -> RoundObserver:
    if isinstance(grid, RoundObserver):
        return grid
    counts = not sections.privacy.device.protects
    return RoundLog(sections.server.rounds, counts=counts)


def _output(name: str) -> Path | None:
    path = Path(name)
    if name and not (path.is_absolute() and path.parent.is_dir()):
        raise ValueError(f"output={name} must be an absolute path in a folder that exists.")
    return path if name else None
