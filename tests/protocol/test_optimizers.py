import pytest

from protocol.optimizers import Adam, Momentum, Sgd, Yogi


@pytest.mark.parametrize(
    ("optimizer", "farthest"),
    [
        (Sgd(lr=0.5), 1.5),
        # 3 + .75 · 3 + .75² · 3 + … = 3 / .25 = 12
        (Momentum(lr=0.5, beta1=0.75), 6.0),
        (Adam(lr=0.5, beta1=0.9, beta2=0.99, tau=0.1), 15.0),
        (Yogi(lr=0.5, beta1=0.9, beta2=0.99, tau=0.1), 15.0),
    ],
)
def test_the_farthest_step_for_means_of_at_most_three(optimizer, farthest):
    assert optimizer.farthest(3.0) == pytest.approx(farthest)
