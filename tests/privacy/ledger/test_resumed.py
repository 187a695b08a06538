"""The ledger of a run that goes on: nothing that left is unpaid, whatever came to its end."""

from dataclasses import replace

import pytest
from ledger_terms import COHORTS, MOMENTS

from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from privacy.ledger.resumed import RepeatedLedger, later_lines, resumed_ledger

SEEDED = replace(MOMENTS, noise="insecure_seeded")


def visit(number, *devices, attempt=0):
    return Charge(round=number, attempt=attempt, devices=devices, what="update")


def begun(folder, terms, *charges, kept):
    """A ledger with charges, and its head after the first ``kept`` of them."""
    with Ledger.create(folder, "example", terms=terms) as ledger:
        head = ledger.head
        for place, charge in enumerate(charges, start=1):
            ledger.charge([charge])
            head = ledger.head if place == kept else head
    return head


def charges(folder):
    return [line.record for line in examine(folder, "example").lines[1:]]


def resume(folder, terms, head, *again):
    with resumed_ledger(folder, "example", terms=terms, kept=head) as ledger:
        for charge in again:
            ledger.charge([charge])
    return charges(folder)


def test_under_secure_noise_what_was_charged_and_lost_is_charged_again(tmp_path):
    head = begun(tmp_path, MOMENTS, visit(1, 1), visit(2, 1), kept=1)
    again = visit(2, 1, attempt=1)
    assert resume(tmp_path, MOMENTS, head, again) == [visit(1, 1), visit(2, 1), again]


def test_a_charge_that_is_the_very_same_is_recorded_again_under_secure_noise(tmp_path):
    head = begun(tmp_path, MOMENTS, visit(1, 1), visit(2, 1), kept=1)
    assert len(resume(tmp_path, MOMENTS, head, visit(2, 1))) == 3


def test_under_seeded_noise_the_same_bits_are_paid_once(tmp_path):
    head = begun(tmp_path, SEEDED, visit(1, 1), visit(2, 1), kept=1)
    found = resume(tmp_path, SEEDED, head, visit(2, 1), visit(3, 1))
    assert found == [visit(1, 1), visit(2, 1), visit(3, 1)]


@pytest.mark.parametrize(
    "other", [visit(2, 1, 4), visit(2), visit(2, 1, attempt=1), visit(1, 1)]
)
def test_under_seeded_noise_whatever_differs_is_charged(tmp_path, other):
    head = begun(tmp_path, SEEDED, visit(1, 1), visit(2, 1), kept=1)
    assert resume(tmp_path, SEEDED, head, other)[2:] == [other]


def test_each_charge_that_stands_there_pays_once(tmp_path):
    head = begun(tmp_path, SEEDED, visit(1, 1), visit(2, 1), kept=1)
    assert resume(tmp_path, SEEDED, head, visit(2, 1), visit(2, 1))[2:] == [visit(2, 1)]


def test_a_charge_before_the_checkpoint_pays_for_nothing_more(tmp_path):
    head = begun(tmp_path, SEEDED, visit(1, 1), visit(2, 1), kept=2)
    assert resume(tmp_path, SEEDED, head, visit(2, 1))[2:] == [visit(2, 1)]


def test_a_ledger_that_had_not_begun_is_begun(tmp_path):
    assert resume(tmp_path, MOMENTS, None, visit(1, 1)) == [visit(1, 1)]


def test_a_ledger_that_was_kept_and_is_gone_is_refused(tmp_path):
    head = begun(tmp_path, MOMENTS, visit(1, 1), kept=1)
    (tmp_path / "example.jsonl").unlink()
    with pytest.raises(LedgerError, match="missing"):
        resumed_ledger(tmp_path, "example", terms=MOMENTS, kept=head)


def test_a_ledger_of_other_terms_is_refused_and_stays_as_it_is(tmp_path):
    head = begun(tmp_path, MOMENTS, visit(1, 1), kept=1)
    before = (tmp_path / "example.jsonl").read_bytes()
    for terms in (SEEDED, replace(MOMENTS, noise_multiplier=3.0), COHORTS):
        with pytest.raises(LedgerError, match="other terms"):
            resumed_ledger(tmp_path, "example", terms=terms, kept=head)
    assert (tmp_path / "example.jsonl").read_bytes() == before


def test_what_a_crash_tore_pays_for_nothing(tmp_path):
    head = begun(tmp_path, SEEDED, visit(1, 1), kept=1)
    with (tmp_path / "example.jsonl").open("ab") as file:
        file.write(b'{"body":{"attempt"')
    with resumed_ledger(tmp_path, "example", terms=SEEDED, kept=head) as ledger:
        assert isinstance(ledger, RepeatedLedger)
        ledger.charge([visit(2, 1)])
        assert ledger.spent.of(1) == 3


def test_later_lines_are_those_after_a_head_or_all_but_the_terms(tmp_path):
    head = begun(tmp_path, MOMENTS, visit(1, 1), visit(2, 1), kept=1)
    found = examine(tmp_path, "example")
    assert [line.record for line in later_lines(found, head)] == [visit(2, 1)]
    assert [line.record for line in later_lines(found, None)] == [visit(1, 1), visit(2, 1)]
