"""Every byte of a ledger is the one that was written, or the place of another is named."""

import dataclasses
import hashlib
import json
import re

import numpy as np
import pytest
from ledger_disks import BATCHES, TORN, visit, whole
from ledger_terms import MOMENTS

from privacy.ledger.chain import ORIGIN, Files, Head, LedgerError, examine, pointer_of, seal
from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Unknown, to_line


def altered(data, where, generator):
    value = (data[where] + int(generator.integers(1, 256))) % 256
    return data[:where] + bytes([value]) + data[where + 1 :]


def places(data):
    """Every class of positions of a ledger: each part of a line, and the ends of lines."""
    text = data.decode()
    patterns = {
        "key": r'"(?:attempt|devices|kind|round|what|body|hash|number|rate|unit)"',
        "hash": r'(?<="hash":")[0-9a-f]{64}',
        "number": r'(?<="number":)\d+',
        "value": r"(?<=:)[\d.e-]+",
        "devices": r"\[[\d,]*\]",
        "punctuation": r"[{}:,]",
        "end of a line": r"\n",
        "anywhere": r"(?s).",
    }
    return {
        name: [i for found in re.finditer(pattern, text) for i in range(*found.span())]
        for name, pattern in patterns.items()
    }


def test_each_of_500_changed_bytes_is_found_and_its_line_named(tmp_path):
    generator = np.random.default_rng(20261)
    ledger, head = whole(tmp_path, batches=BATCHES * 7)
    good, pointer = ledger.read_bytes(), head.read_bytes()
    classes = list(places(good).values())
    assert all(classes)
    for number in range(400):
        where = int(generator.choice(classes[number % len(classes)]))
        ledger.write_bytes(altered(good, where, generator))
        line = good[:where].count(b"\n") + 1
        with pytest.raises(LedgerError, match=rf"server\.jsonl, line {line}: ") as refusal:
            Ledger.open(tmp_path, "server")
        first, last = map(int, re.search(r"bytes (\d+) to (\d+)", str(refusal.value)).groups())
        assert first <= where <= last
    ledger.write_bytes(good)
    for number in range(100):
        where = number % len(pointer)
        head.write_bytes(altered(pointer, where, generator))
        with pytest.raises(LedgerError, match=r"server\.head\.json") as refusal:
            Ledger.open(tmp_path, "server")
        cut_off = "lines were cut off" in str(refusal.value)
        assert cut_off or f"line 1: byte {where} " in str(refusal.value)
    head.write_bytes(pointer)
    assert ledger.read_bytes() == good
    Ledger.open(tmp_path, "server").close()


def test_each_of_64_truncations_below_the_head_is_found(tmp_path):
    generator = np.random.default_rng(20262)
    ledger, _ = whole(tmp_path, batches=BATCHES * 3)
    good = ledger.read_bytes()
    ends = [i + 1 for i, byte in enumerate(good[:-1]) if byte == ord("\n")]
    cuts = [0, len(good) - 1, *ends, *generator.integers(1, len(good), 64)][:64]
    for cut in cuts:
        ledger.write_bytes(good[:cut])
        with pytest.raises(LedgerError, match=r"server\.jsonl.*(line|empty).*restore"):
            Ledger.open(tmp_path, "server")
        assert ledger.stat().st_size == cut


@pytest.mark.parametrize("lost", ["server.jsonl", "server.head.json"])
def test_a_ledger_or_a_head_that_is_missing_is_named(tmp_path, lost):
    whole(tmp_path)
    (tmp_path / lost).unlink()

    with pytest.raises(LedgerError, match=rf"{lost} is missing.*restore"):
        Ledger.open(tmp_path, "server")


def test_a_ledger_and_head_written_anew_are_found_by_a_head_kept_elsewhere(tmp_path):
    (tmp_path / "forged").mkdir()
    whole(tmp_path / "forged", batches=BATCHES[:1])
    with Ledger.create(tmp_path, "server", terms=MOMENTS) as ledger:
        ledger.charge(BATCHES[0])
        kept = ledger.head
        ledger.charge(BATCHES[1])
    Ledger.open(tmp_path, "server", kept=kept).close()
    for longer in (dataclasses.replace(kept, count=9), dataclasses.replace(kept, count=1)):
        with pytest.raises(LedgerError, match=rf"head was kept at line {longer.count}"):
            Ledger.open(tmp_path, "server", kept=longer)
    with pytest.raises(LedgerError, match="head was kept at line 9"):
        examine(tmp_path / "forged", "server", kept=dataclasses.replace(kept, count=9))


