import math

import mpmath
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.rdp import RdpAccountant
from dp_accounting.rdp.rdp_privacy_accountant import DEFAULT_RDP_ORDERS
from golden_steps import GOLDEN
from opacus.accountants.analysis.rdp import compute_rdp

from privacy.accounting.rdp import ORDERS, epsilon, step_rdp

RENYI = [(*row[:4], row.opacus) for row in GOLDEN]


def other_epsilon(rate, sigma, steps, delta, orders):
    event = PoissonSampledDpEvent(rate, GaussianDpEvent(sigma))
    return RdpAccountant(orders).compose(SelfComposedDpEvent(event, steps)).get_epsilon(delta)


@pytest.mark.parametrize(("rate", "sigma", "steps", "delta", "expected"), RENYI)
def test_epsilon_is_the_golden_figure_of_opacus(rate, sigma, steps, delta, expected):
    found = epsilon(rate=rate, noise_multiplier=sigma, steps=steps, delta=delta)
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("rate", "sigma", "steps", "delta", "expected"),
    [(*row[:4], row.other) for row in GOLDEN],
)
def test_dp_accounting_has_its_golden_figure_and_is_never_below(
    rate, sigma, steps, delta, expected
):
    other = other_epsilon(rate, sigma, steps, delta, DEFAULT_RDP_ORDERS)
    assert other == pytest.approx(expected, abs=1e-4)
    assert epsilon(rate=rate, noise_multiplier=sigma, steps=steps, delta=delta) <= other + 1e-4


def test_two_runs_one_after_the_other_are_the_published_example_of_opacus():
    # ten steps and four more, orders 2 to 32: ε is .336 at order 23
    found = {}
    for order in range(2, 33):
        spent = 10 * step_rdp(1e-5, 1.0, order) + 4 * step_rdp(1e-4, 3.0, order)
        rest = math.log1p(-1 / order) - math.log(1e-5 * order) / (order - 1)
        found[order] = spent + rest
    assert min(found.values()) == pytest.approx(0.336, abs=5e-4)
    assert min(found, key=found.get) == 23


@pytest.mark.parametrize(("rate", "sigma", "steps", "delta", "_"), RENYI)
def test_epsilon_agrees_with_dp_accounting_on_whole_orders(rate, sigma, steps, delta, _):
    whole = tuple(float(order) for order in range(2, 64))
    found = epsilon(rate=rate, noise_multiplier=sigma, steps=steps, delta=delta, orders=whole)
    assert found == pytest.approx(other_epsilon(rate, sigma, steps, delta, whole), abs=1e-6)


@pytest.mark.parametrize(("rate", "sigma", "steps", "delta", "_"), RENYI[4::2])
def test_epsilon_is_never_above_dp_accounting_on_the_same_orders(rate, sigma, steps, delta, _):
    # dp-accounting leaves out fractional orders whose series it cuts off, and is then looser
    found = epsilon(rate=rate, noise_multiplier=sigma, steps=steps, delta=delta)
    other = other_epsilon(rate, sigma, steps, delta, ORDERS)
    assert other - 0.05 <= found <= other + 1e-3


@pytest.mark.parametrize(
    ("rate", "sigma"), [(0.001, 0.4), (0.05, 0.4), (0.05, 5.0), (0.3, 1.0), (0.99, 1.0)]
)
def test_the_divergence_of_a_step_is_that_of_opacus_at_every_order(rate, sigma):
    # beyond 1024 Opacus has no binomial coefficients
    orders = [order for order in ORDERS if order <= 1000]
    expected = compute_rdp(q=rate, noise_multiplier=sigma, steps=1, orders=orders)
    found = [step_rdp(rate, sigma, order) for order in orders]
    assert found == pytest.approx(expected.tolist(), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "sigma", "order"),
    [(0.01, 1.0, 1.5), (0.01, 1.0, 12.0), (0.25, 0.7, 4.7), (0.9, 2.0, 2.0), (0.9, 2.0, 1.1)],
)
def test_the_divergence_of_a_step_is_the_integral_that_defines_it(rate, sigma, order):
    def density(x):
        ratio = 1 - rate + rate * mpmath.exp((2 * x - 1) / (2 * sigma**2))
        return mpmath.npdf(x, 0, sigma) * ratio**order

    edge = order + 14 * sigma
    points = [-edge, *(step / 2 for step in range(-8, 2 * math.ceil(order) + 8)), edge]
    expected = mpmath.log(mpmath.quad(density, points)) / (order - 1)
    assert step_rdp(rate, sigma, order) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("order", ORDERS[::13])
