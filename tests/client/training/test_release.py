import math

import numpy as np
import pytest
from scipy.stats import kstest

from client.training.release import protected
from privacy.noise import SeededSource


def test_without_a_clip_the_update_leaves_as_it_is(lab):
    delta = np.float32([3, np.nan])
    assert protected(delta, terms=lab.terms(), source=SeededSource(1)) is delta


def test_an_update_is_clipped_before_it_leaves(lab):
    terms = lab.terms(update_clip=1.0)
    sent = protected(np.float32([3, 4]), terms=terms, source=SeededSource(1))
    assert sent.dtype == np.float32
    assert sent == pytest.approx([0.6, 0.8])


def test_its_own_noise_has_the_deviation_that_is_accounted(lab):
    terms = lab.terms(update_clip=0.5, update_noise=3.0)
    sent = protected(np.zeros(20_000, np.float32), terms=terms, source=SeededSource(1))
    assert kstest(sent / 1.5, "norm").pvalue > 1e-3
    for wrong in (2 / 3, 3 / 2):
        assert kstest(sent / (1.5 * wrong), "norm").pvalue < 1e-6
    assert not math.isinf(terms.update_deviation)
