"""Small devices, the settings of their runs, and a node that answers as Flower's would."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from flwr.app import Context, Message, MessageType, RecordDict
from rankings import ranking

from client import local_device
from client.app import app, train_cohort
from client.embeddings.lru_cache import LruCache
from photos.library import Library, Moment
from photos.synthetic.settings import SyntheticPhotos
from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.mechanisms.moments.settings import DpSgdSettings
from privacy.protection.settings import Privacy
from protocol.codec import decode_reply, encode_task
from protocol.messages import Task, VisitTerms
from protocol.rebuild import to_plain
from protocol.settings import Training
from ranking.initial import initial_ranker
from ranking.model.build import frozen_names, trainable_names
from ranking.parameters import flatten, frozen_digest
from simulations.federation import flower_internals

SIDE = 16
DEVICES = 10
SECRET = "the beach at dusk"
UNREADABLE, WITHOUT_MOMENTS = 9, 8

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
TRAINING = Training(steps=2, rate=0.5, reference_size=16, largest_library=400, lr=1.0)
ONE_STEP = Training(steps=1, rate=1.0, reference_size=2, largest_library=100, lr=0.5)
# Half of the moments, σ = 1, two steps a visit, δ = 1e-5: ε is 4.85, 6.68, 8.11, 9.34 after
# 1, 2, 3, 4 visits.
DPSGD = DpSgdSettings(
    epsilon=None,
    noise_multiplier=1.0,
    delta=1e-5,
    clip=0.3,
    numbers="float64",
    max_participations=4,
)


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


def configuration(
    *,
    seed=0,
    trained="head",
    training=TRAINING,
    noise="secure",
    example=None,
    device=None,
    engine="opacus",
):
    """A whole configuration as a device gets it, in JSON."""
    sections = {
        "seed": seed,
        "photos": SyntheticPhotos(
            devices=DEVICES,
            held_out_devices=0,
            held_out_share=0.4,
            side=SIDE,
            taste=0,
            taste_cosine=1.0,
            taste_flips=0,
            context_preference=0.0,
        ),
        "ranking": ranking(trained),
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
            "engine": {"name": engine},
            "accelerator": "cpu",
            "memory": 512,
            "cache": None,
        },
    }
    return json.dumps({name: to_plain(value) for name, value in sections.items()})


@pytest.fixture(scope="session")
def lab():
    return SimpleNamespace(
        terms=visit_terms,
        plain=PLAIN,
        side=SIDE,
        library=library,
        training=TRAINING,
        dpsgd=DPSGD,
        configuration=configuration,
    )


class Libraries:
    """A photo source that notes what is asked of it; one device's photos cannot be read."""

    def __init__(self):
        self.asked = []

    def library(self, device):
        self.asked.append(device)
        if device == UNREADABLE:
            raise ValueError(SECRET)
        return library(device, [] if device == WITHOUT_MOMENTS else [4, 3, 5, 2, 6, 3])


@pytest.fixture
def identity():
    flower_internals.identify(1)


@pytest.fixture
def libraries(monkeypatch, identity):
    made = Libraries()
    monkeypatch.setattr(local_device, "_source", lambda photos, seed: made)
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    monkeypatch.setattr(local_device, "_kept", LruCache(weigh=local_device._bytes))
    return made


def config(*, trained="head", mechanism="dpsgd", noise="insecure_seeded", budget=None, **rest):
    """One step of all moments, σ = 1, clip 1, two visits, δ = 1e-5.

    The ε of one visit is 4.38, of two 6.57.
    """
    dpsgd = replace(DPSGD, epsilon=budget, clip=1.0, max_participations=2)
    example = {"dpsgd": dpsgd, "none": NoExample()}[mechanism]
    return configuration(
        **{"seed": 3} | rest, trained=trained, training=ONE_STEP, noise=noise, example=example
    )


def booked(**settings):
    """The same with the engine that trains many devices at once."""
    return config(engine="bookkeeping", **settings)


def context(device, text, **node_config):
    return Context(
        run_id=1,
        node_id=1000 + device,
        node_config={"partition-id": device, "num-partitions": DEVICES}
        | {key.replace("_", "-"): value for key, value in node_config.items()},
        state=RecordDict(),
        run_config={"config": text},
    )


def first_task(*, trained="head", private=True, seed=3):
    ranker = initial_ranker(ranking(trained), seed=seed)
    others = frozen_names(ranker, trained)
    frozen = flatten(ranker, others)
    terms = visit_terms(noise_multiplier=1.0, max_participations=2)
    return Task(
        round=1,
        attempt=0,
        parameters=flatten(ranker, trainable_names(ranker, trained)),
        digest=frozen_digest(ranker, others, frozen),
        frozen=frozen,
        terms=terms if private else replace(PLAIN, lr=0.5),
    )


def message(content, own, kind=MessageType.TRAIN):
    made = Message(content, own.node_id, kind)
    flower_internals.number(made, "message-1")
    return made


carried = flower_internals.over_the_wire


def ask(task, own, kind=MessageType.TRAIN):
    """What a device answers to a task, or to the content of a message."""
    content = task if isinstance(task, RecordDict) else encode_task(task)
    return carried(app(carried(message(content, own, kind)), own))


def found(answer, task):
    return decode_reply(answer.content, size=len(task.parameters))


def asked(task, owns):
    """A message of ``task`` for each context, as the grid hands them over."""
    return [(message(encode_task(task), own), own) for own in owns]


def declined_as(answer, reason):
    """Whether a message says why, and nothing else."""
    return {name: dict(record) for name, record in answer.content.items()} == {
        "scalars": {"round": 1, "attempt": 0, "declined": str(reason)}
    }


@pytest.fixture(scope="session")
def node():
    """A node of Flower's with one device, asked alone or beside others."""
    return SimpleNamespace(
        secret=SECRET,
        config=config,
        booked=booked,
        context=context,
        task=first_task,
        message=message,
        ask=ask,
        found=found,
        reply=lambda task, own: found(ask(task, own), task),
        asked=asked,
        declined_as=declined_as,
    )


@pytest.fixture(params=["alone", "beside"])
def answer(request):
    """One device's answer to a task, by either way into training."""
    if request.param == "alone":
        return ask
    return lambda task, own: train_cohort(asked(task, [own]))[0]
