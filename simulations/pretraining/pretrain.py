"""Trains the encoder and the public ranker on the public split: `darkroom pretrain`."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from ranking.losses.registry import LOSSES
from ranking.model.build import build_ranker, trainable_names
from ranking.model.encoder import EMBEDDING
from ranking.model.ranker import Ranker
from ranking.weights import Origin, public_weights_path, save_weights
from simulations.pretraining.public_figures import public_figures
from simulations.pretraining.public_moments import FACTS, PublicMoments, gather
from simulations.runs.run_folder import check_parent

DEVICES, CHAPTER, PASSES = 1_800, 50, 2
"""Public devices to train on, how many are rendered at a time, and how often each moment is
seen. Chosen so that the command takes about ten minutes; a chapter bounds the memory."""

HELD_OUT = 100
"""Public devices to judge on."""

BATCH, LR, WARM_UP = 8, 1.5e-3, 50
"""Moments of a step, Adam's largest learning rate, and the steps in which it rises to that.
Chosen: the shipped weights come of them."""

FACT_WEIGHT = 0.3
"""Weight of the loss on the facts beside the ranking loss. At 0 the embedding may lose what the
public does not like and an owner does."""

MOMENTS_A_DEVICE = 24
"""Mean moments of a public device, 23.7 of the first 1,800: the learning rate ends about at 0
after so many. With fewer the last devices would be trained at a rate of 0."""

SIDE = 48
"""Pixels of a photo's side: the default of ``photos.side``, kept in the weights' metadata."""


def pretrain(*, out: Path, seed: int, devices: int = DEVICES, held_out: int = HELD_OUT) -> None:
    """Trains on one thread, writes the weights to ``out`` and prints how good they are.

    Public devices are rendered chapter by chapter and forgotten. The same seed gives the same
    weights on the same machine.

    Args:
        out: The safetensors file; its folder must exist.
        seed: Decides the weights, the batches and the public photos.
        devices: Public devices 0 to ``devices`` - 1 are trained on.
        held_out: As many after those are judged on.

    Raises:
        ValueError: The folder of ``out`` is missing or closed to us; nothing was trained.
    """
    check_parent("--out", out)
    started = time.monotonic()
    with _one_thread():
        lesson = Lesson(seed=seed, steps=_steps(devices))
        for first in range(0, devices, CHAPTER):
            last = min(first + CHAPTER, devices)
            loss = lesson.learn(gather(side=SIDE, seed=seed, devices=range(first, last)))
            minutes = (time.monotonic() - started) / 60
            print(f"{last:5d} of {devices} devices   loss {loss:.3f}   {minutes:.1f} min")
        origin = Origin(
            seed=seed,
            command=f"darkroom pretrain --seed {seed}",
            trained="all",
            side=SIDE,
        )
        save_weights(lesson.ranker, out, origin=origin)
        judged = gather(side=SIDE, seed=seed, devices=range(devices, devices + held_out))
        for line in public_figures(lesson.ranker, judged).lines():
            print(line)


class Lesson:
    """The ranker as it learns to order moments and to tell what is in a photo.

    The facts are read off the embedding by a linear layer that is thrown away afterwards: what
    owners may come to like must be in the embedding, liked by the public or not.

    Attributes:
        ranker: All but its taste is trained.
    """

    def __init__(self, *, seed: int, steps: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self.ranker = build_ranker("all", generator=self._generator)
        self._reading = _reading(self._generator)
        self._optimizer = torch.optim.Adam(
            [*_trained(self.ranker), *self._reading.parameters()], lr=LR
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _pace(step, steps=steps)
        )

    def learn(self, moments: PublicMoments) -> float:
        """Goes over ``moments`` in random order and returns the mean loss."""
        losses = [
            self._step(moments, rows)
            for _ in range(PASSES)
            for rows in moments.batches(BATCH, generator=self._generator)
        ]
        return sum(losses) / len(losses)

    def _step(self, moments: PublicMoments, rows: Tensor) -> float:
        where = moments.where[rows]
        embeddings = moments.embedded(self.ranker.encoder, rows)
        scores = self.ranker.list_ranker(embeddings, where=where)
        ranking = LOSSES["softmax"](scores, moments.gains[rows], where=where).mean()
        facts = moments.facts[moments.places[rows][where]]
        reading = mse_loss(self._reading(embeddings[where]), facts, reduction="none")
        loss = ranking + FACT_WEIGHT * reading.sum(-1).mean()
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())


def _trained(ranker: Ranker) -> list[nn.Parameter]:
    parameters = dict(ranker.named_parameters())
    return [parameters[name] for name in trainable_names(ranker, "all")]


def _reading(generator: torch.Generator) -> nn.Linear:
    """A linear layer from the embedding to the facts."""
    layer = nn.Linear(EMBEDDING, FACTS, device="meta").to_empty(device="cpu")
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def _steps(devices: int) -> int:
    """Steps to plan for; libraries differ in size, so it is an estimate."""
    return PASSES * devices * MOMENTS_A_DEVICE // BATCH


def _pace(step: int, *, steps: int) -> float:
    """The learning rate as a share of its largest: a warm-up, then half a cosine."""
    left = 0.5 + 0.5 * math.cos(math.pi * min(1, step / steps))
    return min(1, (step + 1) / WARM_UP) * left


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    pretrain(out=public_weights_path(), seed=0)
