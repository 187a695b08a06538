"""What a recorder keeps of a run, and which release it gives back of one that ends early."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

from privacy.ledger.totals import Spent
from server.rounds.outcome import RoundOutcome
from simulations.privacy.spending import EpsilonSpent
from simulations.runs.checkpoints.keeper import Forgets
from simulations.runs.recorder import Recorder, Silence

START = np.float32([0, 0])
BAD = 666.0


class Judge:
    """Gives the first parameter as the figures; a bad one orders no photos."""

    start = START

    def figures(self, parameters):
        if parameters[0] == BAD:
            raise ValueError("every score is the same.")
        return float(parameters[0])


@dataclass
class Visits:
    """Spends 1 for each round of a device."""

    rounds: int = 0
    charged: list = field(default_factory=list)

    def charge(self, participants):
        self.rounds += 1

    def follow(self, spent):
        self.rounds = spent.charges

    def spent(self):
        self.charged.append(self.rounds)
        return EpsilonSpent


@pytest.fixture
def visits():
    return Visits()


@pytest.fixture
def recorder(visits):
    begun = Recorder(
        judge=Judge(), every=2, rounds=4, spending={"example": visits}, audience=Silence()
    )
    begun.begin()
    return begun


def play(recorder, number, first, *, state=None):
    recorder.started(number, cohort=3)
    recorder.closed(
        RoundOutcome(
            round=number,
            parameters=np.float32([first, 1]),
            invited=3,
            admitted=2,
            declined=Counter(),
            refused=Counter(),
            missing=1,
            participants=(0, 1, 2),
            state=state,
        )
    )


def rows(recorder):
    return [(row.round, row.figures, row.invited, row.missing) for row in recorder.rows]


def test_releases_are_judged_when_they_are_due_and_counts_are_of_all_rounds_between(recorder):
    for number in (1, 2, 3, 4):
        play(recorder, number, 10.0 * number)
    assert rows(recorder) == [(0, 0.0, 0, 0), (2, 20.0, 6, 2), (4, 40.0, 6, 2)]


def test_a_run_that_stops_before_its_first_round_keeps_what_it_began_with(recorder):
    assert recorder.stop() is START
    assert len(recorder.rows) == 1


def test_the_last_release_is_judged_and_kept_of_a_run_that_stops(recorder):
    for number in (1, 2, 3):
        play(recorder, number, 10.0 * number)
    assert recorder.stop().tolist() == [30, 1]
    assert rows(recorder)[-1] == (3, 30.0, 3, 1)


def test_of_a_round_under_way_the_release_before_it_is_kept_and_no_row_is_written_twice(
    recorder, visits
):
    play(recorder, 1, 10.0)
    play(recorder, 2, 20.0)
    recorder.started(3, cohort=3)
    assert recorder.stop().tolist() == [20, 1]
    assert [row[:2] for row in rows(recorder)] == [(0, 0.0), (2, 20.0)]


def test_what_is_spent_is_what_the_ledgers_say_once_they_are_asked(recorder, visits):
    play(recorder, 1, 10.0)
    recorder.settle({"example": Spent(charges=7, visits={})})
    recorder.spent()
    assert visits.charged[-1] == 7


def test_a_release_that_orders_no_photos_ends_the_run_and_the_one_judged_last_is_kept(recorder):
    play(recorder, 1, 10.0)
    play(recorder, 2, 20.0)
    play(recorder, 3, 30.0)
    with pytest.raises(ValueError, match=r"round 4 diverged.*server\.optimizer\.lr"):
        play(recorder, 4, BAD)
    assert recorder.stop().tolist() == [20, 1]
    assert (recorder.round, rows(recorder)[-1][:2]) == (2, (2, 20.0))


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError])
def test_a_round_that_was_not_kept_is_not_released(visits, end):
    class Full(Forgets):
        def keep(self, state, progress):
            if state() == 2:
                raise end

    recorder = Recorder(
        judge=Judge(),
        every=1,
        rounds=4,
        spending={"example": visits},
        audience=Silence(),
        keeper=Full(),
    )
    recorder.begin()
    play(recorder, 1, 10.0, state=lambda: 1)
    with pytest.raises(end):
        play(recorder, 2, 20.0, state=lambda: 2)
    assert recorder.stop().tolist() == [10, 1]
    assert [row[:2] for row in rows(recorder)] == [(0, 0.0), (1, 10.0)]


def test_of_a_run_that_stops_at_such_a_release_the_one_judged_last_is_kept(recorder):
    play(recorder, 1, BAD)
    assert recorder.stop() is START
    assert (recorder.round, rows(recorder)[-1][:2]) == (0, (0, 0.0))


def test_a_release_that_is_not_finite_is_never_kept(recorder):
    play(recorder, 1, 10.0)
    with pytest.raises(ValueError, match="round 2 diverged: its parameters are not finite"):
        play(recorder, 2, np.inf)
    assert recorder.stop().tolist() == [10, 1]
