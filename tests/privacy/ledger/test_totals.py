"""What records add up to, for a device that is named and for one that is not."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from ledger_disks import visit
from ledger_terms import MOMENTS

from privacy.ledger.records import Charge, Unknown
from privacy.ledger.totals import NOTHING

CHARGE = Charge(round=3, attempt=1, devices=(4, 2), what="update")
UNKNOWN = Unknown(charges=1, evidence="server.torn-1", digest="ab")

charges = st.lists(st.integers(0, 9)).map(lambda devices: visit(1, *devices))
unknown = st.integers(1, 3).map(lambda lines: dataclasses.replace(UNKNOWN, charges=lines))
records = st.lists(st.one_of(charges, unknown, st.just(MOMENTS)), max_size=12)


def test_a_device_pays_once_for_each_mention_and_a_replay_pays_again():
    spent = NOTHING.plus(
        [MOMENTS, CHARGE, CHARGE, dataclasses.replace(CHARGE, devices=(2, 2, 9))]
    )

    assert spent.charges == 3
    assert (spent.of(4), spent.of(2), spent.of(9), spent.of(5)) == (2, 4, 1, 0)
    assert (spent.most, spent.median) == (4, 2)


def test_an_unknown_charge_is_paid_by_every_device_also_by_one_never_named():
    spent = NOTHING.plus([CHARGE, dataclasses.replace(UNKNOWN, charges=2)])

    assert (spent.charges, spent.unknown) == (3, 2)
    assert (spent.of(4), spent.of(77)) == (3, 2)
    assert (spent.most, spent.median) == (3, 3)


def test_nothing_is_spent_before_the_first_charge():
    assert (NOTHING.charges, NOTHING.most, NOTHING.median) == (0, 0, 0)


def test_adding_to_what_is_spent_leaves_it_as_it_was():
    before = NOTHING.plus([CHARGE])
    before.plus([CHARGE])

    assert before.of(4) == 1
    assert NOTHING.of(4) == 0


def test_the_middle_of_two_devices_is_the_larger():
    """Three and one visits: the figure of the middle device is no less than that of either."""
    assert NOTHING.plus([visit(1, 1, 1, 1), visit(2, 2)]).median == 3
    assert NOTHING.plus([visit(1, 1, 1, 1), visit(2, 2), visit(3, 3)]).median == 1


@given(records, st.integers(0, 12))
def test_what_is_spent_is_the_same_in_parts_and_at_once(some, cut):
    assert NOTHING.plus(some[:cut]).plus(some[cut:]) == NOTHING.plus(some)


@given(records, st.permutations(range(12)))
def test_the_order_of_the_records_does_not_matter(some, order):
    moved = [some[place] for place in order if place < len(some)]
    assert NOTHING.plus(moved) == NOTHING.plus(some)


@given(records)
def test_nobody_pays_more_than_the_one_who_pays_most(some):
    spent = NOTHING.plus(some)
    assert all(spent.unknown <= spent.of(device) <= spent.most for device in range(12))
    assert spent.median <= spent.most
    assert spent.of(99) == spent.unknown <= spent.charges
