import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.correlation.separation import MinSeparation, largest_participations

FAR = 2**62


def numbers(*devices):
    return np.array(devices, np.int64)


@given(
    separation=st.integers(1, 5),
    participations=st.integers(1, 4),
    asked=st.lists(st.tuples(st.integers(0, 4), st.lists(st.integers(0, 6))), max_size=40),
)
@settings(deadline=None)
def test_no_device_ever_takes_part_too_soon_or_too_often(separation, participations, asked):
    ledger = MinSeparation(separation, participations)
    taken, number = {}, 0
    for later, devices in asked:
        number += later
        try:
            ledger.took_part(numbers(*devices), number)
        except ValueError:
            continue
        for device in devices:
            taken.setdefault(device, []).append(number)
    for device, rounds in taken.items():
        assert len(rounds) <= participations
        assert all(two - one >= separation for one, two in itertools.pairwise(rounds))
        assert ledger.participations(numbers(device)).tolist() == [len(rounds)]


@given(
    separation=st.integers(1, 5),
    participations=st.integers(1, 4),
    asked=st.lists(st.sets(st.integers(0, 6)), max_size=30),
)
@settings(deadline=None)
def test_whoever_is_eligible_is_taken_and_whoever_is_not_is_refused(
    separation, participations, asked
):
    ledger = MinSeparation(separation, participations)
    rounds = {}
    for number, devices in enumerate(asked):
        cohort = numbers(*devices)
        may = ledger.eligible(cohort, number)
        for device, allowed in zip(cohort.tolist(), may, strict=True):
            past = rounds.get(device, [])
            rested = not past or number - past[-1] >= separation
            assert allowed == (rested and len(past) < participations)
            if not allowed:
                with pytest.raises(ValueError, match=rf"\[{device}\]"):
                    ledger.took_part(numbers(device), number)
        ledger.took_part(cohort[may], number)
        for device in cohort[may].tolist():
            rounds.setdefault(device, []).append(number)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_a_device_that_comes_whenever_it_may_comes_as_often_as_can_be(rounds, separation):
    ledger = MinSeparation(separation, rounds)
    for number in range(rounds):
        ledger.took_part(numbers(3)[ledger.eligible(numbers(3), number)], number)
    expected = largest_participations(rounds, separation)
    assert ledger.participations(numbers(3)).tolist() == [expected]


@pytest.mark.parametrize(
    ("rounds", "separation", "expected"), [(200, 20, 10), (201, 20, 11), (1, 20, 1), (0, 5, 0)]
)
def test_the_most_participations_are_rounds_over_separation_rounded_up(
    rounds, separation, expected
):
    assert largest_participations(rounds, separation) == expected


def test_a_device_rests_exactly_the_separation():
    ledger = MinSeparation(3, 9)
    ledger.took_part(numbers(1), 0)
    found = [ledger.eligible(numbers(1, 2), number).tolist() for number in range(4)]
    assert found == [[False, True], [False, True], [False, True], [True, True]]


def test_a_device_that_used_up_its_participations_is_out_for_good():
    ledger = MinSeparation(1, 2)
    ledger.took_part(numbers(1), 0)
    ledger.took_part(numbers(1), 1)
    assert not ledger.eligible(numbers(1), 1000).any()


def test_a_refused_cohort_leaves_the_ledger_as_it_was():
    ledger = MinSeparation(5, 2)
    ledger.took_part(numbers(1), 0)
    with pytest.raises(ValueError, match=r"devices \[1\]"):
        ledger.took_part(numbers(0, 1, 2), 4)
    assert ledger.eligible(numbers(0, 2), 4).all()
    assert ledger.participations(numbers(0, 1, 2)).tolist() == [0, 1, 0]


def test_a_device_that_is_named_twice_in_a_round_is_refused():
    ledger = MinSeparation(1, 9)
    with pytest.raises(ValueError, match=r"devices \[7\]"):
        ledger.took_part(numbers(7, 8, 7), 0)
    assert ledger.participations(numbers(7)).tolist() == [0]


def test_a_round_of_the_past_is_refused():
    ledger = MinSeparation(1, 9)
    ledger.took_part(numbers(1), 6)
    with pytest.raises(ValueError, match="round 5"):
        ledger.took_part(numbers(1), 5)


def test_the_ledger_grows_with_the_devices_seen_and_not_with_their_numbers():
    ledger = MinSeparation(2, 3)
    for number in range(0, 40, 2):
        ledger.took_part(
            numbers(FAR, *range(number * 10, number * 10 + 9))[number > 4 :], number
        )
    state = ledger.state()
    assert len(state["devices"]) == 1 + 20 * 9
    assert state["last"].dtype == state["taken"].dtype == np.int32
    assert ledger.participations(numbers(FAR, 0, 388, 9)).tolist() == [3, 1, 1, 0]


@given(st.lists(st.sets(st.integers(0, 9)), max_size=12), st.integers(0, 12))
@settings(deadline=None)
def test_a_ledger_that_is_restored_answers_alike(asked, stop):
    whole, other = MinSeparation(2, 3), MinSeparation(2, 3)
    everyone = np.arange(12)
    for number, devices in enumerate(asked):
        if number == stop:
            other.restore(whole.state())
        cohort = numbers(*devices)
        cohort = cohort[whole.eligible(cohort, number)]
        whole.took_part(cohort, number)
        if number >= stop:
            other.took_part(cohort, number)
            assert np.array_equal(
                whole.eligible(everyone, number + 1), other.eligible(everyone, number + 1)
            )


def test_a_state_is_a_copy():
    ledger = MinSeparation(1, 9)
    ledger.took_part(numbers(1), 0)
    state = ledger.state()
    other = MinSeparation(1, 9)
    other.restore(state)
    other.took_part(numbers(1), 1)
    assert state["taken"].tolist() == ledger.participations(numbers(1)).tolist() == [1]
    ledger.took_part(numbers(1), 5)
    assert state["taken"].tolist() == [1]
    assert state["last"].tolist() == [0]


def test_nobody_is_a_legal_cohort():
    ledger = MinSeparation(2, 2)
    assert ledger.eligible(numbers(), 0).tolist() == []
    ledger.took_part(numbers(), 0)
    assert ledger.participations(numbers()).tolist() == []
    assert ledger.state()["devices"].tolist() == []


@pytest.mark.parametrize(("separation", "participations"), [(0, 1), (1, 0), (-3, 2)])
def test_a_separation_or_participations_below_one_are_refused(separation, participations):
    with pytest.raises(ValueError, match="at least 1"):
        MinSeparation(separation, participations)
