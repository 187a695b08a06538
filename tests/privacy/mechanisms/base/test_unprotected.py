"""Nothing is clipped, and nothing is promised."""

import math

from privacy_settings import RUN, VISIT

from privacy.mechanisms.base.unprotected import NoDevice, NoExample


def test_neither_protects_nor_names_a_mechanism():
    for none in (NoExample(), NoDevice()):
        assert (none.mechanism, none.protects, none.makes) == ("none", False, ())
        assert not none.derives_noise
        assert none.contradiction(cohort=5.0) is None
    assert NoExample().protected(VISIT) is None
    assert NoDevice().protected(RUN) is None


def test_what_is_not_clipped_has_no_largest_norm_but_that_of_the_updates():
    assert NoExample().longest_sum(10.0, noise=0.0, spread=3.0) == math.inf
    assert NoDevice().own_clip == math.inf
    longest = NoDevice().longest_mean(7.0, rounds=3, cohort=5.0, noise=0.0, spread=3.0)
    assert longest == 7.0
