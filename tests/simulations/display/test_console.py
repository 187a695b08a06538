"""The table of a run, line by line, and its live line where there is a terminal."""

import io

import pytest
from rich.console import Console

from simulations.display.console import COLUMNS, Screen
from simulations.privacy.spending import EpsilonSpent
from simulations.runs.recorder import MetricsRow

WIDTH = sum(width for _, width in COLUMNS)


@pytest.fixture
def row(figures_of):
    def row(number, *, spent=None, **changes):
        counts = {"invited": 40, "admitted": 36, "missing": 1, "declined": {}, "refused": {}}
        return MetricsRow(
            round=number,
            figures=figures_of(0.6, 0.7),
            spent=spent or {},
            **(counts | changes),
        )

    return row


def spent(worst):
    return EpsilonSpent(worst=worst, median=0.0, ceiling=9.0, delta=1e-5, claim=True)


def last(screen):
    return screen.file.getvalue().splitlines()[-1]


def test_a_row_stands_under_its_headings(screen, row):
    with Screen(screen, rounds=8) as shown:
        shown.heading()
        shown.evaluated(
            row(3, refused={"too long": 2, "not finite": 1}, spent={"device": spent(1.234)})
        )
    heading, line = screen.file.getvalue().splitlines()
    assert len(heading) == len(line) == WIDTH <= 80
    # (0.2 + 0.4) / 2 of the way from a random order to the best.
    assert line.split() == ["3", "36/40", "3", "1.500", "30.0", "25.0", "none", "1.24"]
    ends = [heading.index(name) + len(name) for name, _ in COLUMNS]
    assert all(line[end - 1] != " " for end in ends)


def test_before_training_nobody_was_asked(screen, row):
    Screen(screen, rounds=8).evaluated(row(0, invited=0, admitted=0))
    assert last(screen).split()[:2] == ["0", "–"]


def test_a_run_with_a_title_has_no_table_of_its_own(screen, row):
    Screen(screen, rounds=8, title="without privacy, ").evaluated(row(1))
    assert screen.file.getvalue() == ""


def test_an_epsilon_without_bound_is_reported(screen, row):
    Screen(screen, rounds=8).evaluated(row(1, spent={"example": spent(float("inf"))}))
    assert last(screen).split()[-2:] == ["∞", "none"]


def test_the_live_line_says_round_and_devices_and_is_gone_after_an_interrupt():
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True)
    screen = Screen(terminal, rounds=8, title="without privacy, ")

    def interrupted():
        with screen:
            screen.started(3, cohort=40)
            screen.replied()
            screen._progress.refresh()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    said = terminal.file.getvalue()
    assert "without privacy, round 3 of 8" in said
    assert "1/40 devices" in said
    assert screen._progress.live.is_started is False


def test_where_there_is_no_terminal_there_is_no_live_line(screen):
    with Screen(screen, rounds=8) as shown:
        shown.started(1, cohort=2)
        shown.replied()
    assert screen.file.getvalue().strip() == ""
