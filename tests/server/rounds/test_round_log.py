import hashlib
import logging
from collections import Counter

import numpy as np
import pytest

from protocol.messages import DeclineReason, RefusalReason
from server.rounds.outcome import RoundObserver, RoundOutcome
from server.rounds.round_log import RoundLog


def outcome(admitted):
    return RoundOutcome(
        round=2,
        parameters=np.float32([3, 4]),
        invited=6,
        admitted=admitted,
        declined=Counter({DeclineReason.PARTICIPATIONS_SPENT: 1}),
        refused=Counter({RefusalReason.NORM: 1, RefusalReason.NOT_FINITE: 1}),
        missing=1,
        participants=(0, 1, 2, 3, 4),
        released={"clip": 0.25},
    )


def lines(caplog, admitted, *, counts=True):
    caplog.set_level(logging.INFO, logger="flwr.darkroom")
    logging.getLogger("flwr.darkroom").addHandler(caplog.handler)
    try:
        RoundLog(3, counts=counts).closed(outcome(admitted))
    finally:
        logging.getLogger("flwr.darkroom").removeHandler(caplog.handler)
    return {record.getMessage() for record in caplog.records}


def test_a_round_is_one_line_of_counts_with_the_released_vector(caplog):
    digest = hashlib.sha256(np.float32([3, 4]).tobytes()).hexdigest()
    assert lines(caplog, 2) == {
        "darkroom: round 2 of 3 released, 2 of 6 updates admitted, 1 declined (1 × "
        "participations spent), 2 refused (1 × norm above the public bound; 1 × not finite), "
        f"1 missing, clip 0.25, sha256 {digest}, norm 5"
    }


def test_a_round_without_a_release_says_so(caplog):
    (line,) = lines(caplog, 0)
    assert "round 2 of 3 released nothing, 0 of 6" in line


@pytest.mark.parametrize("admitted", [0, 2])
def test_where_devices_are_protected_nothing_is_counted(caplog, admitted):
    digest = hashlib.sha256(np.float32([3, 4]).tobytes()).hexdigest()
    assert lines(caplog, admitted, counts=False) == {
        f"darkroom: round 2 of 3 released, clip 0.25, sha256 {digest}, norm 5"
    }


@pytest.mark.parametrize("ledger", [True, False])
def test_the_promise_is_reported_and_that_no_ledger_is_kept(caplog, ledger):
    caplog.set_level(logging.INFO, logger="flwr.darkroom")
    logging.getLogger("flwr.darkroom").addHandler(caplog.handler)
    try:
        RoundLog(3).promised(2.0, delta=1e-4, ledger=ledger)
    finally:
        logging.getLogger("flwr.darkroom").removeHandler(caplog.handler)
    text = caplog.text
    assert "ε ≤ 2 at δ = 0.0001 for each device's whole library" in text
    assert ("no ledger is kept" in text) is not ledger


def test_a_round_log_is_an_observer():
    assert isinstance(RoundLog(1), RoundObserver)
