"""The ε of a ledger from its records alone, and what refutes an accountant."""

import dataclasses
import math

import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.rdp import RdpAccountant
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledger_disks import visit
from ledger_terms import BANDS, COHORTS, LIBRARIES, MOMENTS, RESTED, WHOLE_MOMENTS

from privacy.accounting import analytic_gaussian
from privacy.ledger.chain import examine
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Unknown
from privacy.ledger.totals import NOTHING
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.registry import SAMPLERS
from privacy.statements.recomputation import opinions, state

WHOLE_DEVICES = dataclasses.replace(MOMENTS, unit="device")
SEPARATED = dataclasses.replace(
    RESTED, public={**RESTED.public, "separation": 2, "participations": 4}
)
BANDED = dataclasses.replace(BANDS, rate=0.2, noise_multiplier=4.0, cap=40, population=50)
UNKNOWN = Unknown(charges=1, evidence="server.torn-1", digest="ab")


def test_the_golden_row_of_the_poisson_gaussian_is_found_again():
    # 1,000 devices, 50 expected in each of 200 rounds, noise 1, δ 5e-4: 3.42, and 4.01 by RDP.
    golden = dataclasses.replace(
        WHOLE_DEVICES, rate=0.05, noise_multiplier=1.0, steps=1, delta=5.0e-4
    )
    found = opinions(golden, 200)

    assert found.pld == pytest.approx(3.42, abs=0.01)
    assert found.rdp == pytest.approx(4.01, abs=0.02)
    assert found.agree


def test_rdp_is_that_of_the_public_accountant_within_its_orders():
    accountant = RdpAccountant()
    step = PoissonSampledDpEvent(0.1, GaussianDpEvent(2.0))
    accountant.compose(SelfComposedDpEvent(step, 15))

    assert opinions(MOMENTS, 3).rdp == pytest.approx(accountant.get_epsilon(1e-5), rel=0.02)


def test_charges_are_composed_with_the_steps_of_each():
    one_step = dataclasses.replace(MOMENTS, steps=1)

    assert opinions(MOMENTS, 3).pld == opinions(one_step, 15).pld
    assert opinions(MOMENTS, 3).rdp == opinions(one_step, 15).rdp


@pytest.mark.parametrize("noise", [0.7, 1.0, 4.0])
@pytest.mark.parametrize("charges", [1, 2, 40])
def test_loss_distributions_never_exceed_renyi_accounting(noise, charges):
    found = opinions(dataclasses.replace(MOMENTS, noise_multiplier=noise), charges)

    assert 0 < found.pld <= found.rdp
    assert found.agree


def test_no_charge_costs_nothing_and_one_more_never_costs_less():
    of = [opinions(MOMENTS, charges).pld for charges in range(4)]

    assert of[0] == 0.0
    assert of == sorted(of)


def test_the_unit_example_tells_the_worst_and_the_middle_device():
    spent = NOTHING.plus([visit(1, 1, 2, 3), visit(2, 1, 2), visit(3, 1)])
    found = state(MOMENTS, spent)

    assert found.worst == opinions(MOMENTS, 3)
    assert found.median == opinions(MOMENTS, 2)
    assert found.delta == 1e-5


def test_the_unit_device_pays_for_every_round_also_for_an_empty_one():
    found = state(WHOLE_DEVICES, NOTHING.plus([visit(1), visit(2)]))

    assert found.worst == opinions(WHOLE_DEVICES, 2)
    assert found.median is None


@pytest.mark.parametrize("terms", [MOMENTS, WHOLE_DEVICES])
def test_an_unknown_charge_costs_as_much_as_a_known_one(terms):
    known = visit(1, 1) if terms is MOMENTS else visit(1)
    found = state(terms, NOTHING.plus([known, UNKNOWN]))

    assert found.worst == opinions(terms, 2)


def test_only_secret_noise_makes_a_claim():
    seeded = dataclasses.replace(MOMENTS, noise="insecure_seeded")

    assert state(MOMENTS, NOTHING).claim
    assert not state(seeded, NOTHING).claim


def test_integers_cost_what_real_numbers_do_by_rounding_and_no_less_by_whole_orders():
    found, reals = opinions(WHOLE_MOMENTS, 3), opinions(MOMENTS, 3)

    assert reals.pld < found.pld == pytest.approx(reals.pld, rel=1e-8)
    # sums of integers are exact: no millionth is charged for their rounding
    assert (1 - 1e-5) * reals.rdp <= found.rdp < 1.1 * reals.rdp
    assert found.agree


def test_a_coarse_grid_costs_more():
    coarse = dataclasses.replace(WHOLE_MOMENTS, public={"steps in a clip": 4})

    # noise of 8 steps: (8² - 3²) / 4² is (1.854)²
    assert opinions(coarse, 3).pld == pytest.approx(
        opinions(dataclasses.replace(MOMENTS, noise_multiplier=55**0.5 / 4), 3).pld
    )


def test_integers_without_their_grid_are_refused():
    with pytest.raises(ValueError, match=r"^sampler 'poisson, integers' needs a whole number"):
        opinions(dataclasses.replace(WHOLE_MOMENTS, public={}), 1)


def test_no_noise_is_infinite_by_both():
    found = opinions(dataclasses.replace(MOMENTS, noise_multiplier=0.0), 1)

    assert math.isinf(found.pld)
    assert math.isinf(found.rdp)
    assert found.agree


