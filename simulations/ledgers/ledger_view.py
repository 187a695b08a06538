"""What a person sees of a ledger: whether it holds, what it says, what it has cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from privacy.ledger.chain import WAY_OUT, Examination, Files, Head, LedgerError, examine
from privacy.ledger.listing import ledgers
from privacy.ledger.records import Charge, Record, Terms, Unknown, canonical
from privacy.ledger.totals import Spent
from privacy.statements import recomputation
from privacy.statements.recomputation import Opinions
from simulations.formats import epsilon_text

MOST_NAMED = 8
"""Devices of a charge that are named, so that it stays one line."""

UNITS = {
    "example": "one example on its device: one moment of the library",
    "device": "one whole device: everything that it ever contributed",
    "library": "one device's whole library, against any other library",
}
SOURCES = {
    "secure": "keys of the operating system: nobody can repeat the noise",
    "insecure_seeded": "the seed: whoever knows it knows the noise, so ε is not a claim",
}
GOODS = {"update": "an update", "metrics": "figures"}


def show(
    path: Path, console: Console, *, lines: bool = False, kept: Head | None = None
) -> bool:
    """Prints every ledger of a run, or the one named; returns whether all of them hold.

    One holds when it verifies, and both accountants know its ε and agree.

    Nothing is written and nothing locked, so a run may be watched while it goes on.

    Args:
        path: A run's folder, or a ledger's file.
        console: Where to.
        lines: Whether each line is explained too.
        kept: A head that was kept elsewhere, for the one ledger that ``path`` names.

    Raises:
        ValueError: There is no ledger, or ``kept`` is given for a folder.
    """
    if kept is not None and path.is_dir():
        raise ValueError(f"{path} is a folder; name the ledger whose head was kept.")
    found = ledgers(path) if path.is_dir() else [path]
    if not found:
        raise ValueError(
            f"{path} holds no ledger; name the folder of a run with privacy, such as runs/NAME."
        )
    shown = [_show(ledger, console, lines=lines, kept=kept) for ledger in found]
    return all(shown)


def explained(record: Record, terms: Terms) -> str:
    """Returns one sentence that says what a line records."""
    match record:
        case Terms():
            return f"Opens the ledger: one charge costs {record.steps} step(s) of these terms."
        case Unknown():
            return (
                f"A crash left this unreadable: counted as {record.charges} charge(s) of every "
                f"device; {record.evidence} keeps the bytes."
            )
        case Charge():
            return (
                f"Round {record.round}, attempt {record.attempt}: {_payers(record, terms)} "
                f"paid for {GOODS[record.what]} before it was handed over."
            )


def _show(path: Path, console: Console, *, lines: bool, kept: Head | None) -> bool:
    console.print(Text(path.name, style="bold"))
    try:
        found = examine(path.parent, path.name.removesuffix(".jsonl"), kept=kept)
        _check_named(path, found, kept=kept)
    except LedgerError as failure:
        print_rows(console, [("broken", str(failure))])
        return False
    counted = [("charged", _counted(found.spent, found.terms))]
    sound, cost = _cost(found)
    print_rows(console, [*_state(found), *_terms(found.terms), *counted, *cost])
    if lines:
        print_rows(console, list(_sentences(found)))
    return sound


def _check_named(path: Path, found: Examination, *, kept: Head | None) -> None:
    """Refuses a ledger of which a part is gone that the card or a line of it names.

    Raises:
        LedgerError: The head is not there or an older one, or what a crash tore is another.
    """
    files = Files(folder=path.parent, name=path.name.removesuffix(".jsonl"))
    if kept is not None and (found.head is None or found.head.count < kept.count):
        raise LedgerError(
            f"{files.head} is missing or older than the head in the card; {WAY_OUT}."
        )
    for line in found.lines:
        if isinstance(line.record, Unknown) and not _is_kept(path.parent, line.record):
            raise LedgerError(
                f"{path.parent / line.record.evidence} is missing or not what a crash tore; "
                f"{WAY_OUT}."
            )


def _is_kept(folder: Path, torn: Unknown) -> bool:
    try:
        found = (folder / torn.evidence).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(found).hexdigest() == torn.digest


def print_rows(console: Console, rows: list[tuple[str, str]]) -> None:
    """Prints names and what is said of them, in two columns under a heading."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    console.print(Padding(table, (0, 0, 1, 2)))


