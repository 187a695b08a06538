"""Moments, and engines that train on them."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rankings import ranker, ranking
from torch.func import functional_call, grad

from client.engine import Examples, Visit
from client.model import kept_shape
from client.training.opacus_engine import OpacusEngine
from client.training.scoring import Scorer
from privacy.noise import SeededSource
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.parameters import flatten, load_flat


@lru_cache
def engine_and_start(trained, kind=OpacusEngine, loss="softmax", **changes):
    """An engine, and parameters [trainable] away from any zero initialisation."""
    made = ranker(trained, seed=1, **changes)
    start = flatten(made, trainable_names(made, trained))
    start = start + 0.1 * np.random.default_rng(2).standard_normal(len(start), np.float32)
    return kind(made, ranking(trained, loss=loss, **changes)), start


@lru_cache
def shape_of(trained, *, side, **changes):
    """Of what is kept of a photo: pixels, an embedding, or what is read of it."""
    made = ranker(trained, **changes)
    return kept_shape(made, ranking(trained, **changes), side=side)


@pytest.fixture(scope="session")
def moments(lab):
    """Makes examples whose first photo of each moment is the favourite, numbered 10, 11, …"""

    def made(trained, lengths, *, seed=3, scale=1.0, padding=0, **changes):
        draws = np.random.default_rng(seed)
        longest = max(lengths, default=0) + padding
        shape = shape_of(trained, side=lab.side, **changes)
        inputs = torch.zeros(len(lengths), longest, *shape)
        gains = torch.zeros(len(lengths), longest)
        where = torch.zeros(len(lengths), longest, dtype=torch.bool)
        for row, length in enumerate(lengths):
            pixels, features = (
                draws.random((length, *shape)),
                draws.normal(size=(length, *shape)),
            )
            inputs[row, :length] = torch.from_numpy(
                pixels if trained == "all" else scale * features
            )
            gains[row, :length] = torch.from_numpy(draws.choice([0.0, 1.0, 3.0], size=length))
            gains[row, 0] = 3.0
            where[row, :length] = True
        numbers = torch.arange(10, 10 + len(lengths))
        return Examples(inputs=inputs, gains=gains, where=where, numbers=numbers)

    return made


def chosen(examples, rows):
    """The given moments of ``examples``, in that order."""
    return Examples(
        inputs=examples.inputs[rows],
        gains=examples.gains[rows],
        where=examples.where[rows],
        numbers=examples.numbers[rows],
    )


def without(examples, row):
    return chosen(examples, [i for i in range(len(examples.numbers)) if i != row])


def delta(engine, start, examples, terms, *, source=None):
    visit = Visit(examples=examples, source=source or SeededSource(5))
    (trained,) = engine.train(start, [visit], terms=terms)
    return trained.delta


def ranker_at(trained, start, **changes):
    made = ranker(trained, seed=1, **changes)
    load_flat(made, trainable_names(made, trained), start)
    return made


def gradients(trained, start, examples, loss="softmax", **changes):
    """[moments, trainable] by torch.func: one moment after another, without its padding."""
    made = ranker_at(trained, start, **changes)
    names = trainable_names(made, trained)
    values = dict(made.named_parameters())
    others = {name: value.detach() for name, value in values.items() if name not in names}
    scorer = Scorer(made, kept=ranking(trained, **changes).inputs)

    def of_moment(chosen, inputs, gains):
        where = torch.ones_like(gains, dtype=torch.bool)
        tree = {f"ranker.{name}": value for name, value in (others | chosen).items()}
        scored = functional_call(scorer, tree, (inputs, where))
        return LOSSES[loss](scored, gains, where=where).sum()

    rows = []
    for row, length in enumerate(examples.where.sum(1).tolist()):
        start_of = {name: values[name].detach() for name in names}
        found = grad(of_moment)(
            start_of,
            examples.inputs[row : row + 1, :length],
            examples.gains[row : row + 1, :length],
        )
        rows.append(torch.cat([found[name].flatten() for name in names]))
    return torch.stack(rows).double().numpy()


@pytest.fixture(scope="session")
def lab(lab, moments):
    return SimpleNamespace(
        **vars(lab),
        engine_and_start=engine_and_start,
        moments=moments,
        chosen=chosen,
        without=without,
        delta=delta,
        ranker_at=ranker_at,
        gradients=gradients,
    )
