"""What ``client.engine.Engine`` promises, of every engine."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from client.engine import Visit
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_engine import CohortEngine
from client.training.opacus_engine import OpacusEngine
from client.training.vmapped import Vmapped
from privacy.noise import SecureSource, SeededSource
from ranking.settings import RANKINGS

LENGTHS = [2, 6, 3, 5]


def bookkeeping(ranker, ranking):
    return CohortEngine(Bookkeeping(ranker, ranking))


def vmapped(ranker, ranking):
    return CohortEngine(Vmapped(ranker, ranking))


every_kind = pytest.mark.parametrize("kind", [OpacusEngine, bookkeeping, vmapped])


@every_kind
@pytest.mark.parametrize("trained", RANKINGS)
def test_a_library_without_training_moments_sends_noise_alone(lab, kind, trained):
    engine, start = lab.engine_and_start(trained, kind)
    nothing = lab.moments(trained, [])
    noisy = lab.delta(engine, start, nothing, lab.terms(noise_multiplier=1.0))
    assert np.count_nonzero(noisy) > 0.9 * len(noisy)
    assert not lab.delta(engine, start, nothing, lab.plain).any()


@every_kind
def test_a_step_that_draws_no_moment_is_a_step_of_noise(lab, kind):
    engine, start = lab.engine_and_start("taste", kind)
    terms = lab.terms(rate=1e-9, noise_multiplier=1.0, steps=3)
    drawn_none = lab.delta(engine, start, lab.moments("taste", LENGTHS), terms)
    nothing = lab.delta(engine, start, lab.moments("taste", []), terms)
    assert drawn_none.any()
    assert np.array_equal(drawn_none, nothing)


@every_kind
def test_the_noise_has_the_public_deviation_over_all_steps(lab, kind):
    engine, start = lab.engine_and_start("head", kind)
    terms = lab.terms(steps=4, lr=0.5, noise_multiplier=3.0, clip=0.2, denominator=8.0)
    silent = lab.moments("head", LENGTHS)
    silent.gains[:] = 0
    found = lab.delta(engine, start, silent, terms).astype(np.float64)
    deviation = 0.5 * 3.0 * 0.2 / 8.0 * math.sqrt(4)
    statistic = (found**2).sum() / deviation**2
    assert 0.001 < chi2.cdf(statistic, len(found)) < 0.999
    assert abs(found.mean()) < 4 * deviation / math.sqrt(len(found))


@every_kind
def test_one_moment_more_leaves_the_noise_as_it_is(lab, kind):
    engine, start = lab.engine_and_start("head", kind)
    terms = lab.terms(steps=2, rate=0.7, noise_multiplier=1.0)
    silent = lab.moments("head", [2, 6, 3, 5, 4])
    silent.gains[:] = 0
    fewer = lab.delta(engine, start, lab.without(silent, 4), terms)
    assert np.array_equal(lab.delta(engine, start, silent, terms), fewer)


@every_kind
def test_seeded_visits_repeat_and_secure_ones_never_do(lab, kind):
    engine, start = lab.engine_and_start("head", kind)
    examples = lab.moments("head", LENGTHS)
    terms = lab.terms(steps=2, rate=0.5, noise_multiplier=1.0)
    visits = [SeededSource(7), SeededSource(7), SeededSource(8), SecureSource(), SecureSource()]
    found = [lab.delta(engine, start, examples, terms, source=source) for source in visits]
    assert np.array_equal(found[0], found[1])
    for one, other in ((0, 2), (0, 3), (3, 4)):
        assert not np.allclose(found[one], found[other])


@every_kind
def test_steps_do_not_share_their_noise(lab, kind):
    engine, start = lab.engine_and_start("head", kind)
    nothing = lab.moments("head", [])
    one = lab.delta(engine, start, nothing, lab.terms(noise_multiplier=1.0))
    two = lab.delta(engine, start, nothing, lab.terms(noise_multiplier=1.0, steps=2))
    assert abs(np.corrcoef(one, two - one)[0, 1]) < 0.02


@every_kind
def test_devices_of_one_call_do_not_touch_each_other(lab, kind):
    engine, start = lab.engine_and_start("head", kind)
    devices = [lab.moments("head", LENGTHS, seed=seed) for seed in (1, 2)]
    terms = lab.terms(steps=2)
    visits = [Visit(examples=own, source=SeededSource(5)) for own in (*devices, devices[0])]
    before = start.copy()
    first, second, again = engine.train(start, visits, terms=terms)
    alone = lab.delta(engine, start, devices[1], terms)
    # those that train together share the roundings of a float64 sum
    rounding = 0 if kind is OpacusEngine else 1e-6
    np.testing.assert_allclose(again.delta, first.delta, rtol=0, atol=rounding)
    np.testing.assert_allclose(second.delta, alone, rtol=0, atol=rounding)
    assert first.delta.dtype == np.float32
    assert np.array_equal(start, before)


@every_kind
def test_parameters_that_came_read_only_are_trained(lab, kind):
    engine, start = lab.engine_and_start("taste", kind)
    received = start.copy()
    received.flags.writeable = False
    assert lab.delta(engine, received, lab.moments("taste", LENGTHS), lab.terms()).any()


@every_kind
@pytest.mark.parametrize("lengths", [LENGTHS, []])
def test_parameters_of_another_length_are_refused_whatever_the_library_is(lab, kind, lengths):
    engine, start = lab.engine_and_start("taste", kind)
    library = lab.moments("taste", lengths)
    for wrong in (start[1:], np.append(start, np.float32(0)), start.astype(float)):
        with pytest.raises(ValueError, match="float32 vector of 33 numbers"):
            lab.delta(engine, wrong, library, lab.terms())