def test_without_sampling_the_divergence_is_the_closed_form(order):
    assert step_rdp(1.0, 2.5, order) == pytest.approx(order / 12.5, rel=1e-8)


def test_a_rate_next_to_one_meets_the_closed_form():
    # the whole and the fractional branch
    assert step_rdp(1 - 1e-9, 2.0, 8.0) == pytest.approx(1.0, rel=1e-6)
    assert step_rdp(1 - 1e-9, 2.0, 4.4) == pytest.approx(0.55, rel=1e-6)


def test_one_order_converts_by_the_formula():
    # order 3 at sigma 1: 1.5 per step, and ln(2/3) - (ln 1e-5 + ln 3) / 2
    found = epsilon(rate=1.0, noise_multiplier=1.0, steps=2, delta=1e-5, orders=(3.0,))
    expected = 2 * 1.5 + math.log(2 / 3) - (math.log(1e-5) + math.log(3)) / 2
    assert found == pytest.approx(expected, rel=1e-8)


def test_divergences_of_steps_add_up():
    def at(steps):
        return epsilon(rate=0.1, noise_multiplier=1.3, steps=steps, delta=1e-5, orders=(6.5,))

    offset = at(1) - step_rdp(0.1, 1.3, 6.5)
    assert at(30) + at(70) - offset == pytest.approx(at(100), rel=1e-8)
    assert at(100) - at(99) == pytest.approx(step_rdp(0.1, 1.3, 6.5), rel=1e-8)


def test_the_divergence_grows_with_the_order():
    found = [step_rdp(0.02, 1.1, order) for order in ORDERS]
    assert found == sorted(found)


def test_more_orders_never_loosen_the_bound():
    few = epsilon(rate=0.1, noise_multiplier=2.0, steps=300, delta=1e-5, orders=(3.0, 8.0))
    assert epsilon(rate=0.1, noise_multiplier=2.0, steps=300, delta=1e-5) <= few


def test_nothing_done_costs_nothing_and_no_noise_costs_everything():
    assert epsilon(rate=0.1, noise_multiplier=1.0, steps=0, delta=1e-5) == 0
    assert epsilon(rate=0.0, noise_multiplier=1.0, steps=9, delta=1e-5) == 0
    assert epsilon(rate=0.1, noise_multiplier=0.0, steps=9, delta=1e-5) == math.inf


def test_an_order_lost_to_rounding_does_not_pass_for_a_bound():
    # so close to one the fractional series cancel to nothing; the whole orders still hold
    nearly = math.nextafter(1.0, 0.0)
    assert math.isnan(step_rdp(nearly, 1.0, 1.5))
    found = epsilon(rate=nearly, noise_multiplier=1.0, steps=80, delta=1e-6)
    assert found >= epsilon(rate=1.0, noise_multiplier=1.0, steps=80, delta=1e-6) - 1e-9
    lost = epsilon(rate=nearly, noise_multiplier=1.0, steps=1, delta=1e-6, orders=(1.5,))
    assert lost == math.inf


def test_a_divergence_below_zero_by_rounding_counts_as_zero():
    assert step_rdp(0.5, 1e6, 1.1) < 0
    one, many = (
        epsilon(rate=0.5, noise_multiplier=1e6, steps=steps, delta=1e-6, orders=(1.1,))
        for steps in (1, 10**6)
    )
    assert one <= many


def test_a_bound_is_never_negative():
    assert epsilon(rate=0.001, noise_multiplier=50.0, steps=1, delta=0.5) == 0
