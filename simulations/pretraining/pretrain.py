"""Trains public weights on the public split: `darkroom pretrain`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.parameters import module_digest
from ranking.settings import Ranking
from ranking.weights import Origin, load_encoder, public_weights_path, save_weights
from simulations.pretraining.context_functions import FAMILIES, known
from simulations.pretraining.encoder_figures import encoder_figures
from simulations.pretraining.encoder_stage import BATCH, PASSES, EncoderLesson
from simulations.pretraining.list_figures import list_figures
from simulations.pretraining.list_stage import ListLesson
from simulations.pretraining.moments.public_moments import gather
from simulations.pretraining.real_stage import write_real
from simulations.pretraining.sizes_asked import kept
from simulations.pretraining.stage import Stage
from simulations.pretraining.world import world_of
from simulations.runs.run_folder import check_parent

CHAPTER = 100
"""Public devices that are rendered at a time: 87 MB of photos of 48 pixels."""

MOMENTS_A_DEVICE = 24
"""Mean moments of a public device, 23.7 of the first 1,800: the learning rate ends about at 0
after so many. With fewer the last devices would be trained at a rate of 0."""

SIDE = 48
"""Pixels of a photo's side: the default of ``photos.side``, kept in the weights' metadata."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Public:
    """How many public devices take part.

    Attributes:
        encoder: The encoder is trained on the first so many.
        list: The list model is, or on as many as its world says where None.
        held_out: As many after those are judged on.
    """

    encoder: int = 4_200
    list: int | None = None
    held_out: int = 100


def pretrain(
    *,
    out: Path,
    seed: int,
    ranking: Ranking,
    stage: Stage = Stage.BOTH,
    without: frozenset[str] = frozenset(),
    public: Public | None = None,
    overrides: Sequence[str] = (),
) -> None:
    """Trains on one thread, writes the weights to ``out`` and prints how good they are.

    Public devices are rendered chapter by chapter and forgotten. The same seed gives the same
    weights on the same machine.

    Args:
        out: The safetensors file; its folder must exist.
        seed: Decides the weights, the batches, the tastes and the public photos.
        ranking: The sizes; and of the stage ``list``, the weights whose encoder it reads. What
            it says beside is of later trainings.
        stage: What is trained.
        without: Families of context functions that no taste of the stage ``list`` knows.
        public: How many devices, as it was chosen where None.
        overrides: The words that gave ``ranking``: the file tells which command made it.

    Raises:
        ValueError: The folder of ``out`` is missing or closed to us, weights that are missing,
            sizes that the public tastes do not have, or a family that is none; nothing was
            trained.
    """
    check_parent("--out", out)
    command = _command(stage, seed, without, overrides)
    if stage is Stage.REAL:
        with one_thread():
            print(*write_real(out, side=SIDE, seed=seed, command=command), sep="\n")
        return
    _check(ranking, stage, without)
    public = public or Public()
    ranking = _plain(ranking)
    with one_thread():
        ranker = _beginning(ranking, stage, seed=seed)
        if stage is not Stage.LIST:
            _encoder(ranker, seed=seed, public=public)
        if stage is not Stage.ENCODER:
            _list(ranker, ranking, seed=seed, public=public, without=without)
    photos = world_of(type(ranking.encoder)).photos
    origin = Origin(seed=seed, command=command, ranking=ranking, side=SIDE, photos=photos)
    save_weights(ranker, out, origin=origin)
    size = out.stat().st_size / 1024
    print(f"{out}: {size:.0f} KB, seed {seed}, weights {module_digest(ranker)}")


def _check(ranking: Ranking, stage: Stage, without: frozenset[str]) -> None:
    if stage is not Stage.LIST and not ranking.encoder.trainable:
        raise ValueError(
            f"--stage {stage} trains the encoder, and ranking/encoder={ranking.encoder.kind} "
            "stays as it is; take --stage list."
        )
    if stage is not Stage.ENCODER:
        _check_list(ranking)
    if unknown := without - set(FAMILIES):
        raise ValueError(
            f"--without {min(unknown)} is none of {', '.join(FAMILIES)}; name one of these."
        )
    if stage is Stage.LIST and ranking.weights is None and ranking.encoder.trainable:
        raise ValueError(
            "--stage list reads the encoder of ranking.weights, and null names none; name a "
            "file, or leave public."
        )


