import dataclasses

import numpy as np
import pytest

from privacy.correlation.toeplitz import optimal
from privacy.mechanisms.correlated.banded_gaussian import BandedGaussian
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.sampling.capped import CappedPoissonSampling

SAMPLING = CappedPoissonSampling.expecting(20, devices=100, cap=None)
PLAIN = CohortGaussian(sampling=SAMPLING, noise_multiplier=1.5, clip=1.0, delta=1e-4)
BANDED = BandedGaussian(
    sampling=SAMPLING,
    bands=4,
    coefficients=tuple(optimal(40, 4).tolist()),
    noise_multiplier=1.5,
    clip=1.0,
    delta=1e-4,
)


def test_a_run_costs_what_a_band_pays_for_its_turns():
    assert BANDED.epsilon(40) == pytest.approx(PLAIN.epsilon(10))
    assert BANDED.epsilon_rdp(40) == pytest.approx(PLAIN.epsilon_rdp(10))


def test_a_turn_that_began_is_paid_whole():
    assert BANDED.epsilon(37) == BANDED.epsilon(40)
    assert BANDED.epsilon(36) < BANDED.epsilon(37)
    assert BANDED.epsilon(0) == 0.0


def test_coefficients_of_another_scale_cost_as_much_more():
    double = tuple(2 * value for value in BANDED.coefficients)
    scaled = dataclasses.replace(BANDED, coefficients=double, noise_multiplier=3.0)
    assert scaled.epsilon(40) == pytest.approx(BANDED.epsilon(40))


def test_one_band_without_correlation_is_plain_sampling():
    alone = dataclasses.replace(BANDED, bands=1, coefficients=(1.0,))
    assert alone.epsilon(10) == PLAIN.epsilon(10)


def test_more_coefficients_than_bands_are_refused():
    with pytest.raises(ValueError, match=r"^4 coefficients must be at most bands=3: columns"):
        dataclasses.replace(BANDED, bands=3)


def test_every_device_has_one_turn_in_as_many_rounds_as_there_are_bands():
    turns = [BANDED.band(number, devices=10) for number in range(8)]
    assert turns[1].tolist() == turns[5].tolist() == [1, 5, 9]
    assert sorted(np.concatenate(turns[:4]).tolist()) == list(range(10))