def _state(found: Examination) -> Iterator[tuple[str, str]]:
    yield "verified", f"{len(found.lines)} lines: each hash is that of its line and all before"
    if found.head is None:
        yield "head", "none yet: the run stopped before its first charge"
        return
    yield "head", f"{found.head.count} {found.head.hash}"
    yield "", "keep a copy elsewhere: it alone finds a ledger written anew with its head"
    beyond = len(found.lines) - found.head.count
    if beyond:
        yield "beyond head", f"{beyond} line(s), of a charge under way or a crash: they count"
    if found.unknown is not None:
        yield (
            "torn",
            f"{found.flaw}: counts as {found.unknown.charges} charge(s) of every device",
        )


def _terms(terms: Terms) -> Iterator[tuple[str, str]]:
    yield "protects", UNITS[str(terms.public.get("protects", terms.unit))]
    yield "neighbours", f"{terms.relation}: ε bounds how well two such data sets are told apart"
    yield "takes part", f"{terms.sampler}: with probability {terms.rate:g} in each step"
    if terms.cap is not None:
        yield "cap", f"{terms.cap} in one step at most"
    if terms.population is not None:
        yield "population", f"{terms.population} in all"
    yield "clip", str(terms.public.get("clip", f"{terms.clip:g}: no one adds more to a step"))
    yield "noise", f"{terms.noise_multiplier:g} × clip, on every coordinate of every step"
    yield "drawn from", SOURCES[terms.noise]
    yield "one charge", f"{terms.steps} step(s)"
    yield "code", terms.code
    if terms.public:
        yield "further", canonical(terms.public)


def _cost(found: Examination) -> tuple[bool, list[tuple[str, str]]]:
    """Whether both accountants know this ε and agree, and what they say."""
    try:
        cost = recomputation.state(found.terms, found.spent)
    except ValueError as failure:
        return False, [("ε", f"unknown: {failure}")]
    rows = [("ε worst" if cost.median else "ε", _opinions(cost.worst, delta=cost.delta))]
    if cost.median:
        rows.append(("ε median", _opinions(cost.median, delta=cost.delta)))
    if not cost.claim:
        rows.append(("", "not a claim: the draws were not secret"))
    return cost.worst.agree and (cost.median is None or cost.median.agree), rows


def _counted(spent: Spent, terms: Terms) -> str:
    unknown = f", {spent.unknown} of them unknown" if spent.unknown else ""
    if terms.unit == "device":
        return f"{spent.charges} time(s){unknown}; every device pays each time"
    return (
        f"{spent.charges} time(s){unknown}, {len(spent.visits)} device(s) named: "
        f"the most often charged {spent.most}, the middle one {spent.median}"
    )


def _opinions(both: Opinions, *, delta: float) -> str:
    verdict = "≤" if both.pld <= both.rdp else "which must not exceed"
    refuted = both.attack > both.pld
    proven = f", though an attack proves {epsilon_text(both.attack)}" if refuted else ""
    warning = "" if both.agree else f"{proven}; an accountant is wrong: rely on neither"
    return (
        f"{epsilon_text(both.pld)} by {both.by} {verdict} {epsilon_text(both.rdp)} by Rényi "
        f"accounting (δ {delta:g}, {both.charges} charge(s)){warning}"
    )


def _sentences(found: Examination) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(found.lines, start=1):
        yield f"line {number}", explained(line.record, found.terms)


def _payers(charge: Charge, terms: Terms) -> str:
    if terms.unit == "device":
        return "every device"
    if not charge.devices:
        return "no device"
    named = ", ".join(str(device) for device in charge.devices[:MOST_NAMED])
    more = ", …" if len(charge.devices) > MOST_NAMED else ""
    return f"{len(charge.devices)} device(s) ({named}{more})"
