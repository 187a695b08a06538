"""Small devices, and what is compared with them."""

import json
import math
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from client.engine import Examples, Visit
from client.training.opacus_engine import OpacusEngine
from photos.library import Library, Moment
from photos.synthetic.settings import SyntheticPhotos
from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.noise import SeededSource
from privacy.protection.settings import Privacy
from protocol.messages import VisitTerms
from protocol.rebuild import to_plain
from protocol.settings import Training
from ranking.model.build import build_ranker, trainable_names
from ranking.parameters import flatten
from ranking.settings import Ranking

SIDE = 16

torch.set_num_threads(1)


@lru_cache
def engine_and_start(trained, kind=OpacusEngine, loss="softmax"):
    """An engine, and parameters [trainable] away from any zero initialisation."""
    ranker = build_ranker(trained, generator=torch.Generator().manual_seed(1))
    start = flatten(ranker, trainable_names(ranker, trained))
    start = start + 0.1 * np.random.default_rng(2).standard_normal(len(start), np.float32)
    ranking = Ranking(trained=trained, loss=loss, weights=None)
    return kind(ranker, ranking), start


def moments(trained, lengths, *, seed=3, scale=1.0, padding=0):
    """Examples whose first photo of each moment is the favourite, numbered 10, 11, …"""
    draws = np.random.default_rng(seed)
    longest = max(lengths, default=0) + padding
    shape = (3, SIDE, SIDE) if trained == "all" else (64,)
    inputs = torch.zeros(len(lengths), longest, *shape)
    gains = torch.zeros(len(lengths), longest)
    where = torch.zeros(len(lengths), longest, dtype=torch.bool)
    for row, length in enumerate(lengths):
        pixels, features = draws.random((length, *shape)), draws.normal(size=(length, *shape))
        inputs[row, :length] = torch.from_numpy(
            pixels if trained == "all" else scale * features
        )
        gains[row, :length] = torch.from_numpy(draws.choice([0.0, 1.0, 3.0], size=length))
        gains[row, 0] = 3.0
        where[row, :length] = True
    numbers = torch.arange(10, 10 + len(lengths))
    return Examples(inputs=inputs, gains=gains, where=where, numbers=numbers)


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


WORK = VisitTerms(
    steps=1,
    rate=1.0,
    denominator=2.0,
    lr=0.5,
    clip=1.0,
    noise_multiplier=0.0,
    max_participations=0,
    private=True,
)


def visit_terms(**changes):
    return replace(WORK, **changes)


PLAIN = visit_terms(clip=math.inf, private=False, denominator=1.0, lr=1.0)


def delta(engine, start, examples, terms, *, source=None):
    visit = Visit(examples=examples, source=source or SeededSource(5))
    (trained,) = engine.train(start, [visit], terms=terms)
    return trained.delta


def library(device, lengths, *, side=SIDE, value=None):
    """A library whose moments are numbered 5, 6, …; their first photos are favourites."""
    draws = np.random.default_rng(device)
    made = []
    for number, length in enumerate(lengths, start=5):
        shape = (length, side, side, 3)
        photos = draws.integers(0, 256, shape, dtype=np.uint8)
        feedback = draws.integers(0, 2, length)
        feedback[0] = 2
        made.append(
            Moment(
                number=number,
                photos=photos if value is None else np.full(shape, value, np.uint8),
                bursts=np.arange(length),
                feedback=feedback,
                expected_gain=None,
            )
        )
    return Library(device=device, moments=tuple(made), skipped={})


TRAINING = Training(steps=2, rate=0.5, reference_size=16, largest_library=400, lr=1.0)


def configuration(
    *,
    seed=0,
    trained="head",
    training=TRAINING,
    noise="secure",
    example=None,
    device=None,
):
    """A whole configuration as a device gets it, in JSON."""
    sections = {
        "seed": seed,
        "photos": SyntheticPhotos(
            devices=10,
            held_out_devices=0,
            held_out_share=0.4,
            side=SIDE,
            taste=0,
            taste_cosine=1.0,
            taste_flips=0,
            context_preference=0.0,
        ),
        "ranking": Ranking(trained=trained, loss="softmax", weights=None),
        "training": training,
        "privacy": Privacy(
            noise=noise,
            claim=False,
            example=example or NoExample(),
            device=device or NoDevice(),
        ),
        "server": {
            "rounds": 8,
            "cohort": 2.0,
            "optimizer": {"name": "sgd", "lr": 1.0},
            "unknown to a device": True,
        },
        "simulation": {
            "engine": {"name": "opacus"},
            "accelerator": "cpu",
            "memory": 512,
            "cache": None,
        },
    }
    return json.dumps({name: to_plain(value) for name, value in sections.items()})


@pytest.fixture(scope="session")
def lab():
    return SimpleNamespace(
        engine_and_start=engine_and_start,
        moments=moments,
        chosen=chosen,
        without=without,
        terms=visit_terms,
        plain=PLAIN,
        delta=delta,
        side=SIDE,
        library=library,
        training=TRAINING,
        configuration=configuration,
    )


@pytest.fixture
def identity():
    from simulations.federation.flower_internals import identify

    identify(1)
