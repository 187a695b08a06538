"""What several runs charged the same devices together."""

from dataclasses import replace

import ledger_terms
import pytest

from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from privacy.ledger.totals import Spent
from privacy.statements.composition import composed
from simulations.runs.earlier import bills
from simulations.runs.run_folder import RunFolder

MOMENTS = replace(ledger_terms.MOMENTS, rate=0.5, clip=0.3, steps=2)
ROUNDS = replace(ledger_terms.COHORTS, delta=1e-4)
# The first device came twice and once, the second once and twice.
PAID = [
    (MOMENTS, Spent(charges=2, visits={1: 2, 2: 1})),
    (MOMENTS, Spent(charges=2, visits={1: 1, 2: 2})),
]


def run(path, *cohorts, seal=None):
    made = RunFolder.at(path)
    with Ledger.create(made.begin_ledgers(), "example", terms=MOMENTS) as ledger:
        for number, cohort in enumerate(cohorts, start=1):
            ledger.charge([Charge(round=number, attempt=1, devices=cohort, what="update")])
    if seal:
        (made.private / "parts.json").write_text(seal)
    return path


@pytest.mark.parametrize(("aligned", "charges"), [(True, 3), (False, 4)])
def test_the_worst_device_of_one_run_is_that_of_another_only_where_numbers_say_nothing(
    aligned, charges
):
    found = bills.together(PAID, aligned=aligned)
    assert found.reported == pytest.approx(composed([(MOMENTS, charges)]).reported, rel=1e-3)


def test_every_device_pays_for_every_round_whatever_its_number():
    rounds = [(ROUNDS, Spent(charges=2, visits={})), (ROUNDS, Spent(charges=3, visits={}))]
    assert bills.together(rounds, aligned=True).reported == composed([(ROUNDS, 5)]).reported


def test_what_bounds_a_library_at_its_device_bounds_a_moment_too():
    library = replace(ROUNDS, unit="example")
    kept = bills.Bill(name="a", units={"device": (library, PAID[0][1])})
    assert kept.of("example") == (library, PAID[0][1])
    assert bills.Bill(name="a", units={"device": (ROUNDS, PAID[0][1])}).of("example") is None


def test_a_run_that_is_also_kept_as_the_start_of_another_counts_once(tmp_path):
    first = run(tmp_path / "first", (1,), seal="one")
    second = run(tmp_path / "second", (1,), seal="two")
    run(second / "private/earlier/0-first", (1,), seal="one")
    run(second / "private/earlier/1-other", (1,), seal="other")

    found = bills.bills_of([first, second])

    assert [bill.name for bill in found] == ["first", "second", "1-other"]


def test_runs_without_an_end_are_never_taken_for_one(tmp_path):
    first, second = run(tmp_path / "first", (1,)), run(tmp_path / "second", (1,))
    run(second / "private/earlier/0-first", (1,))
    assert len(bills.bills_of([first, second])) == 3
