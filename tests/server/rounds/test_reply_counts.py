"""What became of the replies of one round."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Declined, DeclineReason, RefusalReason
from server.rounds.admission import Admitted, Refused
from server.rounds.reply_counts import ReplyCounts

ADMITTED = Admitted(np.zeros(2, np.float32))
SPENT = Declined(round=1, attempt=0, reason=DeclineReason.PARTICIPATIONS_SPENT)
WEAKER = Declined(round=1, attempt=0, reason=DeclineReason.WEAKER_THAN_FLOOR)
FAILED = Refused(RefusalReason.DEVICE_FAILED)
DUPLICATE = Refused(RefusalReason.DUPLICATE)
STRANGER = Refused(RefusalReason.UNKNOWN_SENDER)
AFTER = np.float32([3, 4])


def counted(cohort, *replies):
    counts = ReplyCounts(cohort)
    for sender, verdict in replies:
        counts.count(verdict, sender=sender)
    return counts


def outcome(counts, **released):
    return counts.outcome(5, parameters=AFTER, **released)


def test_each_verdict_is_counted_under_its_reason():
    counts = counted(
        [2, 4, 6, 8, 9], (2, ADMITTED), (4, SPENT), (6, WEAKER), (8, FAILED), (9, ADMITTED)
    )
    found = outcome(counts)
    assert (found.round, found.invited, found.admitted, found.missing) == (5, 5, 2, 0)
    assert found.declined == {
        DeclineReason.PARTICIPATIONS_SPENT: 1,
        DeclineReason.WEAKER_THAN_FLOOR: 1,
    }
    assert found.refused == {RefusalReason.DEVICE_FAILED: 1}
    assert found.parameters is AFTER


def test_only_those_that_declined_are_known_not_to_have_trained():
    """One that failed, was refused or never answered may have."""
    found = outcome(counted([2, 4, 6, 8], (2, ADMITTED), (4, SPENT), (6, FAILED)))
    assert found.missing == 1
    assert found.participants == (2, 6, 8)


def test_a_stranger_is_refused_and_answers_for_nobody():
    counts = counted([2, 4], (None, STRANGER), (7, STRANGER), (2, ADMITTED))
    assert counts.answered == {2}
    found = outcome(counts)
    assert found.refused == {RefusalReason.UNKNOWN_SENDER: 2}
    assert (found.admitted, found.missing) == (1, 1)
    assert found.participants == (2, 4)


def test_a_second_answer_is_refused_and_takes_the_first_from_nobody():
    found = outcome(counted([2, 4], (2, ADMITTED), (2, DUPLICATE)))
    assert found.refused == {RefusalReason.DUPLICATE: 1}
    assert (found.admitted, found.missing) == (1, 1)


def test_a_round_without_a_reply_misses_everybody():
    found = outcome(counted([2, 4]))
    assert (found.admitted, found.missing) == (0, 2)
    assert (found.declined, found.refused, found.released) == ({}, {}, {})
    assert found.participants == (2, 4)
    assert outcome(counted([])).invited == 0


def test_further_figures_of_the_release_are_handed_on():
    assert outcome(counted([2]), released={"clip": 0.25}).released == {"clip": 0.25}


@given(st.lists(st.sampled_from([ADMITTED, SPENT, FAILED, None]), max_size=20))
def test_every_device_of_a_cohort_is_counted_once(verdicts):
    replies = [(device, one) for device, one in enumerate(verdicts) if one is not None]
    found = outcome(counted(range(len(verdicts)), *replies))
    assert found.invited == len(verdicts)
    parts = (found.admitted, found.declined.total(), found.refused.total(), found.missing)
    assert sum(parts) == found.invited
    assert len(found.participants) == found.invited - found.declined.total()