def test_a_sampler_or_relation_without_accountant_is_refused_by_name():
    with pytest.raises(
        ValueError, match=r"sampler 'shuffle' has no accountant.*known.*poisson"
    ):
        opinions(dataclasses.replace(MOMENTS, sampler="shuffle"), 1)
    with pytest.raises(ValueError, match=r"relation 'replace one'.*'add or remove one'"):
        state(dataclasses.replace(MOMENTS, relation="replace one"), NOTHING)


class Line(DpSgd):
    """A mechanism whose ε are those of no other, and whose accountants disagree."""

    def epsilon(self, charges):
        return 2.0 * charges

    def epsilon_rdp(self, charges):
        return 1.0 * charges


def test_another_sampler_is_one_entry_more():
    terms = dataclasses.replace(MOMENTS, sampler="line")
    found = opinions(terms, 3, samplers={**SAMPLERS, "line": Line})

    assert (found.pld, found.rdp) == (6.0, 3.0)
    assert not found.agree


class Careless(DpSgd):
    """An accountant that forgets every second step."""

    def epsilon(self, charges):
        return DpSgd.epsilon(self, charges) / 2


def test_an_epsilon_that_an_attack_refutes_is_found_out():
    """Far below the looser accountant, it would pass for a good one."""
    found = opinions(MOMENTS, 3, samplers={"poisson": Careless})
    assert 0.0 < found.pld < found.attack
    assert not found.agree


CAPPED = dataclasses.replace(COHORTS, rate=0.1, cap=10, population=100)


def test_many_charges_at_a_small_delta_cost_the_least_of_the_bounds():
    """100,000 steps: a transform that is not tilted sees no δ of 1e-12."""
    many = dataclasses.replace(
        MOMENTS, rate=0.01, noise_multiplier=10.0, steps=100, delta=1e-12
    )
    found = opinions(many, 1000)
    assert found.agree
    assert found.pld == pytest.approx(2.1403, abs=2e-4)
    assert found.pld < found.rdp < 1.05 * found.pld
    assert 0.99 * found.pld < found.attack


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    rate=st.floats(-6, 0),
    noise=st.floats(-8, 7),
    charges=st.floats(0, 5),
    delta=st.floats(-12, -1),
    terms=st.sampled_from(["poisson", "capped poisson", "capped poisson, integers"]),
)
@example(rate=0, noise=-5.5, charges=2.0, delta=-5, terms="everyone asked")
@example(rate=0, noise=6.0, charges=0.0, delta=-1, terms="everyone asked")
@example(rate=0, noise=-5.7, charges=0.5, delta=-5, terms="separated")
@example(rate=-1e-12, noise=0.0, charges=1.0, delta=-5, terms="poisson")
@example(rate=-300, noise=0.0, charges=1.0, delta=-5, terms="poisson")
@example(rate=0, noise=-200, charges=1.0, delta=-5, terms="capped poisson")
def test_no_sound_ledger_is_refused(rate, noise, charges, delta, terms):
    base = {"poisson": MOMENTS, "separated": SEPARATED, "everyone asked": LIBRARIES}
    sound = dataclasses.replace(
        base.get(terms, CAPPED),
        sampler=terms,
        rate=10**rate,
        noise_multiplier=10**noise,
        delta=10**delta,
        public={**base.get(terms, CAPPED).public, "steps in a clip": 4},
    )
    count = round(10**charges)
    if terms.endswith("integers") and noise > 6:
        return
    found = opinions(sound, min(count, 8) if terms == "separated" else count)
    assert found.agree
    assert not math.isnan(found.pld)


def test_epsilon_follows_from_the_file_alone(tmp_path):
    with Ledger.create(tmp_path, "devices", terms=MOMENTS) as ledger:
        ledger.charge([visit(1, 1, 2), visit(2, 1)])
        as_it_ran = state(ledger.terms, ledger.spent)
    found = examine(tmp_path, "devices")

    assert state(found.terms, found.spent) == as_it_ran
    assert as_it_ran.worst.charges == 2


def test_correlated_noise_is_one_release_of_all_the_rounds_of_a_device():
    """Columns of norm 1 that never meet: four participations at noise 4 are noise 2."""
    found = opinions(SEPARATED, 8)
    assert found.pld == pytest.approx(analytic_gaussian.epsilon(2.0, delta=1e-5))
    assert found.agree
    assert opinions(SEPARATED, 2).pld == pytest.approx(
        analytic_gaussian.epsilon(4.0, delta=1e-5)
    )


def test_a_band_pays_for_its_own_turns():
    capped = dataclasses.replace(BANDED, sampler="capped poisson", public={})
    assert opinions(BANDED, 8).pld == pytest.approx(opinions(capped, 4).pld)
    assert opinions(BANDED, 8).rdp == pytest.approx(opinions(capped, 4).rdp)


@pytest.mark.parametrize(
    "public",
    [
        {"rounds": 8, "separation": 2, "participations": 0.5, "coefficients": "[1.0]"},
        {"rounds": 8, "separation": 2, "coefficients": "[1.0]"},
        {"rounds": 8, "separation": 2, "participations": 4, "coefficients": "1.0"},
        {"rounds": 8, "separation": 2, "participations": 4},
    ],
)
def test_a_strategy_that_is_not_whole_is_refused(public):
    with pytest.raises(ValueError, match=r"^sampler 'separated' needs a .*'public\."):
        opinions(dataclasses.replace(SEPARATED, public=public), 8)
