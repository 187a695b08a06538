"""The ε of several ledgers is that of the sum of all losses, by independent accountants."""

import math
from dataclasses import replace

import pytest
from dp_accounting import get_epsilon_gaussian
from ledger_terms import (
    BANDS,
    COHORTS,
    LIBRARIES,
    MOMENTS,
    RESTED,
    WHOLE_COHORTS,
    WHOLE_MOMENTS,
)
from opacus.accountants import PRVAccountant

from privacy.accounting import pld
from privacy.statements import composition, recomputation
from privacy.statements.composition import composed, maximal, worst

POISSON = replace(MOMENTS, rate=0.5, noise_multiplier=1.43, steps=2)
LOCAL = replace(LIBRARIES, noise_multiplier=6.0)
CAPPED = replace(COHORTS, noise_multiplier=1.5, delta=1e-4)
BANDED = replace(BANDS, noise_multiplier=1.5, delta=1e-4)
SEPARATED = replace(RESTED, delta=1e-4, public={**RESTED.public, "coefficients": "[1.0]"})
INTEGERS = replace(WHOLE_COHORTS, noise_multiplier=1.5, delta=1e-4)
WHOLE = replace(WHOLE_MOMENTS, rate=0.5, noise_multiplier=1.43, steps=2)
OTHER = replace(POISSON, rate=0.25, noise_multiplier=1.0, steps=4)


def test_two_ledgers_of_the_same_terms_cost_what_one_of_all_their_charges_does():
    found = composed([(POISSON, 4), (POISSON, 2)])
    alone = pld.epsilon(rate=0.5, noise_multiplier=1.43, steps=12, delta=1e-5)
    assert found.pld == pytest.approx(alone, rel=1e-3)
    assert found.reported >= alone
    assert found.claim


def test_ledgers_of_different_terms_cost_what_opacus_says_of_all_their_steps():
    accountant = PRVAccountant()
    accountant.history = [(1.43, 0.5, 12), (1.0, 0.25, 12)]
    found = composed([(POISSON, 6), (OTHER, 3)])
    theirs = accountant.get_epsilon(delta=1e-5, eps_error=0.01)
    assert found.pld == pytest.approx(theirs, abs=0.02)
    assert found.pld <= found.rdp


def test_gaussians_add_their_squares():
    """Three visits of 6/2 clips and two of 10/2: 1/σ² = 3/9 + 2/25."""
    found = composed([(LOCAL, 3), (replace(LOCAL, noise_multiplier=10.0), 2)])
    noise = 1 / math.sqrt(3 / 9 + 2 / 25)
    assert found.pld == pytest.approx(get_epsilon_gaussian(noise, 1e-5), rel=1e-6)


def test_correlated_noise_is_one_gaussian_of_its_reach():
    """Each of two runs: coefficients (1), two participations, so a reach of √2."""
    found = composed([(SEPARATED, 8), (SEPARATED, 8)])
    noise = 4.0 / math.sqrt(2) / math.sqrt(2)
    assert found.pld == pytest.approx(get_epsilon_gaussian(noise, 1e-4), rel=1e-6)


@pytest.mark.parametrize("terms", [POISSON, WHOLE, LOCAL, CAPPED, BANDED, SEPARATED, INTEGERS])
def test_one_ledger_alone_costs_what_its_statement_says(terms):
    stated = recomputation.opinions(terms, 4)
    assert composed([(terms, 4)]).reported == pytest.approx(
        min(stated.pld, stated.rdp), rel=5e-3
    )


@pytest.mark.parametrize("terms", [BANDED, SEPARATED, INTEGERS])
def test_each_mechanism_of_the_server_composes_with_another(terms):
    """More than either alone, and no more than the sum of both at half of δ each."""
    found = composed([(CAPPED, 5), (terms, 4)])
    either = composed([(CAPPED, 5)]).reported, composed([(terms, 4)]).reported
    half = replace(CAPPED, delta=5e-5), replace(terms, delta=5e-5)
    sum_of_both = sum(
        recomputation.opinions(one, n).pld for one, n in zip(half, (5, 4), strict=True)
    )
    assert max(either) < found.reported <= sum_of_both * 1.001


def test_a_cap_that_cuts_composes_by_the_crowds_that_a_device_can_meet():
    cutting = replace(CAPPED, cap=32)
    both = composed([(cutting, 4), (cutting, 3)])
    assert both.pld == pytest.approx(recomputation.opinions(cutting, 7).pld, rel=1e-3)
    assert composed([(cutting, 4), (CAPPED, 3)]).pld != pytest.approx(both.pld, rel=1e-3)


@pytest.mark.parametrize("delta", [1e-5, 1e-12])
def test_a_sum_of_two_kinds_is_a_sum_of_one_where_they_are_alike(delta):
    """On another grid, so that the transforms differ: ``accounting`` tells the same."""
    terms = replace(POISSON, delta=delta)
    both = composed([(terms, 40), (replace(terms, steps=1), 20)])
    alone = recomputation.opinions(terms, 50)
    assert both.pld == pytest.approx(alone.pld, rel=1e-3)
    assert both.pld >= alone.pld


def test_delta_is_the_least_and_a_claim_needs_all_draws_to_be_secret():
    seeded = replace(POISSON, delta=1e-7, noise="insecure_seeded")
    found = composed([(POISSON, 1), (seeded, 1)])
    assert found.delta == 1e-7
    assert not found.claim


def test_no_charge_costs_nothing_and_no_noise_has_no_bound():
    assert composed([(POISSON, 0), (OTHER, 0)]).reported == 0
    silent = replace(POISSON, noise_multiplier=0.0)
    assert composed([(POISSON, 1), (silent, 1)]).reported == math.inf


def test_local_noise_covers_moments_but_is_no_neighbour_of_the_servers():
    assert composed([(POISSON, 3), (LOCAL, 3)]).reported > composed([(POISSON, 3)]).reported
    with pytest.raises(ValueError, match="their neighbours differ, so no one ε is of both"):
        composed([(CAPPED, 1), (LOCAL, 1)])


def test_the_worst_device_is_among_those_that_no_other_exceeds():
    assert maximal([(1, 1), (2, 1), (1, 3), (0, 3), (2, 1)]) == [(2, 1), (1, 3)]
    found = worst([POISSON, OTHER], [(1, 1), (2, 1), (1, 3), (0, 3)])
    each = [composed([(POISSON, a), (OTHER, b)]).reported for a, b in [(2, 1), (1, 3)]]
    assert found.reported == max(each)


def test_of_too_many_that_differ_one_that_pays_all_their_most_is_reported():
    visits = [(n, 10 - n) for n in range(11)]
    assert len(maximal(visits)) > composition.MOST_WORST
    assert worst([LOCAL, LOCAL], visits) == composed([(LOCAL, 10), (LOCAL, 10)])


def test_devices_are_ordered_by_what_they_cost_not_by_how_often_they_came():
    dear = replace(LOCAL, noise_multiplier=2.0)
    assert composition.ascending([LOCAL, dear], [(0, 1), (5, 0), (1, 0)]) == [
        (1, 0),
        (5, 0),
        (0, 1),
    ]


def test_an_unknown_sampler_and_another_relation_are_refused():
    with pytest.raises(ValueError, match="sampler 'shuffle' has no mechanism here"):
        composed([(replace(POISSON, sampler="shuffle"), 1)])
    with pytest.raises(ValueError, match="is not what sampler 'poisson' is accounted for"):
        composed([(replace(POISSON, relation="replace one library"), 1)])
