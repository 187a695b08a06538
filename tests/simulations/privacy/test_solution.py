"""One number is solved from the others, and told rounded to the safe side."""

import dataclasses
import math

import pytest
from rich.console import Console

from privacy.planning import target
from simulations.configuration.hydra_bridge import compose
from simulations.privacy.plan import Plan, choices
from simulations.privacy.question import Asked, Unit
from simulations.privacy.solution import Known, remarks, sentence, solved
from simulations.privacy.table import show

INTEGERS = "privacy.example.numbers=integers"


def test_epsilon_of_the_noise_for_an_epsilon_is_that_epsilon(config):
    noise = solved(Asked.NOISE, Known.of(config))
    epsilon = solved(Asked.EPSILON, Known.of(config, noise=noise))
    assert 0.99 * 2 < epsilon <= 2


@pytest.mark.parametrize(
    ("unit", "extra"),
    [(Unit.EXAMPLE, ()), (Unit.DEVICE, ()), (Unit.DEVICE, ("privacy/device=local",))],
)
def test_solved_rounds_are_the_most(planned, unit, extra):
    known = Known.of(compose([*planned, *extra]), unit=unit, epsilon=2.0, noise=8.0)
    most = solved(Asked.ROUNDS, known)
    assert known.mechanism.epsilon(most) <= 2 < known.mechanism.epsilon(most + 1) / 0.997


def test_a_plan_in_integers_has_the_noise_of_float64_rounded_up():
    words = ("photos.devices=1000", "privacy/device=none")
    floats = Plan.of(compose(words))
    integers = Plan.of(compose([*words, "privacy.example.numbers=integers"]))
    noise = [choices(plan)["dpsgd"](2.0).noise for plan in (floats, integers)]
    assert noise[0] < noise[1] < noise[0] * (1 + 1e-6)
    known = Known.of(compose([*words, "privacy.example.numbers=integers"]), noise=noise[1])
    assert solved(Asked.EPSILON, known) <= 2


def test_what_the_cohort_is_solved_for_is_the_rate_of_moments_in_a_step(config):
    known = Known.of(config, unit=Unit.EXAMPLE, epsilon=2.0, noise=4.0)
    rate = solved(Asked.COHORT, known)
    assert rate == target.largest_rate(2.0, known.mechanism, visits=40)
    assert "with training.rate up to 0." in sentence(Asked.COHORT, rate, known)


def test_a_sentence_rounds_to_the_safe_side(config):
    known = Known.of(config, noise=1.0)
    assert "needs noise multiplier 1.235." in sentence(Asked.NOISE, 1.23401, known)
    assert "gives ε ≤ 1.235 at" in sentence(Asked.EPSILON, 1.23401, known)
    assert "a cohort up to 123.4." in sentence(Asked.COHORT, 123.49, known)


@pytest.mark.parametrize(
    "setting",
    [
        ["privacy.device.numbers=integers"],
        ["privacy.device.noise_cohort=1000", "privacy.device.noise_population=100000"],
    ],
)
def test_a_plan_does_not_solve_for_another_mechanism_than_the_runs(planned, setting):
    with pytest.raises(ValueError, match=r"^--solve knows no such privacy/device=gaussian"):
        Known.of(compose([*planned, *setting]))


@pytest.mark.parametrize("mechanism", ["matrix", "auto"])
def test_what_is_not_solved_is_in_the_table_and_refused_with_the_way_out(mechanism, capsys):
    words = ["photos.devices=200", "server.cohort=20", f"privacy/device={mechanism}"]
    config = compose([*words, "privacy.device.delta=1e-3", "privacy/example=none"])
    show(config, Console(width=80))
    assert "matrix" in capsys.readouterr().out
    with pytest.raises(
        ValueError, match=rf"^--solve knows no such privacy/device={mechanism},"
    ):
        Known.of(config)


def test_the_solved_cohort_keeps_the_promise_and_one_larger_does_not(config):
    known = Known.of(config, noise=4.0)
    largest = solved(Asked.COHORT, known)

    def spent(cohort):
        plan = Plan.of(config)
        run = dataclasses.replace(plan.run, cohort=cohort)
        mechanism = dataclasses.replace(plan, run=run).gaussian.variant(noise_multiplier=4.0)
        return mechanism.epsilon(known.times)

    assert spent(largest) <= 2 < spent(1.02 * largest)


def test_what_is_protected_is_the_device_where_the_run_protects_it_else_the_moment(planned):
    assert Known.of(compose(planned)).unit is Unit.DEVICE
    example = Known.of(compose(["privacy/device=none"]))
    assert (example.unit, example.times, example.epsilon) == (Unit.EXAMPLE, 8, 8.0)
    assert Known.of(compose(planned), unit=Unit.EXAMPLE).unit is Unit.EXAMPLE


def test_what_is_typed_goes_before_what_the_run_says(config):
    assert (Known.of(config).epsilon, Known.of(config).noise) == (2.0, None)
    known = Known.of(config, epsilon=5.0, noise=3.0)
    assert (known.epsilon, known.noise, known.mechanism.noise_multiplier) == (5.0, 3.0, 3.0)


@pytest.mark.parametrize("asked", [Asked.EPSILON, Asked.ROUNDS, Asked.COHORT])
def test_what_a_number_follows_from_must_be_given(config, asked):
    with pytest.raises(
        ValueError, match=r"^privacy\.device\.noise_multiplier is null .*--noise"
    ):
        solved(asked, Known.of(config))
    without = dataclasses.replace(Known.of(config, noise=1.0), epsilon=None)
    if asked is not Asked.EPSILON:
        with pytest.raises(ValueError, match=r"^privacy\.device\.epsilon is null .*--epsilon"):
            solved(asked, without)


def test_local_noise_depends_on_no_cohort(planned):
    known = Known.of(compose([*planned, "privacy/device=local"]), noise=9.0)
    with pytest.raises(ValueError, match="does not depend on the cohort; ask for rounds"):
        solved(Asked.COHORT, known)


def test_a_remark_says_the_noise_of_the_target_and_what_twice_of_it_would_allow(config):
    least, advice = remarks(config)
    known = Known.of(config)
    noise = solved(Asked.NOISE, known)
    assert least == sentence(Asked.NOISE, noise, known)
    twice = dataclasses.replace(
        known, mechanism=known.mechanism.variant(noise_multiplier=2 * noise), noise=2 * noise
    )
    assert f"would last for {solved(Asked.ROUNDS, twice)} rounds, or allow a cohort" in advice


def test_a_run_that_gives_its_noise_shows_the_epsilon_of_it(planned):
    words = ("privacy.device.noise_multiplier=2", "privacy.device.epsilon=null")
    config = compose([*planned, *words])
    (line,) = remarks(config)
    assert line.startswith("noise multiplier 2 gives ε ≤ 0.")


def test_what_protects_nothing_has_no_remark():
    assert remarks(compose(["privacy/example=none", "privacy/device=none"])) == []


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(math.inf, "inf", "inf"), (0.0, "0", "0"), (1.2345e-5, "1.235e-05", "1.234e-05")],
)
def test_numbers_have_four_digits_and_what_has_none_is_reported_as_it_is(
    config, value, up, down
):
    known = Known.of(config, noise=1.0)
    assert f"noise multiplier {up}." in sentence(Asked.NOISE, value, known)
    assert f"a cohort up to {down}." in sentence(Asked.COHORT, value, known)
