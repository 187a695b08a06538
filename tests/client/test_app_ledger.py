"""The device's own ledger, as its app charges it: before training, once, by either way in."""

from dataclasses import replace

import pytest

from client import app as module
from client.app import FAILED, train_cohort
from client.consent.device_ledger import DeviceLedger
from privacy.ledger.chain import examine
from protocol.messages import DeclineReason, Update


def ledgers(folder):
    return sorted(folder.rglob("*.jsonl"))


def recorded(folder, device):
    """The visits that the one ledger in ``folder`` alone says."""
    (path,) = ledgers(folder)
    return examine(path.parent, path.stem).spent.of(device)


def test_a_restart_without_any_state_does_not_renew_the_budget(
    libraries, node, tmp_path, answer
):
    text, task = node.booked(), node.task()
    task = replace(task, terms=replace(task.terms, max_participations=0))
    for number in (1, 2):
        own = node.context(0, text, ledger=str(tmp_path))
        assert isinstance(node.found(answer(task, own), task), Update)
        assert own.state["device"]["participations"] == number
    own = node.context(0, text, ledger=str(tmp_path))
    assert node.declined_as(answer(task, own), DeclineReason.BUDGET_SPENT)
    assert recorded(tmp_path, 0) == 2
    assert isinstance(
        node.found(answer(task, node.context(1, text, ledger=str(tmp_path))), task), Update
    )


def test_a_visit_is_charged_before_it_is_trained_and_then_sent(
    libraries, node, tmp_path, monkeypatch, answer
):
    happened, charge = [], DeviceLedger.charge

    def charges(ledger, task, *, visits):
        charge(ledger, task, visits=visits)
        happened.append("charged")

    def library(device, library=libraries.library):
        happened.append("trained")
        return library(device)

    def encodes(update, encode=module.encode_update):
        happened.append("sent")
        return encode(update)

    monkeypatch.setattr(DeviceLedger, "charge", charges)
    monkeypatch.setattr(libraries, "library", library)
    monkeypatch.setattr(module, "encode_update", encodes)
    answer(node.task(), node.context(0, node.booked(), ledger=str(tmp_path)))
    assert happened == ["charged", "trained", "sent"]


def test_a_process_that_dies_between_charge_and_reply_has_spent_the_visit(
    libraries, node, tmp_path, monkeypatch, answer
):
    text, task = node.booked(), node.task()

    def dies(update):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "encode_update", dies)
        with pytest.raises(KeyboardInterrupt):
            answer(task, node.context(0, text, ledger=str(tmp_path)))
    assert recorded(tmp_path, 0) == 1
    again = node.context(0, text, ledger=str(tmp_path))
    assert isinstance(node.found(answer(task, again), task), Update)
    assert again.state["device"]["participations"] == 2


def test_a_visit_without_a_library_that_can_be_read_counts_like_any_other(
    libraries, node, tmp_path, answer
):
    own, task = node.context(9, node.booked(), ledger=str(tmp_path)), node.task()
    assert isinstance(node.found(answer(task, own), task), Update)
    assert recorded(tmp_path, 9) == 1


def test_a_visit_that_is_trained_again_alone_is_charged_once(libraries, node, tmp_path):
    task, text = node.task(), node.booked()
    owns = [node.context(device, text, ledger=str(tmp_path)) for device in (0, 9, 1)]

    def nowhere(devices, given, frozen):
        raise RuntimeError(node.secret)

    replies = train_cohort(node.asked(task, owns), together=nowhere)
    assert not any(one.has_error() for one in replies)
    assert [recorded(tmp_path, device) for device in (0, 9, 1)] == [1, 1, 1]
    replies = train_cohort(node.asked(task, [owns[0]] * 2))
    assert isinstance(node.found(replies[0], task), Update)
    assert node.declined_as(replies[1], DeclineReason.PARTICIPATIONS_SPENT)
    assert recorded(tmp_path, 0) == 2


def test_a_ledger_begun_late_counts_what_the_state_remembers(libraries, node, tmp_path, answer):
    text, task, own = node.booked(), node.task(), node.context(0, node.booked())
    answer(task, own)
    own.node_config["ledger"] = str(tmp_path)
    assert isinstance(node.found(answer(task, own), task), Update)
    assert recorded(tmp_path, 0) == 2
    restarted = node.context(0, text, ledger=str(tmp_path))
    assert node.declined_as(answer(task, restarted), DeclineReason.PARTICIPATIONS_SPENT)


def test_a_device_whose_ledger_is_damaged_trains_nothing_and_its_log_alone_says_why(
    libraries, node, tmp_path, caplog, answer
):
    text, task = node.booked(), node.task()
    answer(task, node.context(0, text, ledger=str(tmp_path)))
    (path,) = ledgers(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"round":1', b'"round":7'))
    kept, asked_before = path.read_bytes(), len(libraries.asked)
    own = node.context(0, text, ledger=str(tmp_path))
    message = answer(task, own)
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert f"takes part in nothing: {path}, line 2" in caplog.text
    assert len(libraries.asked) == asked_before
    assert path.read_bytes() == kept
    assert not len(own.state)


def test_a_device_whose_ledger_has_no_folder_trains_nothing(
    libraries, node, tmp_path, caplog, answer
):
    own = node.context(0, node.booked(), ledger=str(tmp_path / "missing"))
    message = answer(node.task(), own)
    assert (message.error.code, message.error.reason) == (FAILED, "device failed")
    assert "must be the absolute path of a folder" in caplog.text
    assert not libraries.asked
    assert not len(own.state)
    assert not list(tmp_path.iterdir())


def test_a_damaged_ledger_of_one_device_disturbs_no_other(libraries, node, tmp_path):
    task, text = node.task(), node.booked()
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    owns = [node.context(number, text, ledger=str(own)) for number, own in enumerate(folders)]
    train_cohort(node.asked(task, owns))
    (path,) = ledgers(folders[0])
    path.write_bytes(path.read_bytes()[:-9])
    first, second = train_cohort(node.asked(task, owns))
    assert first.has_error()
    assert isinstance(node.found(second, task), Update)
    assert recorded(folders[1], 1) == 2


def test_a_task_that_is_declined_writes_nothing(libraries, node, tmp_path, answer):
    task = node.task()
    weak = replace(task, terms=replace(task.terms, noise_multiplier=0.5))
    other = "0" * 64
    for given, policy in ((weak, {}), (task, {"config_digest": other})):
        own = node.context(0, node.booked(), ledger=str(tmp_path), **policy)
        assert set(answer(given, own).content) == {"scalars"}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("most", "agrees"), [(9, True), (6, False)])
def test_an_operators_epsilon_holds_over_configurations(
    libraries, node, tmp_path, answer, most, agrees
):
    """A visit is a Gaussian of one clip: ε = 4.4 at δ = 1e-5, and 6.6 for two of them."""
    task = node.task()
    for rounds, good in ((8, True), (9, agrees)):
        text = node.booked(noise="secure").replace('"rounds": 8', f'"rounds": {rounds}')
        own = node.context(0, text, ledger=str(tmp_path), max_epsilon=most)
        message = answer(task, own)
        if good:
            assert isinstance(node.found(message, task), Update)
        else:
            assert node.declined_as(message, DeclineReason.BUDGET_SPENT)
            assert len(ledgers(tmp_path)) == 1


def test_without_the_key_nothing_is_written(libraries, node, tmp_path, monkeypatch, answer):
    monkeypatch.chdir(tmp_path)
    task = node.task()
    own = node.context(0, node.booked())
    assert isinstance(node.found(answer(task, own), task), Update)
    assert not list(tmp_path.iterdir())
