import pytest

from privacy.accounting import noise_search, pld
from privacy.accounting.noise_search import noise_multiplier
from privacy.losses import loss_grid

# epsilon, delta, rate, steps, noise multiplier
QUICK = [
    (1.0, 1e-3, 0.2, 200, 7.37),
    (1.0, 1e-3, 0.2, 50, 3.81),
]
SLOW = [
    (2.0, 1e-3, 0.2, 50, 2.25),
    (4.0, 1e-3, 0.2, 50, 1.40),
    (8.0, 1e-3, 0.2, 50, 0.93),
    (2.0, 1e-3, 0.2, 200, 4.20),
    (4.0, 1e-3, 0.2, 200, 2.47),
    (8.0, 1e-3, 0.2, 200, 1.53),
    (1.0, 1e-4, 0.08, 200, 3.76),
    (2.0, 1e-4, 0.08, 200, 2.16),
    (4.0, 1e-4, 0.08, 200, 1.34),
    (8.0, 1e-4, 0.08, 200, 0.91),
]
ROWS = [*QUICK, *(pytest.param(*row, marks=pytest.mark.slow) for row in SLOW)]


@pytest.mark.parametrize(
    ("target", "delta", "rate", "steps", "_"),
    [(1.0, 1e-3, 1.0, 50, None), (8.0, 1e-5, 1e-3, 50, None), *QUICK, *SLOW],
)
def test_the_accountant_that_tells_is_asked_twice_at_most_and_on_a_grid_that_will_do(
    monkeypatch, target, delta, rate, steps, _
):
    grids = []

    def counted(*, interval, **rest):
        grids.append(interval)
        return pld.epsilon(interval=interval, **rest)

    monkeypatch.setattr(noise_search, "epsilon", counted)
    noise_multiplier.__wrapped__(target, delta=delta, rate=rate, steps=steps)
    assert len(grids) <= 2
    assert min(grids) > 5 * loss_grid.FINE


@pytest.mark.parametrize(("target", "delta", "rate", "steps", "expected"), ROWS)
def test_the_noise_multiplier_is_that_of_the_table(target, delta, rate, steps, expected):
    found = noise_multiplier(target, delta=delta, rate=rate, steps=steps)
    assert found == pytest.approx(expected, abs=0.01 * expected)


@pytest.mark.parametrize(("target", "delta", "rate", "steps", "_"), ROWS)
def test_the_promise_is_kept_and_nearly_used_up(target, delta, rate, steps, _):
    sigma = noise_multiplier(target, delta=delta, rate=rate, steps=steps)
    found = pld.epsilon(rate=rate, noise_multiplier=sigma, steps=steps, delta=delta)
    assert 0.98 * target <= found <= target


def test_a_strict_promise_beyond_the_orders_of_the_renyi_bound_is_met():
    sigma = noise_multiplier(0.05, delta=1e-5, rate=0.2, steps=50)
    found = pld.epsilon(rate=0.2, noise_multiplier=sigma, steps=50, delta=1e-5)
    assert 0.98 * 0.05 <= found <= 0.05


@pytest.mark.parametrize(
    "target",
    [150.0, *(pytest.param(target, marks=pytest.mark.slow) for target in (50.0, 98.0))],
)
def test_a_loose_promise_is_kept_too(target):
    sigma = noise_multiplier(target, delta=1e-6, rate=0.25, steps=80)
    found = pld.epsilon(rate=0.25, noise_multiplier=sigma, steps=80, delta=1e-6)
    # Rényi accounting takes over near 100 and leaves a step there
    assert 0.9 * target <= found <= target


def test_more_steps_need_more_noise():
    few = noise_multiplier(1.0, delta=1e-3, rate=0.2, steps=50)
    many = noise_multiplier(1.0, delta=1e-3, rate=0.2, steps=200)
    # without sampling it would be the root of four
    assert 1.8 * few < many < 2.1 * few


@pytest.mark.parametrize(
    ("target", "delta", "rate", "steps"),
    [
        (1.0, 1e-5, 1.0, 4),
        (0.2, 1e-5, 1.0, 1),
        (0.5, 1e-12, 0.2, 16),
        (3.0, 1e-7, 0.01, 100),
        (8.0, 1e-5, 0.5, 16),
    ],
)
def test_the_fine_accountant_agrees_and_half_a_percent_less_noise_breaks_the_promise(
    target, delta, rate, steps
):
    sigma = noise_multiplier(target, delta=delta, rate=rate, steps=steps)

    def told(noise):
        return pld.epsilon(rate=rate, noise_multiplier=noise, steps=steps, delta=delta)

    assert told(sigma) <= target < told(sigma / 1.005)


def test_a_promise_out_of_reach_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="cannot be met") as refused:
        noise_multiplier(1e-6, delta=1e-5, rate=0.2, steps=1000)
    assert str(refused.value) == (
        "privacy.example.epsilon=1e-06 cannot be met with 1000 steps at δ = 1e-05; raise it, "
        "or lower training.steps or privacy.example.max_participations."
    )


@pytest.mark.parametrize("steps", [1, 50])
def test_a_promise_of_next_to_no_noise_is_refused_at_once(monkeypatch, steps):
    evaluated = []
    monkeypatch.setattr(noise_search, "epsilon", lambda **rest: evaluated.append(rest))
    with pytest.raises(ValueError, match="next to no noise") as refused:
        noise_multiplier(1e6, delta=1e-5, rate=0.2, steps=steps)
    assert str(refused.value) == (
        "privacy.example.epsilon=1e+06 asks for next to no noise; lower it, or use "
        "privacy/example=none for a run without a promise."
    )
    assert not evaluated


@pytest.mark.slow
def test_a_promise_that_only_the_closer_accounting_finds_idle_is_refused_too():
    # one step that takes a moment in one case of a million: delta alone covers it
    with pytest.raises(ValueError, match=r"privacy\.example\.epsilon=1 asks for next to no"):
        noise_multiplier(1.0, delta=1e-5, rate=1e-6, steps=1)
