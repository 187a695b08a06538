"""How fast devices train: the engines against a plain loop and the arithmetic alone."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from client.engine import Engine, Examples, Visit
from client.model import kept_shape
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_engine import CohortEngine
from client.training.opacus_engine import OpacusEngine
from client.training.scoring import scores
from client.training.vmapped import Vmapped
from privacy.noise import SecureSource
from protocol.messages import VisitTerms
from ranking.losses.registry import LOSSES
from ranking.model.build import build_ranker, trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import flatten
from ranking.settings import Inputs, Ranking, Trained
from simulations.benchmarks.rendering_benchmark import SIDE
from simulations.configuration.hydra_bridge import compose

PLAIN = "plain loop, no privacy"
FLOOR = "products and noise alone"
BEFORE: Mapping[Inputs, tuple[str, ...]] = MappingProxyType(
    {"pixels": (), "embeddings": ("encoder.",), "readings": ("encoder.", "list_ranker.reader.")}
)
"""Layers that a training does not compute, by what a device keeps of its photos."""

PASSES = 3
"""Products of a layer in a step: forwards, backwards to its inputs and backwards to its
weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What is trained: every device has the same, so that nothing is padded."""

    trained: Trained
    devices: int
    steps: int
    moments: int
    photos: int

    def __str__(self) -> str:
        return (
            f"{self.trained}: {self.devices} devices × {self.steps} steps × "
            f"{self.moments} moments × {self.photos} photos"
        )


LOADS = (
    Load(trained="taste", devices=50, steps=10, moments=5, photos=6),
    Load(trained="head", devices=40, steps=2, moments=10, photos=5),
    Load(trained="linear", devices=50, steps=10, moments=5, photos=6),
    Load(trained="head", devices=50, steps=10, moments=5, photos=6),
    Load(trained="lora", devices=50, steps=10, moments=5, photos=6),
    Load(trained="all", devices=16, steps=4, moments=4, photos=8),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """One way to train one load.

    Attributes:
        load: What was trained.
        way: How.
        seconds: Of every repetition, taken in turn with those of the other ways.
        ratio: Median over the median of the plain loop.
    """

    load: str
    way: str
    seconds: tuple[float, ...]
    ratio: float


def measure(load: Load, *, repeats: int) -> list[Timing]:
    """Times every way to train ``load``, in turn; the first turn only warms up."""
    ways = _ways(load)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(repeats + 1):
        for way, train in ways.items():
            began = time.perf_counter()
            train()
            if turn:
                seconds[way].append(time.perf_counter() - began)
    plain = median(seconds[PLAIN])
    return [
        Timing(load=str(load), way=way, seconds=tuple(all_), ratio=median(all_) / plain)
        for way, all_ in seconds.items()
    ]


def _ways(load: Load) -> dict[str, Callable[[], object]]:
    devices = [_examples(load, seed) for seed in range(load.devices)]
    private = _work(load, private=True)
    return {
        PLAIN: lambda: _plain(load, devices),
        "bookkeeping": _engine(load, devices, private, _cohort(Bookkeeping)),
        "bookkeeping, no privacy": _engine(
            load, devices, _work(load, private=False), _cohort(Bookkeeping)
        ),
        "vmap": _engine(load, devices, private, _cohort(Vmapped)),
        "opacus": _engine(load, devices, private, OpacusEngine),
        FLOOR: _floor(load),
    }


def _examples(load: Load, seed: int) -> Examples:
    draws = torch.Generator().manual_seed(seed)
    ranker, ranking = _built(load)
    shape = kept_shape(ranker, ranking, side=SIDE)
    lists = (load.moments, load.photos)
    return Examples(
        inputs=torch.rand(*lists, *shape, generator=draws),
        gains=torch.randint(0, 4, lists, generator=draws).float(),
        where=torch.ones(lists, dtype=torch.bool),
        numbers=torch.arange(load.moments),
    )


def _work(load: Load, *, private: bool) -> VisitTerms:
    return VisitTerms(
        steps=load.steps,
        rate=1.0,
        denominator=float(load.moments),
        lr=0.1,
        clip=0.2 if private else float("inf"),
        noise_multiplier=1.0 if private else 0.0,
        max_participations=0,
        private=private,
    )


def _built(load: Load) -> tuple[Ranker, Ranking]:
    ranking = compose([f"ranking={load.trained}", "ranking.weights=null"]).ranking
    return build_ranker(ranking, generator=torch.Generator().manual_seed(0)), ranking


def _cohort(kind: Any) -> Callable[[Ranker, Ranking], Engine]:
    return lambda ranker, ranking: CohortEngine(kind(ranker, ranking))


def _engine(
    load: Load,
    devices: list[Examples],
    terms: VisitTerms,
    build: Callable[[Ranker, Ranking], Engine],
) -> Callable[[], object]:
    ranker, ranking = _built(load)
    start = flatten(ranker, trainable_names(ranker, load.trained))
    engine = build(ranker, ranking)

    def train() -> object:
        visits = [Visit(examples=own, source=SecureSource()) for own in devices]
        return sum(1 for _ in engine.train(start, visits, terms=terms))

    return train


def _plain(load: Load, devices: list[Examples]) -> None:
    """What one writes in PyTorch without privacy: one device after another."""
    ranker, ranking = _built(load)
    names = trainable_names(ranker, load.trained)
    for name, parameter in ranker.named_parameters():
        parameter.requires_grad_(name in names)
    trained = [parameter for parameter in ranker.parameters() if parameter.requires_grad]
    start = [parameter.detach().clone() for parameter in trained]
    optimizer = torch.optim.SGD(trained, lr=0.1)
    for own in devices:
        with torch.no_grad():
            for parameter, value in zip(trained, start, strict=True):
                parameter.copy_(value)
        for _ in range(load.steps):
            found = LOSSES["softmax"](
                scores(ranker, own, kept=ranking.inputs), own.gains, where=own.where
            )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(found.sum() / load.moments)
            optimizer.step()


def _floor(load: Load) -> Callable[[], object]:
    """The matrix products of a step for all devices at once, and as many normal draws."""
    ranker, ranking = _built(load)
    names = trainable_names(ranker, load.trained)
    size = sum(p.numel() for name, p in ranker.named_parameters() if name in names)
    products = list(_products(load, ranker, kept=ranking.inputs))
    stream = SecureSource().stream()

    def run() -> object:
        for _ in range(load.steps):
            for left, right in products:
                for _ in range(PASSES):
                    torch.bmm(left, right)
            for _ in range(load.devices):
                stream.gaussian(size)
        return None

    return run


def _products(load: Load, ranker: Ranker, *, kept: Inputs) -> Iterator[tuple[Tensor, Tensor]]:
    """(rows, weights) of every layer after what is kept of a photo."""
    rows = load.devices * load.moments * load.photos
    for name, module in ranker.named_modules():
        if name.startswith(BEFORE[kept]):
            continue
        tokens = (SIDE // 8) ** 2 if name.startswith("encoder.") else 1
        match module:
            case nn.Linear():
                yield _pair(rows * tokens, module.in_features, module.out_features)
            case nn.Conv2d():
                side = SIDE // 2 ** (1 + int(name.rpartition(".")[2]) // 3)
                yield _pair(rows * side**2, module.in_channels * 9, module.out_channels)


def _pair(rows: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    return torch.rand(1, rows, inputs), torch.rand(1, inputs, outputs)