def _check_list(ranking: Ranking) -> None:
    world, sizes = world_of(type(ranking.encoder)), ranking.list
    own = len(world.names)
    if (sizes.own, sizes.scenes) != (own, world.scenes):
        raise ValueError(
            f"the public photos have ranking.list.own={own} features and "
            f"ranking.list.scenes={world.scenes} kinds of moments; leave these."
        )
    if sizes.relative not in known(own):
        raise ValueError(
            f"the public tastes know {', '.join(map(str, known(own)))} features of context, "
            f"not ranking.list.context={sizes.relative}; take one of these."
        )


def _plain(ranking: Ranking) -> Ranking:
    """The same sizes and weights, without adapters, and with every feature counting."""
    return Ranking(
        trained="taste",
        encoder=ranking.encoder,
        list=ranking.list,
        context=True,
        loss="softmax",
        weights=ranking.weights,
    )


def _beginning(ranking: Ranking, stage: Stage, *, seed: int) -> Ranker:
    ranker = build_ranker(ranking, generator=torch.Generator().manual_seed(seed))
    if not ranking.encoder.trainable:
        ranker.encoder.begin()
    elif stage is Stage.LIST:
        named = ranking.weights
        path = public_weights_path() if named in (None, "public") else Path(str(named))
        load_encoder(ranker, path)
    return ranker


def _encoder(ranker: Ranker, *, seed: int, public: Public) -> None:
    started = time.monotonic()
    lesson = EncoderLesson(
        ranker.encoder,
        steps=PASSES * public.encoder * MOMENTS_A_DEVICE // BATCH,
        generator=torch.Generator().manual_seed(seed),
    )
    for first in range(0, public.encoder, CHAPTER):
        last = min(first + CHAPTER, public.encoder)
        loss = lesson.learn(gather(side=SIDE, seed=seed, devices=range(first, last)))
        print(
            f"encoder: {last:5d} of {public.encoder} devices   loss {loss:.3f}"
            f"   {_minutes(started)}"
        )
    devices = range(public.encoder, public.encoder + public.held_out)
    judged = encoder_figures(ranker.encoder, gather(side=SIDE, seed=seed, devices=devices))
    for line in judged.lines():
        print(line)


def _list(
    ranker: Ranker, ranking: Ranking, *, seed: int, public: Public, without: frozenset[str]
) -> None:
    started, world = time.monotonic(), world_of(type(ranking.encoder))
    last = public.list or world.devices
    lesson = ListLesson(
        ranker.list_ranker, generator=torch.Generator().manual_seed(seed), without=without
    )
    taught = world.embedded(ranker.encoder, side=SIDE, seed=seed, devices=range(last))
    passes = lesson.learn(taught.embeddings, taught.facts, taught.scenes)
    for number, loss in enumerate(passes, start=1):
        print(f"list model: pass {number:2d}   loss {loss:.3f}   {_minutes(started)}")
    lesson.fit_token(taught.embeddings, taught.given, taught.where)
    devices = range(last, last + public.held_out)
    judged = world.embedded(ranker.encoder, side=SIDE, seed=seed, devices=devices)
    for line in list_figures(ranker, ranking, judged, names=world.names).lines():
        print(line)


def _minutes(started: float) -> str:
    return f"{(time.monotonic() - started) / 60:.1f} min"


def _command(stage: Stage, seed: int, without: frozenset[str], overrides: Sequence[str]) -> str:
    left = (f"--without {name}" for name in sorted(without))
    options = (f"--stage {stage}", f"--seed {seed}", *left)
    return " ".join(("darkroom pretrain", *options, *kept(overrides)))


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes on one thread: the same weights whatever else runs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
