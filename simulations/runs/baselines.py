"""What federation is compared with: all moments in one place, and each device alone."""

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch

from client.accelerator import accelerator
from client.embeddings.device_photos import examples_of
from client.embeddings.examples import widened
from client.embeddings.readings import read
from client.engine import Examples, Visit
from client.model import build_engine
from photos.library import LARGEST_MOMENT
from photos.source import PhotoSource
from photos.split import training_moments
from privacy.noise import SeededSource
from privacy.protection.derivation import Protection
from protocol.messages import Vector, VisitTerms
from ranking.initial import initial_ranker
from ranking.parameters import flatten
from server.rounds.divergence import DivergedError
from server.visit_terms import visit_terms
from simulations.configuration.settings import Config
from simulations.evaluation import figures
from simulations.evaluation.figures import Figures, scores
from simulations.evaluation.judge import Judge
from simulations.runs.photographs import photographs


def centralised(
    config: Config, source: PhotoSource, protection: Protection, *, judge: Judge
) -> Vector:
    """Returns what training on the moments of all training devices in one place comes to.

    As many steps as all rounds have, each on as many moments as a step of a whole cohort: with
    one local step a visit, that is the federated run itself.
    """
    own = training_examples(config, source, range(source.devices), judge=judge)
    everything = _gathered(own)
    terms = visit_terms(config.training, config.privacy, protection)
    drawn = config.server.cohort * terms.denominator
    together = dataclasses.replace(
        terms,
        steps=config.server.rounds * terms.steps,
        rate=min(1.0, drawn / max(1, len(everything.numbers))),
        denominator=drawn,
    )
    (trained,) = _trained(config, [everything], together, judge=judge)
    return trained


def local_only(
    config: Config, source: PhotoSource, protection: Protection, *, judge: Judge
) -> tuple[Vector, Figures]:
    """Trains each held-out device alone, on its own training moments, and judges it by itself.

    Each takes as many steps as a device takes on average in the federated run.

    Returns:
        What the last device came to, and the figures of all.

    Raises:
        DivergedError: A device came to scores that are not finite.
    """
    held_out, last = judge.held_out, judge.start
    own = training_examples(config, source, held_out.devices, judge=judge)
    terms = visit_terms(config.training, config.privacy, protection)
    visits = config.server.rounds * config.server.cohort / source.devices
    alone = dataclasses.replace(terms, steps=max(1, round(visits * terms.steps)))
    where = torch.from_numpy(held_out.where)
    owner = torch.from_numpy(held_out.device_of)
    found = np.zeros(where.shape)
    for index, last in enumerate(_trained(config, own, alone, judge=judge)):
        judge.take(last)
        mine = owner == index
        embeddings = judge.embeddings[mine]
        found[mine.numpy()] = scores(judge.ranker.list_ranker, embeddings, where=where[mine])
    try:
        return last, figures.judge(found, held_out)
    except ValueError as failure:
        raise DivergedError(config.server.rounds, f"of a device alone, {failure}") from failure


def training_examples(
    config: Config, source: PhotoSource, devices: Sequence[int], *, judge: Judge
) -> list[Examples]:
    """Returns the training moments of each of ``devices``, as its client would hold them."""
    return [_training(config, source, number, judge) for number in devices]


def _training(config: Config, source: PhotoSource, number: int, judge: Judge) -> Examples:
    """One device's training moments, as its own client would hold them."""
    inputs, ranker = config.ranking.inputs, judge.ranker
    share = config.photos.held_out_share
    own = examples_of(
        source,
        number,
        partial(training_moments, seed=config.seed, held_out_share=share),
        encoder=None if inputs == "pixels" else ranker.encoder,
        own=photographs(config, ranker.encoder),
    )
    return read(ranker.list_ranker, own) if inputs == "readings" else own


def _trained(
    config: Config, devices: Sequence[Examples], terms: VisitTerms, *, judge: Judge
) -> Iterator[Vector]:
    """Yields what each of ``devices`` comes to from the run's initial parameters."""
    ranker = initial_ranker(config.ranking, seed=config.seed)
    initial = flatten(ranker, judge.names)
    ranker.to(accelerator(config.simulation.accelerator))
    engine = build_engine(ranker, config.ranking, config.simulation.engine)
    visits = (
        Visit(examples=own, source=SeededSource(config.seed, "baseline", number))
        for number, own in enumerate(devices)
    )
    for result in engine.train(initial, visits, terms=terms):
        yield initial + result.delta


def _gathered(devices: Sequence[Examples]) -> Examples:
    """The moments of all devices as those of one; their numbers are made anew."""
    moments = sum(len(own.numbers) for own in devices)
    return Examples(
        inputs=torch.cat([widened(own.inputs, LARGEST_MOMENT) for own in devices]),
        gains=torch.cat([widened(own.gains, LARGEST_MOMENT) for own in devices]),
        where=torch.cat([widened(own.where, LARGEST_MOMENT) for own in devices]),
        numbers=torch.arange(moments),
    )
