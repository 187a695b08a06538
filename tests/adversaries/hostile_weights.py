"""A server that chooses the weights: hostile parameters, and what it can learn of a step."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from rankings import ranker as made
from rankings import ranking

from client.embeddings.readings import read
from client.engine import Examples, Visit
from client.training import cohort_engine, optimizer
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_engine import CohortEngine
from client.training.opacus_engine import OpacusEngine
from client.training.vmapped import Vmapped
from privacy.noise import SeededSource
from protocol.messages import VisitTerms
from ranking.model.build import frozen_names, trainable_names
from ranking.parameters import flatten, load_flat

KINDS = {"bookkeeping": Bookkeeping, "vmap": Vmapped, "opacus": OpacusEngine}
GRID_STEPS = 2**18
READER = "list_ranker.reader."
BLOCK = READER + "blocks.0."


@dataclass
class Attacked:
    """An engine whose ranker, the frozen part too, the adversary may overwrite."""

    ranker: object
    gradients: object
    engine: object
    trained: str

    @property
    def names(self):
        return trainable_names(self.ranker, self.trained)

    def given(self, state):
        """Takes over hostile values and returns the trained ones [trainable]."""
        vector = flat(state, self.names)
        others = frozen_names(self.ranker, self.trained)
        load_flat(self.ranker, others, flat(state, others))
        return vector

    def kept(self, examples):
        """What a device keeps of moments of embeddings or of pixels, by the weights at hand."""
        if ranking(self.trained).inputs != "readings":
            return examples
        return read(self.ranker.list_ranker, examples)

    def total(self, parameters, examples, *, clip, integers=False):
        """[trainable] the sum of a step over moments of embeddings, in clips.

        It is that which is handed to the noise.
        """
        terms = VisitTerms(
            steps=1,
            rate=1.0,
            denominator=1.0,
            lr=1.0,
            clip=clip,
            noise_multiplier=0.0,
            max_participations=0,
            private=True,
            integers=integers,
        )
        seen = []

        def caught(total, terms, **_):
            unit = clip / GRID_STEPS if terms.integers else 1.0
            seen.append(np.array(total, np.float64) * unit)
            return np.zeros_like(seen[-1])

        before = cohort_engine.step_release, optimizer.step_release
        cohort_engine.step_release = optimizer.step_release = caught
        try:
            visit = Visit(examples=self.kept(examples), source=SeededSource(1))
            list(self.engine.train(parameters, [visit], terms=terms))
        finally:
            cohort_engine.step_release, optimizer.step_release = before
        return seen[0] / clip


@lru_cache(maxsize=128)
def attacked(kind, trained, loss="softmax"):
    ranker = made(trained, seed=1)
    gradients = KINDS[kind](ranker, ranking(trained, loss=loss))
    engine = gradients if kind == "opacus" else CohortEngine(gradients)
    return Attacked(ranker=ranker, gradients=gradients, engine=engine, trained=trained)


def flat(state, names):
    return np.concatenate([state[name].reshape(-1) for name in names]).astype(np.float32)


@lru_cache(maxsize=8)
def clean(trained):
    """Ordinary values of every parameter, away from any zero initialisation."""
    ranker = made(trained, seed=1)
    draws = np.random.default_rng(2)
    return {
        name: flatten(ranker, [name]).reshape(one.shape)
        + np.float32(0.1) * draws.standard_normal(one.shape).astype(np.float32)
        for name, one in ranker.named_parameters()
    }


def ordinary(state, draws):
    """What an honest server sends."""


def scaled(state, draws):
    """Every tensor times a power of two of its own, up to the ends of float32."""
    reach = int(draws.choice([2, 8, 20, 60]))
    for value in state.values():
        value *= np.float32(2.0 ** draws.integers(-reach, reach + 1))


def rough(state, draws):
    """Every number times a power of two of its own: sums that round in every place."""
    reach = int(draws.integers(1, 12))
    for value in state.values():
        value *= np.exp2(draws.integers(-reach, reach + 1, value.shape)).astype(np.float32)


def poisoned(state, draws):
    """A few numbers that are none, or nearly none."""
    odd = np.float32([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, -1e-40, 1e30])
    names = sorted(state)
    for _ in range(int(draws.integers(1, 4))):
        value = state[names[draws.integers(len(names))]].reshape(-1)
        value[draws.integers(value.size)] = draws.choice(odd)


def overflowing(state, draws):
    """Attention's value overflows on padding, whose normalised features are all zero.

    Feature 0 of every photo is large (see ``library``), as an encoder can make it, and the
    first layer hands it on.
    """
    state[READER + "enter.weight"][:] = np.eye(64)
    state[READER + "enter.bias"][:] = 0
    state[BLOCK + "attention_norm.weight"][:] = 1
    state[BLOCK + "attention_norm.bias"][:] = 0
    state[BLOCK + "attention_norm.weight"][1] = 0
    state[BLOCK + "attention_norm.bias"][1] = 1
    state["encoder.norm.weight"][0] = 0
    state["encoder.norm.bias"][0] = 10
    value = state[BLOCK + "attention.value.weight"]
    value[0] = 0
    # of a photo 6e38 less about seven times 5e37, of padding 6e38: more than float32 holds
    value[0, 0] = -5e37 * draws.uniform(0.93, 1.02)
    value[0, 1] = 3e38
    state[BLOCK + "attention.value.bias"][0] = 3e38
    state[BLOCK + "attention.output.weight"][:, 0] = 0


def amplifying(state, draws):
    """Rounding in the attention's sum, made large by weights that cancel."""
    for name, value in state.items():
        if name.startswith(READER + "blocks."):
            value[:] = 0
    state[READER + "enter.weight"][:] = np.eye(64)
    state[READER + "enter.bias"][:] = 0
    large, gain = (
        np.float32(2.0 ** draws.integers(5, 24)),
        np.float32(2.0 ** draws.integers(12)),
    )
    state[BLOCK + "attention_norm.weight"][:] = 1
    state[BLOCK + "mlp_norm.weight"][:] = 1
    for head in range(4):
        feature = 16 * head
        state[BLOCK + "attention.query.bias"][feature] = 1
        key = state[BLOCK + "attention.key.weight"]
        key[feature] = np.float32(draws.normal(size=64) * draws.uniform(0.1, 6))
        state[BLOCK + "attention.value.bias"][feature] = large
        for channel, sign in ((2 * head, 1), (2 * head + 1, -1)):
            output = state[BLOCK + "attention.output.weight"]
            output[channel, feature] = sign * gain
            state[BLOCK + "attention.output.bias"][channel] = -sign * gain * large
    hidden = state[READER + "hidden.0.weight"]
    hidden *= np.float32(10.0 ** draws.uniform(0, 4))
    state["list_ranker.token.weight"] *= np.float32(10.0 ** draws.uniform(-2, 2))


