"""Independent or correlated noise, whichever leaves less at equal ε."""

import dataclasses

import pytest
from privacy_settings import AUTO, GAUSSIAN, MATRIX, RUN

from privacy.mechanisms.base.unit_settings import Federation
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian, SeparatedRelease
from privacy.mechanisms.correlated.settings import left
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, IndependentRelease


@pytest.mark.parametrize("participation", ["separated", "bands"])
@pytest.mark.parametrize("epsilon", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("rounds", [2, 10])
def test_auto_takes_what_leaves_less_noise_at_the_same_epsilon(epsilon, rounds, participation):
    changes = {"epsilon": epsilon, "participation": participation}
    run = dataclasses.replace(RUN, rounds=rounds)
    plain = dataclasses.replace(GAUSSIAN, epsilon=epsilon).protected(run)
    matrix = dataclasses.replace(MATRIX, **changes).protected(run)
    noise = {
        "gaussian": plain.mechanism.noise_multiplier * ((rounds + 1) / 2) ** 0.5 / 5,
        "matrix": left(matrix.mechanism, rounds=rounds) / 5,
    }
    # of equals it is the simpler: one band is no correlation
    taken, other = sorted(noise, key=noise.get)
    assert noise[taken] == min(noise.values())
    found = dataclasses.replace(AUTO, **changes).protected(run)
    assert found.mechanism == {"gaussian": plain, "matrix": matrix}[taken].mechanism
    assert found.times == rounds
    assert found.remarks == (
        f"auto took {taken}: {noise[taken]:.3g} clips of noise add up, with {other} "
        f"{noise[other]:.3g}",
    )


def test_auto_has_both_answers():
    """Few secret coins among many favour sampling, a weak promise favours correlation."""
    rare = Federation(devices=5000, rounds=4, cohort=5.0)
    found = dataclasses.replace(AUTO, delta=1e-5).protected(rare)
    assert isinstance(found.mechanism, CohortGaussian)
    assert isinstance(found.release((3,)), IndependentRelease)
    often = Federation(devices=50, rounds=10, cohort=5.0)
    found = dataclasses.replace(AUTO, epsilon=8.0).protected(often)
    assert isinstance(found.mechanism, SeparatedGaussian)
    assert isinstance(found.release((3,)), SeparatedRelease)


@pytest.mark.parametrize("changes", [{"epsilon": None}, {"noise_multiplier": 1.0}])
def test_auto_without_an_epsilon_to_compare_at_is_refused(changes):
    with pytest.raises(
        ValueError, match=r"^privacy/device=auto compares mechanisms at equal ε"
    ):
        dataclasses.replace(AUTO, **changes).protected(RUN)
