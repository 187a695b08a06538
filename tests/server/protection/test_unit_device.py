import dataclasses

import pytest

from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import SeparatedGaussian
from privacy.settings import Device
from server.protection.unit_device import (
    affordable_rounds,
    chosen,
    left,
    mechanism,
    production,
    within,
)

CENTRAL = dataclasses.replace(
    Device.none(), mechanism="gaussian", noise_multiplier=1.0, delta=1e-3, clip=0.5
)
LOCAL = dataclasses.replace(
    Device.none(), mechanism="local", epsilon=4.0, delta=1e-5, clip=0.5, max_participations=4
)


def test_no_mechanism_is_none(settings):
    assert mechanism(Device.none(), settings, devices=50) is None


def test_the_sampling_is_that_of_the_server(settings):
    found = mechanism(CENTRAL, settings, devices=50)
    assert isinstance(found, CohortGaussian)
    assert (found.sampling.rate, found.sampling.cap) == (0.1, 26)
    assert (found.noise_multiplier, found.clip, found.delta) == (1.0, 0.5, 1e-3)


def test_a_promise_is_kept_after_all_rounds(settings):
    promised = dataclasses.replace(CENTRAL, noise_multiplier=None, epsilon=2.0)
    assert 1.9 < mechanism(promised, settings, devices=50).epsilon(settings.rounds) <= 2.0


def test_a_local_promise_is_kept_after_all_visits(settings):
    found = mechanism(LOCAL, settings, devices=50)
    assert isinstance(found, LocalGaussian)
    assert found.epsilon(4) == pytest.approx(4.0, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delta": 0.02}, r"^privacy\.device\.delta=0\.02 .* below 0\.02\.$"),
        (
            {"largest_cohort": 4},
            r"^privacy\.device\.largest_cohort=4 is below server\.coho",
        ),
        ({"clip": None}, r"^privacy\.device\.clip is null .*privacy/device=gaussian needs it"),
    ],
)
def test_what_promises_nothing_is_refused_with_the_way_out(settings, changes, message):
    with pytest.raises(ValueError, match=message):
        mechanism(dataclasses.replace(CENTRAL, **changes), settings, devices=50)


PROMISED = dataclasses.replace(CENTRAL, noise_multiplier=None, epsilon=2.0)
CORRELATED = {"strategy": "banded", "buffers": 2, "participation": "separated"}


def test_an_adaptive_clip_costs_as_much_as_one_that_stays(settings):
    adaptive = dataclasses.replace(
        CENTRAL, mechanism="adaptive", quantile=0.6, clip_lr=0.2, count_share=0.1
    )
    found = mechanism(adaptive, settings, devices=50)
    assert isinstance(found, AdaptiveGaussian)
    assert found.accounted == mechanism(CENTRAL, settings, devices=50)
    assert (found.quantile, found.lr, found.share) == (0.6, 0.2, 0.1)


def test_auto_takes_what_leaves_less_noise_at_the_same_epsilon(settings):
    auto = dataclasses.replace(PROMISED, mechanism="auto", **CORRELATED)
    noise = left(auto, settings, devices=50)
    taken = chosen(auto, settings, devices=50)
    assert noise[taken] == min(noise.values())
    plain = mechanism(PROMISED, settings, devices=50)
    expected = plain.noise_multiplier * ((settings.rounds + 1) / 2) ** 0.5 / settings.cohort
    assert noise["gaussian"] == pytest.approx(expected)
    assert mechanism(auto, settings, devices=50) == mechanism(
        dataclasses.replace(auto, mechanism=taken), settings, devices=50
    )


def test_auto_has_both_answers(settings):
    """Few secret coins among many favour sampling, a weak promise favours correlation."""
    auto = dataclasses.replace(PROMISED, mechanism="auto", **CORRELATED)
    rare = dataclasses.replace(settings, cohort=5.0, rounds=4)
    assert chosen(dataclasses.replace(auto, delta=1e-5), rare, devices=5000) == "gaussian"
    often = dataclasses.replace(settings, cohort=5.0, rounds=10)
    assert chosen(dataclasses.replace(auto, epsilon=8.0), often, devices=50) == "matrix"


@pytest.mark.parametrize("changes", [{"epsilon": None}, {"noise_multiplier": 1.0}])
def test_auto_without_an_epsilon_to_compare_at_is_refused(settings, changes):
    auto = dataclasses.replace(PROMISED, mechanism="auto", **CORRELATED, **changes)
    with pytest.raises(
        ValueError, match=r"^privacy/device=auto compares mechanisms at equal ε"
    ):
        mechanism(auto, settings, devices=50)


def test_a_larger_federation_has_the_same_noise_on_its_mean_and_an_epsilon_of_its_own(settings):
    meant = dataclasses.replace(PROMISED, noise_cohort=50.0, noise_population=5000)
    found = mechanism(meant, settings, devices=50)
    larger = production(meant, found)
    assert larger.noise_multiplier / 50 == pytest.approx(found.noise_multiplier / 5)
    assert (larger.sampling.rate, larger.sampling.devices) == (0.01, 5000)
    assert larger.delta == pytest.approx(1 / 50_000)
    assert 1.9 < larger.epsilon(settings.rounds) <= 2.0
    assert found.epsilon(settings.rounds) > larger.epsilon(settings.rounds)
    assert production(PROMISED, found) is None


def test_the_server_stops_before_the_round_that_would_pass_the_budget(settings):
    fixed = dataclasses.replace(CENTRAL, epsilon=1.5)
    long = dataclasses.replace(settings, rounds=40)
    found = mechanism(fixed, long, devices=50)
    rounds = affordable_rounds(fixed, long, found)
    assert 1 < rounds < 40
    assert found.epsilon(rounds) <= 1.5 < found.epsilon(rounds + 1)


def test_without_a_budget_all_rounds_run(settings):
    for device in (Device.none(), CENTRAL, PROMISED, LOCAL):
        found = mechanism(device, settings, devices=50)
        assert affordable_rounds(device, settings, found) == settings.rounds


def test_a_budget_for_no_round_is_refused(settings):
    small = dataclasses.replace(CENTRAL, noise_multiplier=0.3, epsilon=0.5)
    found = mechanism(small, settings, devices=50)
    with pytest.raises(
        ValueError, match=r"^privacy\.device\.epsilon=0\.5 is passed by the firs"
    ):
        affordable_rounds(small, settings, found)


@pytest.mark.parametrize(
    ("budget", "expected"), [(0.5, 0), (1.0, 1), (6.9, 6), (7.0, 7), (100.0, 9)]
)
def test_within_a_budget_is_the_largest_count_that_keeps_it(budget, expected):
    assert within(float, budget, most=9) == expected


def test_a_matrix_has_the_sensitivity_of_its_separation_in_its_noise(settings):
    """Cohorts of 5 among 50 may rest ten rounds: more than the run has, so each comes once."""
    matrix = dataclasses.replace(CENTRAL, mechanism="matrix", **CORRELATED)
    found = mechanism(matrix, settings, devices=50)
    assert isinstance(found, SeparatedGaussian)
    assert (found.separation, found.participations) == (settings.rounds, 1)
    assert found.sensitivity == pytest.approx(1.0)
    twice = dataclasses.replace(matrix, separation=2)
    long = dataclasses.replace(settings, rounds=8)
    found = mechanism(twice, long, devices=50)
    assert (found.separation, found.participations) == (2, 4)
    assert found.noise_multiplier == pytest.approx(2.0)
