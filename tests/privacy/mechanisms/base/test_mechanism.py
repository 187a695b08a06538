"""What a mechanism says of itself to a ledger and to a card, and how it is read again."""

from dataclasses import replace
from importlib.metadata import version

import pytest
from every_mechanism import (
    ADAPTIVE,
    BANDED,
    COHORT,
    DPSGD,
    EVERY,
    INTEGER_DPSGD,
    INTEGERS,
    LOCAL,
    SEPARATED,
)
from ledger_terms import BANDS, COHORTS, MOMENTS, RESTED

from privacy.mechanisms.base.mechanism import coefficients_of, sampling_of, whole
from privacy.sampling.capped import CappedPoissonSampling

AT_SERVER = [COHORT, ADAPTIVE, INTEGERS, BANDED, SEPARATED]
ON_DEVICES = [DPSGD, INTEGER_DPSGD]


@pytest.mark.parametrize("mechanism", EVERY)
def test_terms_hold_what_the_mechanism_says_of_itself(mechanism):
    terms = mechanism.terms(noise="insecure_seeded")
    assert terms.code == version("darkroom")
    assert (terms.unit, terms.relation) == (mechanism.charged_unit, mechanism.relation)
    assert terms.sampler == mechanism.sampler
    assert (terms.noise_multiplier, terms.clip, terms.delta) == (2.0, 1.0, 1e-5)
    assert terms.noise == "insecure_seeded"
    assert terms.public["noise at"] == mechanism.noise_at


@pytest.mark.parametrize("mechanism", EVERY)
def test_the_epsilon_of_a_mechanism_follows_from_its_terms(mechanism):
    found = type(mechanism).read(mechanism.terms(noise="secure"))
    assert [found.epsilon(times) for times in (1, 8)] == [
        mechanism.epsilon(times) for times in (1, 8)
    ]
    assert found.steps_of(8) == mechanism.steps_of(8)


@pytest.mark.parametrize("mechanism", [one for one in EVERY if one is not ADAPTIVE])
def test_a_mechanism_is_read_from_its_terms_as_it_was(mechanism):
    """Of an adaptive clip a ledger keeps no more than what a round costs."""
    assert type(mechanism).read(mechanism.terms(noise="secure")) == mechanism


def test_cohorts_by_secret_coins_have_their_cap_and_population_in_the_terms():
    terms = COHORT.opening(noise="secure", sampling=COHORT.sampling, public={"bands": 2})
    assert (terms.rate, terms.cap, terms.population) == (0.2, 22, 100)
    assert (terms.steps, terms.public) == (1, {"noise at": "server", "bands": 2})
    alone = COHORT.opening(noise="secure", rate=0.3, steps=7)
    assert (alone.rate, alone.steps, alone.cap, alone.population) == (0.3, 7, None, None)


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_variant_is_the_same_but_for_what_is_said(mechanism):
    other = mechanism.variant(noise_multiplier=4.0, delta=1e-6)
    assert other == replace(mechanism, noise_multiplier=4.0, delta=1e-6)
    assert mechanism.noise_multiplier == 2.0


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_card_tells_rounds_of_the_server_and_at_most_how_many_visits(mechanism):
    visits = mechanism in [*ON_DEVICES, LOCAL]
    assert mechanism.when(7) == ("after 7 visits at most" if visits else "after 7 rounds")


def test_the_server_hides_devices_and_devices_their_moments():
    for one in AT_SERVER:
        assert (one.unit, one.charged_unit, one.noise_at) == ("device", "device", "server")
    for one in ON_DEVICES:
        assert (one.unit, one.charged_unit, one.noise_at) == ("example", "example", "device")
    # a library is hidden as a whole, and each device has charges of its own
    assert (LOCAL.unit, LOCAL.charged_unit, LOCAL.noise_at) == ("device", "example", "device")


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_second_opinion_is_that_of_renyi_accounting_or_none(mechanism):
    assert mechanism.second_opinion(8) in (mechanism.epsilon_rdp(8), None)
    assert (mechanism.second_opinion(8) is None) == (mechanism is LOCAL)
    assert 0 <= mechanism.attack(8) <= mechanism.epsilon(8) <= mechanism.epsilon_rdp(8)


def test_the_sampling_of_a_ledger_needs_population_and_cap():
    assert sampling_of(COHORTS) == CappedPoissonSampling(devices=120, rate=0.25, cap=97)
    for lacking in ({"cap": None}, {"population": None}):
        with pytest.raises(ValueError, match=r"^sampler 'capped poisson' has neither .* 0\.1"):
            sampling_of(replace(COHORTS, **lacking))


@pytest.mark.parametrize("value", [2, 2.0, 10**9])
def test_a_whole_number_of_a_ledger_may_be_written_as_a_float(value):
    found = whole(replace(BANDS, public={"bands": value}), "bands")
    assert (found, type(found)) == (value, int)


@pytest.mark.parametrize("public", [{}, {"bands": 0}, {"bands": 2.5}, {"bands": "2"}])
def test_what_is_no_whole_number_is_refused_by_its_name(public):
    with pytest.raises(ValueError, match=r"^sampler 'banded' needs a .*'public\.bands' from 1"):
        whole(replace(BANDS, public=public), "bands")


def test_the_column_of_a_strategy_comes_back_to_the_last_digit():
    column = (1.0, 1 / 3, 5e-324)
    written = str(list(column))
    assert coefficients_of(replace(RESTED, public={"coefficients": written})) == column


@pytest.mark.parametrize("text", ["", "1.0", "[1.0", '["a"]', "[null]", '{"a": 1}'])
def test_what_is_no_column_is_refused(text):
    with pytest.raises(ValueError, match=r"needs a list of numbers 'public\.coefficients'"):
        coefficients_of(replace(RESTED, public={"coefficients": text}))
    with pytest.raises(ValueError, match=r"needs a list of numbers 'public\.coefficients'"):
        coefficients_of(MOMENTS)
