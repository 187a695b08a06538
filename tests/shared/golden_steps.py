"""Steps whose ε other libraries have told: golden figures of every accountant."""

from typing import NamedTuple


class Golden(NamedTuple):
    """Poisson-sampled steps, and their ε.

    ``pld`` by dp-accounting's loss distributions on a grid of 1e-4, ``prv`` as Opacus estimates
    it, ``opacus`` and ``other`` by the Rényi accounting of Opacus 1.6.0 and of dp-accounting
    0.6.0 at their default orders. In three rows the last is looser: it leaves out the
    fractional orders whose series it cuts off.
    """

    rate: float
    noise: float
    steps: int
    delta: float
    pld: float
    prv: float
    opacus: float
    other: float

    @property
    def terms(self):
        return {
            "rate": self.rate,
            "noise_multiplier": self.noise,
            "steps": self.steps,
            "delta": self.delta,
        }


GOLDEN = [
    Golden(0.01, 4.0, 10000, 1e-5, 0.9470, 0.9469, 1.0355, 1.0355),
    Golden(256 / 60000, 1.1, 14040, 1e-5, 2.3796, 2.3796, 2.5944, 2.5944),
    Golden(256 / 60000, 1.3, 3510, 1e-5, 0.8638, 0.8638, 0.9538, 0.9538),
    Golden(250 / 60000, 1.12, 14400, 1e-5, 2.2792, 2.2791, 2.4849, 2.4849),
    Golden(0.004, 0.8, 1000, 1e-5, 1.2841, 1.2840, 1.9124, 1.9124),
    Golden(0.001, 1.0, 1000, 1e-6, 0.1856, 0.1855, 0.8697, 0.8697),
    Golden(0.001, 0.7, 5000, 1e-6, 1.3806, 1.3805, 2.2908, 2.2908),
    Golden(0.02, 1.0, 500, 1e-5, 2.7735, 2.7735, 3.1443, 3.1443),
    Golden(0.1, 2.0, 300, 1e-5, 4.1833, 4.1833, 4.5643, 4.5643),
    Golden(0.0625, 1.0, 200, 1e-3, 4.0934, 4.0934, 4.8073, 4.8087),
    Golden(0.25, 1.5, 60, 1e-4, 6.3231, 6.3231, 7.0688, 7.0799),
    Golden(0.2, 1.0, 100, 1e-3, 10.6031, 10.6031, 12.1335, 12.1687),
    Golden(1.0, 1.0, 1, 1e-5, 4.3772, 4.3772, 4.7285, 4.7285),
    Golden(1.0, 10.0, 100, 1e-5, 4.3772, 4.3772, 4.7285, 4.7285),
]