def test_the_chain_is_the_hash_of_the_hash_before_and_the_body(tmp_path):
    ledger, head = whole(tmp_path, batches=BATCHES[:1])
    previous = "0" * 64
    for number, text in enumerate(ledger.read_text().splitlines(), start=1):
        line = json.loads(text)
        record = [MOMENTS, BATCHES[0][0]][number - 1]
        body = to_line(record)
        previous = hashlib.sha256((previous + body).encode()).hexdigest()
        assert line == {"body": json.loads(body), "hash": previous, "number": number}
    assert json.loads(head.read_text()) == {"count": 2, "hash": previous}


@pytest.mark.parametrize(("count", "digest"), [(0, "0" * 64), (True, "0" * 64), (1, "0")])
def test_what_is_no_head_is_refused(count, digest):
    with pytest.raises(LedgerError, match="not the head of a ledger"):
        Head(count, digest)


def sealed(*records):
    """The lines of these records, each sealed behind the one before it."""
    lines, previous = [], ORIGIN
    for number, record in enumerate(records, start=1):
        previous, line = seal(record, number=number, previous=previous)
        lines.append(line)
    return b"".join(lines), Head(len(records), previous)


@pytest.mark.parametrize(
    ("records", "line"), [((visit(1, 1), MOMENTS), 1), ((MOMENTS, visit(1, 1), MOMENTS), 3)]
)
def test_terms_stand_in_the_first_line_and_only_there(tmp_path, records, line):
    lines, head = sealed(*records)
    (tmp_path / "server.jsonl").write_bytes(lines)
    (tmp_path / "server.head.json").write_bytes(pointer_of(head))

    with pytest.raises(LedgerError, match=rf"line {line}: the terms stand in the first line"):
        examine(tmp_path, "server")


@pytest.mark.parametrize("change", [0, 1])
def test_a_line_out_of_its_place_is_not_of_the_chain(tmp_path, change):
    """Two charges in the other order, and the second of them twice."""
    lines, head = sealed(MOMENTS, visit(1, 1), visit(2, 2))
    first, one, two = lines.splitlines(keepends=True)
    (tmp_path / "server.jsonl").write_bytes(first + two + (one, two)[change])
    (tmp_path / "server.head.json").write_bytes(pointer_of(head))

    with pytest.raises(LedgerError, match=r"line 2: it is not what the hash chain was made of"):
        examine(tmp_path, "server")


def test_an_examination_says_what_there_is_and_writes_nothing(tmp_path):
    ledger, head = whole(tmp_path)
    good = ledger.read_bytes()
    Disk().append(ledger, TORN)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    found = examine(tmp_path, "server")

    assert found.terms == MOMENTS
    assert [line.record for line in found.lines[1:]] == [
        one for some in BATCHES for one in some
    ]
    assert (found.verified, found.torn) == (good, TORN)
    assert found.head == found.end
    assert pointer_of(found.end) == head.read_bytes()
    assert found.unknown == Unknown(
        charges=1, evidence="server.torn-1", digest=hashlib.sha256(TORN).hexdigest()
    )
    first, last = len(good), len(good) + len(TORN) - 1
    assert found.flaw == f"line 6: it has no end (bytes {first} to {last})"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_lines_begin_where_the_one_before_them_ends(tmp_path):
    ledger, _ = whole(tmp_path)
    found = examine(tmp_path, "server").lines
    ends = [0, *(line.end for line in found)]

    assert [line.first for line in found] == ends[:-1]
    assert ends[-1] == ledger.stat().st_size


def test_a_ledger_just_begun_needs_no_head_and_one_that_was_charged_does(tmp_path):
    """A crash may come between the first line and the first head, and nowhere later."""
    begun, _ = sealed(MOMENTS)
    (tmp_path / "server.jsonl").write_bytes(begun)
    found = examine(tmp_path, "server")
    assert found.head is None
    assert found.end.count == 1

    charged, _ = sealed(MOMENTS, visit(1, 1))
    (tmp_path / "server.jsonl").write_bytes(charged)
    with pytest.raises(LedgerError, match=r"server\.head\.json is missing or empty"):
        examine(tmp_path, "server")


def test_what_a_crash_left_has_one_name_however_often_it_is_looked_at(tmp_path):
    files = Files(folder=tmp_path, name="server")
    assert files.evidence(b"{").name == "server.torn-1"
    (tmp_path / "server.torn-1").write_bytes(b"{")

    assert files.evidence(b"{").name == "server.torn-1"
    assert files.evidence(b'{"b').name == "server.torn-2"


def test_a_ledger_that_cannot_be_read_is_named_with_why(tmp_path):
    (tmp_path / "server.jsonl").mkdir()
    with pytest.raises(LedgerError, match=r"server\.jsonl cannot be read: Is a directory"):
        examine(tmp_path, "server")
