"""One run from its configuration to its folder."""

from collections.abc import Mapping
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
from simulations.federation.device_ledgers import device_ledgers
from simulations.federation.federation import federate
from simulations.privacy import card
from simulations.privacy.spending import EpsilonSpent, spending
from simulations.runs import baselines, public_half, run_parts, with_earlier
from simulations.runs.earlier_runs import EarlierRuns, earlier_runs
from simulations.runs.photographs import photographs
from simulations.runs.recorder import Audience, MetricsRow, Recorder, plain_figures, plain_spent
from simulations.runs.run_folder import MODEL, RunFolder
from simulations.runs.run_log import Logged, RunLog

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
) -> Result:
    """Runs ``config`` and leaves its files in ``folder``.

    An interrupt or a failure leaves them too, with the model that was released last, its own
    figures and an ε that counts the round under way; it then goes on upwards.

    Args:
        config: What to run.
        folder: Where its files go.
        audience: Follows the rounds.
        protection: What protects the run, where it was derived before.
    """
    model = ServerModel.initial(config.ranking, seed=config.seed)
    own = photographs(config, model.ranker.encoder)
    source, held_out = population(config.photos, config.seed, own)
    protection = protection or config.protection(devices=source.devices)
    earlier = earlier_runs(config)
    earlier.keep(folder)
    folder.write_config(to_plain(config))
    folder.write_environment()
    log = RunLog(folder.path)
    recorder = Recorder(
        judge=_judge(config, model, held_out),
        every=config.simulation.evaluate_every,
        rounds=protection.rounds,
        spending=spending(protection),
        audience=_Written(audience, folder, log),
    )
    try:
        with log.listening():
            released, after = _train(
                config, protection, source, folder, recorder=recorder, log=log
            )
        personal = _personal(config, source, released, recorder=recorder)
    except BaseException as end:
        status = "interrupted" if isinstance(end, KeyboardInterrupt) else "failed"
        if recorder.rows:
            # What raises returns nothing: the release that was heard of last is kept.
            model.take(recorder.stop())
            ended = _Ended(status=status, after=recorder.rows[-1].figures)
            _leave(config, model, folder, protection, earlier, recorder=recorder, ended=ended)
        raise
    model.take(released)
    ended = _Ended(status="finished", after=after, personal=personal)
    written = _leave(config, model, folder, protection, earlier, recorder=recorder, ended=ended)
    return Result(
        before=recorder.rows[0].figures,
        after=after,
        personal=personal,
        spent=recorder.rows[-1].spent,
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


def _train(
    config: Config,
    protection: Protection,
    source: PhotoSource,
    folder: RunFolder,
    *,
    recorder: Recorder,
    log: RunLog,
) -> tuple[Vector, Figures]:
    """The model that came of it, and the figures of the run."""
    recorder.begin()
    match config.simulation.algorithm:
        case "federated":
            observer = Logged(log=log, observer=recorder)
            released = _federated(config, protection, source, folder, observer=observer)
        case "centralised":
            released = baselines.centralised(config, source, protection, judge=recorder.judge)
            recorder.finish(released)
        case "local_only":
            return baselines.local_only(config, source, protection, judge=recorder.judge)
    return released, recorder.rows[-1].figures


def _federated(
    config: Config,
    protection: Protection,
    source: PhotoSource,
    folder: RunFolder,
    *,
    observer: Logged,
) -> Vector:
    ledger = folder.begin_ledgers() if protection.units else None
    with device_ledgers(protection, ledger, noise=config.privacy.noise) as ledgers:
        return federate(
            config, source.devices, observer=observer, ledger=ledger, ledgers=ledgers
        )


def _leave(
    config: Config,
    model: ServerModel,
    folder: RunFolder,
    protection: Protection,
    earlier: EarlierRuns,
    *,
    recorder: Recorder,
    ended: _Ended,
) -> dict[str, dict[str, Any]]:
    """Writes the files of the end; returns the card."""
    before, spent = recorder.rows[0].figures, recorder.rows[-1].spent
    promised = card.promises(protection, moments=round(config.training.reference_size))
    own = card.plain(promised, as_it_ran=spent, ledger=folder.ledgers)
    written = with_earlier.added(own, earlier, run=folder.path)
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


@dataclass(frozen=True, slots=True)
class _Written:
    """Writes each evaluation down before it is shown."""

    audience: Audience
    folder: RunFolder
    log: RunLog

    def started(self, number: int, *, cohort: int) -> None:
        self.audience.started(number, cohort=cohort)

    def replied(self) -> None:
        self.audience.replied()

    def evaluated(self, row: MetricsRow) -> None:
        plain: dict[str, Any] = row.plain() | {"machine": self.log.since_last_row()}
        self.folder.append_metrics(plain)
        self.audience.evaluated(row)
