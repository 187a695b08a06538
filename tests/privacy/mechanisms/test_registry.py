"""Every mechanism is found by what settings call it and by what its ledger does."""

from dataclasses import replace

import pytest
from every_mechanism import ADAPTIVE, EVERY
from ledger_terms import MOMENTS

from privacy.mechanisms.registry import DEVICE, EXAMPLE, SAMPLERS, mechanism_of


@pytest.mark.parametrize("kinds", [EXAMPLE, DEVICE])
def test_settings_bear_the_name_under_which_they_are_found(kinds):
    for name, settings in kinds.items():
        assert settings.__dataclass_fields__["mechanism"].default == name


def test_every_mechanism_that_settings_make_has_a_sampler_of_its_own():
    made = {one for kinds in (EXAMPLE, DEVICE) for kind in kinds.values() for one in kind.makes}
    assert set(SAMPLERS.values()) == made
    assert len(SAMPLERS) == len(made)
    assert made == {type(one) for one in EVERY} - {type(ADAPTIVE)}


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_ledger_names_its_mechanism(mechanism):
    read = mechanism_of(mechanism.terms(noise="secure"))
    assert read == (ADAPTIVE.accounted if mechanism is ADAPTIVE else mechanism)


def test_a_ledger_of_another_code_is_refused_with_the_way_out():
    sentence = (
        r"^sampler 'shuffle' has no mechanism here; open this ledger with code 9\.9\.9\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        mechanism_of(replace(MOMENTS, sampler="shuffle", code="9.9.9"))
