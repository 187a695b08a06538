"""One run from its configuration to its folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from client.embeddings.device_photos import DevicePhotos
from photos.registry import open_source
from photos.settings import Photos
from photos.source import PhotoSource
from privacy.protection.derivation import Protection
from protocol.messages import Vector
from protocol.rebuild import to_plain
from ranking.weights import save_weights
from server.model import ServerModel
from simulations.configuration.settings import Config
from simulations.evaluation import orders
from simulations.evaluation.figures import Figures
from simulations.evaluation.held_out import HeldOut, gather
from simulations.evaluation.judge import Judge
from simulations.evaluation.personal import personal_figures
from simulations.privacy import card
from simulations.privacy.spending import EpsilonSpent, spending
from simulations.runs import baselines, public_half, run_parts, stopping
from simulations.runs.course import Course, Written
from simulations.runs.earlier import with_earlier
from simulations.runs.earlier.earlier_runs import earlier_runs
from simulations.runs.photographs import photographs
from simulations.runs.recorder import Audience, Recorder, plain_figures, plain_spent
from simulations.runs.resuming import resumption
from simulations.runs.resuming.resumption import Resumed
from simulations.runs.run_folder import MODEL, RunFolder
from simulations.runs.run_log import RunLog

COMMAND = "darkroom simulate, with the settings of config.yaml beside this file"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Result:
    """What one run came to.

    Attributes:
        before: Figures before training: the public zero-shot ranker's, or a random one's.
        after: Figures of the last released model.
        personal: Of that model fitted by each held-out device to its own moments; None where
            it was not asked for.
        spent: The ε of this run as it ran, of each unit that is protected.
        orders: The named orders of the population, where they are known.
        remarks: What it cost together with the runs that its start weights come from.
    """

    before: Figures
    after: Figures
    personal: Figures | None
    spent: Mapping[str, EpsilonSpent]
    orders: dict[str, Figures]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Ended:
    """How a run ended, and the figures of the model that it left."""

    status: str
    after: Figures
    personal: Figures | None = None

    def personal_by_device(self) -> list[float] | None:
        return None if self.personal is None else self.personal.contributions().tolist()


@lru_cache(maxsize=2)
def population(
    photos: Photos, seed: int, own: DevicePhotos | None = None
) -> tuple[PhotoSource, HeldOut]:
    """Opens the libraries and gathers what every run over them is judged on.

    Args:
        photos: Settings of the population.
        seed: The run's seed.
        own: Reads photographs for a frozen encoder; None gathers pixels, for any encoder.
    """
    source = open_source(photos, seed=seed)
    return source, gather(source, share=photos.held_out_share, seed=seed, own=own)


@lru_cache(maxsize=1)
def known_orders(photos: Photos, seed: int) -> dict[str, Figures]:
    """Judges the named orders of a population on what every run over it is judged on.

    Where there are none, as of photographs, no pixels are gathered.
    """
    source = open_source(photos, seed=seed)
    judged = source.devices if source.held_out_devices else 0
    if not photos.made and not source.orders(judged):
        return {}
    return orders.judged(*population(photos, seed))


def perform(
    config: Config,
    folder: RunFolder,
    *,
    audience: Audience,
    protection: Protection | None = None,
    resume: bool = False,
) -> Result:
    """Runs ``config`` and leaves its files in ``folder``, or goes on with what is there.

    An interrupt or a failure leaves them too, with the model that was released last, its own
    figures and the ε of its ledgers; it then goes on upwards. Whatever the end, also none at
    all, every round that was released is kept to go on from.

    Args:
        config: What to run.
        folder: Where its files go.
        audience: Follows the rounds.
        protection: What protects the run, where it was derived before.
        resume: Whether ``folder`` has a run of ``config`` that ended before its time.

    Raises:
        ValueError: The run diverges, its folder takes no more, or it cannot go on.
    """
    model = ServerModel.initial(config.ranking, seed=config.seed)
    own = photographs(config, model.ranker.encoder)
    source, held_out = population(config.photos, config.seed, own)
    protection = protection or config.protection(devices=source.devices)
    earlier, log = earlier_runs(config), RunLog(folder.path)
    with folder.held(), _said(folder):
        resumed = _reopened(folder, config, protection, model) if resume else None
        earlier.keep(folder)
        folder.write_config(to_plain(config))
        folder.write_environment()
        log.write("begun" if resumed is None else "resumed")
        recorder = Recorder(
            judge=_judge(config, model, held_out),
            every=config.simulation.evaluate_every,
            rounds=protection.rounds if resumed is None else resumed.server.rounds,
            spending=spending(protection),
            audience=Written(audience, folder, log),
        )
        return _performed(
            model,
            Course(
                config=config,
                protection=protection,
                source=source,
                folder=folder,
                recorder=recorder,
                log=log,
                earlier=earlier,
                resumed=resumed,
            ),
        )


@contextmanager
def _said(folder: RunFolder) -> Iterator[None]:
    """Turns a disk that takes no more into one sentence: nothing that was kept is lost."""
    try:
        yield
    except OSError as failure:
        raise ValueError(
            f"{folder.path} takes no more: {failure.strerror}; the run stops, and its last "
            f"good state is in {folder.checkpoints}: mend that and resume."
        ) from failure


def _reopened(
    folder: RunFolder, config: Config, protection: Protection, model: ServerModel
) -> Resumed:
    resumed = resumption.resumed(folder, config, protection, size=len(model.trainable))
    folder.reopen(rows=0 if resumed.checkpoint is None else resumed.checkpoint.rows)
    return resumed


def _performed(model: ServerModel, course: Course) -> Result:
    config, recorder = course.config, course.recorder
    try:
        with course.log.listening():
            released, after = course.trained()
        own = _personal(config, course.source, released, recorder=recorder)
    except BaseException as end:
        status = "interrupted" if isinstance(end, KeyboardInterrupt) else "failed"
        if recorder.rows:
            _leave_early(model, course, status=status, end=end)
        raise
    model.take(released)
    ended = _Ended(status="finished", after=after, personal=own)
    with stopping.unbroken():
        written = _leave(course, model, ended=ended)
    return Result(
        before=recorder.rows[0].figures,
        after=after,
        personal=own,
        spent=recorder.spent(),
        orders=known_orders(config.photos, config.seed),
        remarks=with_earlier.notes(written),
    )


def _judge(config: Config, model: ServerModel, held_out: HeldOut) -> Judge:
    """Returns what judges the releases of ``config``, with a ranker of its own."""
    return Judge(
        deepcopy(model.ranker),
        model.names,
        held_out,
        loss=config.ranking.loss,
        frozen_encoder=config.ranking.inputs != "pixels",
    )


def _personal(
    config: Config, source: PhotoSource, released: Vector, *, recorder: Recorder
) -> Figures | None:
    """The figures of devices that fit ``released`` to their own moments, where asked for."""
    if not config.simulation.personal:
        return None
    judge = recorder.judge
    own = baselines.training_examples(config, source, judge.held_out.devices, judge=judge)
    return personal_figures(judge, config.ranking, own, released=released)


def _leave_early(
    model: ServerModel, course: Course, *, status: str, end: BaseException
) -> None:
    """Leaves what a run has that ended before its time; the checkpoints are there already."""
    course.recorder.settle(resumption.ledgers_of(course.folder, course.protection))
    try:
        # What raises returns nothing: the release that was heard of last is kept.
        model.take(course.recorder.stop())
        after = course.recorder.rows[-1].figures
        _leave(course, model, ended=_Ended(status=status, after=after))
    except OSError:
        # A disk that took no checkpoint takes no model: the first end is the one to tell.
        if not isinstance(end, OSError | ValueError):
            raise


def _leave(course: Course, model: ServerModel, *, ended: _Ended) -> dict[str, dict[str, Any]]:
    """Writes the files of the end; returns the card."""
    config, protection, folder = course.config, course.protection, course.folder
    recorder = course.recorder
    recorder.settle(resumption.ledgers_of(folder, protection))
    before, spent = recorder.rows[0].figures, recorder.spent()
    promised = card.promises(protection, moments=round(config.training.reference_size))
    own = card.plain(promised, as_it_ran=spent, ledger=folder.ledgers)
    written = with_earlier.added(own, course.earlier, run=folder.path)
    shared = public_half.may_be_shared(promised)
    half = public_half.begin(folder) if shared else folder.private
    origin = public_half.origin(config, command=COMMAND, run=folder.path.name)
    save_weights(model.ranker, half / MODEL, origin=origin)
    folder.write_card(written)
    if shared:
        plain = public_half.of_config(to_plain(config))
        public_half.write(
            folder, config=plain, card=public_half.of_card(written, config=config)
        )
    folder.write_summary(
        {
            "status": ended.status,
            "round": recorder.round,
            "algorithm": config.simulation.algorithm,
            "noise": config.privacy.noise,
            "privacy": plain_spent(spent),
            "simulation_only": {
                "before": plain_figures(before),
                "after": plain_figures(ended.after),
                "orders": {
                    name: figures.normalised()
                    for name, figures in known_orders(config.photos, config.seed).items()
                },
                "before_by_device": before.contributions().tolist(),
                "after_by_device": ended.after.contributions().tolist(),
                "personal_by_device": ended.personal_by_device(),
            },
        }
    )
    run_parts.seal(folder.path, run_parts.of_run(shared=shared))
    return written