FAMILIES = {
    "ordinary": ordinary,
    "scaled": scaled,
    "rough": rough,
    "poisoned": poisoned,
    "overflowing": overflowing,
    "amplifying": amplifying,
}


def hostile(trained, family, seed):
    """Values of every parameter by name; ``lora`` has adapters in place of what is attacked."""
    state = {name: value.copy() for name, value in clean(trained).items()}
    plain = {name.replace(".base.", "."): value for name, value in state.items()}
    with np.errstate(all="ignore"):
        FAMILIES[family](plain, np.random.default_rng(seed))
    return state


def library(lengths, seed, *, scale=1.0, side=None):
    """Moments of these lengths; every other one is a copy of the one before, where it can be.

    Copies are what an attack erases at one stroke. The first feature of every photo is large.
    """
    draws = np.random.default_rng(seed)
    shape = (64,) if side is None else (3, side, side)
    longest = max(lengths, default=0)
    inputs = np.zeros((len(lengths), longest, *shape), np.float32)
    gains = np.zeros((len(lengths), longest), np.float32)
    where = np.zeros((len(lengths), longest), bool)
    for row, length in enumerate(lengths):
        where[row, :length] = True
        if row and lengths[row - 1] == length:
            inputs[row], gains[row] = inputs[row - 1], gains[row - 1]
            continue
        made = (
            draws.normal(size=(length, *shape))
            if side is None
            else draws.random((length, *shape))
        )
        with np.errstate(over="ignore"):
            inputs[row, :length] = scale * made
        if side is None:
            inputs[row, :length, 0] = scale * 10
        gains[row, :length] = draws.choice([0.0, 1.0, 3.0], size=length)
        gains[row, 0] = 3.0
    return Examples(
        inputs=torch.from_numpy(inputs),
        gains=torch.from_numpy(gains),
        where=torch.from_numpy(where),
        numbers=torch.arange(len(lengths)),
    )
