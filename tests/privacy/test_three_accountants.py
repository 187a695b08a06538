"""Three accountants that share no code are of one opinion, wherever one asks."""

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from opacus.accountants import PRVAccountant

from privacy.accounting import pld, rdp

# What Opacus allows for its error is .01; on the golden rows its estimate is this close.
ERROR = 1.1e-3
# A grid a tenth of a step's deviation wide adds at most (1/20)² to the variance of a loss and
# half of that to its mean, so that ε grows by at most as large a share of itself.
GRID = 0.1
DISCRETISATION = 0.05**2


@st.composite
def terms(draw):
    """Rate, noise, steps and δ; the deviation of all losses is drawn, not the noise."""
    rate = 10 ** draw(st.floats(-3, -0.05))
    steps = round(10 ** draw(st.floats(0, 3.3)))
    loss = 10 ** draw(st.floats(-1.2, 0.5))
    delta = 10 ** draw(st.floats(-8, -3))
    sigma = math.log1p((loss / rate) ** 2 / steps) ** -0.5
    assume(0.5 <= sigma <= 50)
    return {"rate": rate, "noise_multiplier": sigma, "steps": steps, "delta": delta}, loss


def opacus(rate, noise_multiplier, steps, delta):
    """The estimate of Opacus, before it adds what it allows for its error."""
    accountant = PRVAccountant()
    accountant.history = [(noise_multiplier, rate, steps)]
    losses = accountant._get_dprv(eps_error=0.01, delta_error=delta / 1000)
    return losses.compute_epsilon(delta, delta / 1000, 0.01)[1]


def agree(drawn):
    values, loss = drawn
    loose = rdp.epsilon(**values)
    assume(0.05 <= loose <= 20)
    interval = min(0.01, GRID * loss / math.sqrt(values["steps"]))
    found = pld.epsilon(**values, interval=interval)
    estimate = opacus(**values)
    assert found <= loose
    assert estimate - ERROR <= found <= estimate * (1 + DISCRETISATION) + ERROR


def grid(cases):
    return settings(
        max_examples=cases,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )


@pytest.mark.filterwarnings("ignore:Optimal order is the:UserWarning")
@grid(10)
@given(terms())
def test_three_accountants_agree_at_ten_places(drawn):
    agree(drawn)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Optimal order is the:UserWarning")
@grid(100)
@given(terms())
def test_three_accountants_agree_at_a_hundred_places(drawn):
    agree(drawn)
