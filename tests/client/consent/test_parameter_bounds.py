"""What parameters a private device accepts."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from rankings import ranking

from client.consent.parameter_bounds import ParameterBounds, parameter_bounds
from client.sections import read_sections
from protocol.messages import DeclineReason
from server.model import ServerModel

OUT = DeclineReason.PARAMETERS_OUT_OF_BOUNDS
BOUNDS = ParameterBounds(frozen_digest="abc", radius=5.0, size=2)


def declined(task, values, *, bounds=BOUNDS, digest="abc"):
    given = replace(task, parameters=np.array(values, np.float32), digest=digest)
    return bounds.declines(given)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([3, 4], None),
        ([0, 0], None),
        ([-5, 0], None),
        ([3, 4.00001], OUT),
        ([0, math.nan], OUT),
        ([math.inf, 0], OUT),
        ([-math.inf, math.inf], OUT),
        ([3], OUT),
        ([3, 4, 0], OUT),
        ([[3, 4]], OUT),
        ([], OUT),
    ],
)
def test_parameters_are_finite_of_the_length_and_within_the_radius(task, values, reason):
    assert declined(task, values) == reason


def test_another_frozen_part_is_declined_whatever_the_parameters_are(task):
    for values in ([0, 0], [math.nan]):
        found = declined(task, values, digest="abd")
        assert found == DeclineReason.FROZEN_PART_DIFFERS


def test_without_a_radius_whatever_is_finite_is_accepted_also_where_squares_overflow(task):
    free = replace(BOUNDS, radius=math.inf)
    assert declined(task, [3e38, -3e38], bounds=free) is None
    assert declined(task, [math.inf, 0], bounds=free) == OUT
    assert declined(task, [math.nan, 0], bounds=free) == OUT


@pytest.fixture
def sections_of(node):
    """One step of all moments at lr 0.5, over 2; 100 moments at most, clip 1; eight rounds.

    Of ``linear`` 64 numbers are trained: noise of deviation 1 is √64 + 9 = 17 long at most.
    """

    def made(*, device=None, **server):
        plain = json.loads(node.config(trained="linear"))
        plain["server"] |= server
        sections = read_sections(json.dumps(plain))
        if device is None:
            return sections
        return replace(sections, privacy=replace(sections.privacy, device=device))

    return made


START = ServerModel.initial(ranking("linear"), seed=3)
START_NORM = float(np.linalg.norm(START.trainable.astype(np.float64)))


def radius(sections, *, noise=1.0, update_noise=0.0):
    bounds = parameter_bounds(sections, noise_multiplier=noise, update_noise=update_noise)
    return bounds.radius


def test_the_bounds_are_of_the_ranker_that_the_run_starts_from(sections_of):
    bounds = parameter_bounds(sections_of(), noise_multiplier=1.0, update_noise=0.0)
    assert bounds.size == 64
    assert bounds.frozen_digest == START.digest


def test_the_radius_is_a_hundred_times_what_an_honest_run_could_come_to(sections_of):
    # an update is 0.5 / 2 · (100 clips + 17 of noise) = 29.25 long, and there are eight
    assert radius(sections_of()) == pytest.approx(100 * (START_NORM + 8 * 29.25))
    # without noise 0.5 / 2 · 100 = 25
    assert radius(sections_of(), noise=0.0) == pytest.approx(100 * (START_NORM + 8 * 25))


def test_it_grows_with_the_steps_and_the_rounds_and_falls_with_the_rate(sections_of):
    sections = sections_of(rounds=3)
    twice = replace(sections, training=replace(sections.training, steps=2))
    rare = replace(sections, training=replace(sections.training, rate=0.25))
    assert radius(sections) == pytest.approx(100 * (START_NORM + 3 * 29.25))
    assert radius(twice) == pytest.approx(100 * (START_NORM + 3 * 58.5))
    assert radius(rare) == pytest.approx(100 * (START_NORM + 3 * 117))


def test_an_optimizer_that_remembers_goes_farther(sections_of):
    momentum = {"name": "momentum", "lr": 0.5, "beta1": 0.9}
    # 0.5 · (1 + 0.9 + 0.81 + …) = 5 mean updates a round
    found = radius(sections_of(optimizer=momentum))
    assert found == pytest.approx(100 * (START_NORM + 8 * 5 * 29.25))


def test_an_update_with_noise_of_its_own_is_clipped_and_then_longer(sections_of, local):
    # a clip of 2, and 6 · 2 · 17 of noise
    found = radius(sections_of(device=local), update_noise=6.0)
    assert found == pytest.approx(100 * (START_NORM + 8 * (2 + 204)))


def test_weights_of_a_file_are_bounded_by_what_the_configuration_says_of_them(sections_of):
    """The device reads no file that a configuration names."""
    sections = sections_of()
    ranking = replace(
        sections.ranking, weights="/no/such.safetensors", frozen_digest="d" * 64, start_norm=3.0
    )
    named = replace(sections, ranking=ranking)
    bounds = parameter_bounds(named, noise_multiplier=1.0, update_noise=0.0)
    assert bounds.frozen_digest == "d" * 64
    assert bounds.size == 64
    assert bounds.radius == pytest.approx(100 * (3 + 8 * 29.25))
