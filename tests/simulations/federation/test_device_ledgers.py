"""What a visit costs is charged before any reply of it is handed over."""

import json

import pytest
from flwr.app import Error, Message, RecordDict

from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.records import Charge
from protocol.codec import encode_declined
from protocol.messages import Declined, DeclineReason
from server.rounds.directory import RangeDirectory
from simulations.configuration.hydra_bridge import compose
from simulations.federation import device_ledgers, flower_internals
from simulations.federation.device_ledgers import NO_LEDGERS, DeviceLedgers

FIRST_NODE = 100
DIRECTORY = RangeDirectory(FIRST_NODE, 10)


class Kept:
    """A ledger that remembers."""

    def __init__(self):
        self.charges = []
        self.closed = False

    def charge(self, charges):
        assert not self.closed
        self.charges += charges

    def close(self):
        self.closed = True


@pytest.fixture
def asked():
    """Asks a device, which trains, declines or fails: its message and its reply."""
    flower_internals.identify(1)

    def asked(device, *, group="3.2", kind="train", answer="trains"):
        message = Message(RecordDict(), FIRST_NODE + device, kind, group_id=group)
        flower_internals.number(message, f"message-{device}")
        if answer == "fails":
            return message, Message(Error(1, "device failed"), reply_to=message)
        declined = Declined(round=3, attempt=2, reason=DeclineReason.PARTICIPATIONS_SPENT)
        content = encode_declined(declined) if answer == "declines" else RecordDict()
        return message, Message(content, reply_to=message)

    return asked


def charged(*visits):
    ledgers = Kept(), Kept()
    messages, replies = zip(*visits, strict=True)
    DeviceLedgers(ledgers).charge(messages, replies, directory=DIRECTORY)
    assert ledgers[0].charges == ledgers[1].charges
    return ledgers[0].charges


def test_visits_are_charged_before_a_reply_is_handed_over(simulated, tmp_path, monkeypatch):
    def full(*_, **__):
        raise LedgerError("the disk is full")

    monkeypatch.setattr(device_ledgers.Ledger, "charge", full)
    with pytest.raises(LedgerError):
        simulated(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "private" / "summary.json").read_text())["round"] == 0


def test_the_visits_of_a_part_are_one_charge_of_every_unit(asked):
    charge = Charge(round=3, attempt=2, devices=(4, 1, 9), what="update")
    assert charged(asked(4), asked(1), asked(9)) == [charge]


def test_a_device_that_failed_is_charged_and_one_that_declined_is_not(asked):
    visits = (asked(4, answer="fails"), asked(1, answer="declines"), asked(9))
    (charge,) = charged(*visits)
    assert charge.devices == (4, 9)


@pytest.mark.parametrize("answer", ["declines", "trains"])
def test_where_nobody_trained_nothing_is_charged(asked, answer):
    kind = "train" if answer == "declines" else "evaluate"
    assert charged(asked(4, kind=kind, answer=answer), asked(1, kind=kind, answer=answer)) == []


def test_whatever_ends_a_run_closes_its_ledgers():
    ledger = Kept()
    with pytest.raises(KeyboardInterrupt), DeviceLedgers([ledger]):
        raise KeyboardInterrupt
    assert ledger.closed


@pytest.mark.parametrize(
    ("words", "units"),
    [
        (("privacy/device=none",), {"example"}),
        (("privacy/device=gaussian",), {"example"}),
        (("privacy/device=local",), {"example", "device"}),
        (("privacy/device=local", "privacy/example=none"), {"device"}),
        (("privacy/device=gaussian", "privacy/example=none"), set()),
    ],
)
def test_devices_pay_for_what_they_protect_themselves(tmp_path, words, units):
    protection = compose(words).protection(devices=120)
    with device_ledgers.device_ledgers(protection, tmp_path, noise="secure"):
        assert {file.stem for file in tmp_path.glob("*.jsonl")} == units
    for unit in units:
        terms = examine(tmp_path, unit).terms
        mechanism = protection.units[unit].mechanism
        assert terms == mechanism.terms(noise="secure")


def test_without_a_folder_there_is_no_ledger(asked):
    protection = compose([]).protection(devices=120)
    assert device_ledgers.device_ledgers(protection, None, noise="secure") is NO_LEDGERS
    message, reply = asked(1)
    NO_LEDGERS.charge([message], [reply], directory=DIRECTORY)
