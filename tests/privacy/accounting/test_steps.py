import dataclasses
import math

import numpy as np
import pytest
from every_mechanism import COHORT, EVERY, INTEGERS, LOCAL, SEPARATED

from privacy.accounting import analytic_gaussian, pld, rdp, renyi_conversion
from privacy.sampling.capped import CappedPoissonSampling


def epsilon(mechanism, times):
    found = mechanism.steps_of(times).divergences(rdp.ORDERS)
    return renyi_conversion.epsilon(dict(zip(rdp.ORDERS, found, strict=True)), delta=1e-5)


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_run_costs_no_less_by_its_divergences_than_it_does_and_not_much_more(mechanism):
    assert mechanism.epsilon(8) <= epsilon(mechanism, 8) * (1 + 1e-9)
    assert epsilon(mechanism, 8) <= 1.3 * mechanism.epsilon(8)


@pytest.mark.parametrize("mechanism", EVERY)
def test_nothing_done_costs_nothing_and_no_noise_everything(mechanism):
    assert (mechanism.steps_of(0).divergences(rdp.ORDERS) == 0).all()
    silent = dataclasses.replace(mechanism, noise_multiplier=0.0)
    assert np.isinf(silent.steps_of(1).divergences(rdp.ORDERS)).all()


def test_rounds_add_up():
    once = COHORT.steps_of(1).divergences((2.0, 3.5))
    assert COHORT.steps_of(5).divergences((2.0, 3.5)) == pytest.approx(5 * once)


def test_without_sampling_it_is_the_closed_form():
    """Noise 2 over a reach of 2·√3: α · 3 / 2."""
    assert LOCAL.steps_of(3).divergences((2.0, 5.0)) == pytest.approx([3.0, 7.5])


def test_integers_have_whole_orders_alone():
    mechanism = INTEGERS
    assert np.isinf(mechanism.steps_of(1).divergences((2.0, 2.5))).tolist() == [False, True]


def test_a_cap_that_cuts_is_part_of_the_divergence():
    """Rounds are not those of the run without the cap: a third are the device alone."""
    tight = CappedPoissonSampling(devices=3, rate=1.0, cap=1)
    cut = dataclasses.replace(COHORT, sampling=tight, noise_multiplier=1.0)
    (found,) = cut.steps_of(2).divergences((2.0,))
    assert found == pytest.approx(2 * math.log(math.e / 3 + 2 / 3))


def test_the_public_accountants_agree_on_one_release():
    """α / 8 at noise 2, as ε: between the closed form and a quarter above it."""
    exact = analytic_gaussian.epsilon(2.0, delta=1e-5)
    alone = dataclasses.replace(SEPARATED, rounds=1, participations=1)
    assert exact <= epsilon(alone, 1) <= 1.25 * exact
    assert math.isclose(
        exact,
        pld.epsilon(rate=1.0, noise_multiplier=2.0, steps=1, delta=1e-5),
        rel_tol=1e-3,
    )
