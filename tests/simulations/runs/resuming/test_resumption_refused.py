"""Where a run goes on, and what is refused: read from folders that no run made."""

from dataclasses import replace
from functools import cache
from importlib.metadata import version

import pytest
from checkpoints import SIZE, some_checkpoint

from privacy.ledger.chain import LedgerError
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from protocol.rebuild import to_plain
from simulations.configuration.hydra_bridge import compose
from simulations.runs.checkpoints.checkpoint_folder import BEFORE, LAST, CheckpointFolder
from simulations.runs.resuming import resumption
from simulations.runs.run_folder import RunFolder

CENTRAL = (
    "privacy/example=none",
    "privacy.device.delta=1e-3",
    "privacy.device.epsilon=null",
    "privacy.device.noise_multiplier=2",
    "server.cohort=2",
    "server.rounds=6",
)
KINDS = {
    "matrix": ("privacy/device=matrix", *CENTRAL),
    "gaussian": ("privacy/device=gaussian", *CENTRAL),
    "moments": (
        "privacy.example.epsilon=null",
        "privacy.example.noise_multiplier=2",
        "server.rounds=6",
    ),
    "nothing": ("privacy/example=none", "server.rounds=6"),
}
SEEDED = "privacy.noise=insecure_seeded"


@pytest.fixture(scope="module")
def composed(tiny):
    return cache(lambda *words: compose([*tiny, *words]))


class Left:
    """A run's folder after rounds that were kept, and charges beyond."""

    def __init__(self, config, path, *, unit, kept=2, later=()):
        self.config, self.unit = config, unit
        self.protection = config.protection(devices=6)
        self.folder = RunFolder.at(path)
        self.kept = CheckpointFolder(self.folder.checkpoints)
        self.ledger = self.begun()
        for number in range(1, kept + 1):
            self.charge(number)
            self.save(number)
        for number in later:
            self.charge(number)
        if self.ledger is not None:
            self.ledger.close()

    def begun(self):
        if self.unit is None:
            return None
        mechanism = self.protection.units[self.unit].mechanism
        terms = mechanism.terms(noise=self.config.privacy.noise)
        return Ledger.create(self.folder.begin_ledgers(), self.unit, terms=terms)

    def charge(self, number):
        devices = (0, 1) if self.unit == "example" else ()
        if self.ledger is not None:
            charge = Charge(round=number, attempt=0, devices=devices, what="update")
            self.ledger.charge([charge])

    def save(self, number):
        heads = {} if self.ledger is None else {self.unit: self.ledger.head}
        config, code = to_plain(self.config), version("darkroom")
        one = some_checkpoint(number, heads=heads, config=config, code=code)
        repeatable = self.config.privacy.device.mechanism != "matrix"
        server = replace(one.server, repeatable=repeatable, ledger=heads.get("device"))
        self.kept.save(replace(one, server=server))

    def resumed(self, config=None, *, size=SIZE):
        asked = config or self.config
        return resumption.resumed(self.folder, asked, self.protection, size=size)


UNITS = {"moments": "example", "nothing": None}


@pytest.fixture
def left(composed, tmp_path):
    def left(kind, *words, **named):
        config = composed(*KINDS[kind], *words)
        return Left(config, tmp_path / "run", unit=UNITS.get(kind, "device"), **named)

    return left


def refused(run, match, **named):
    with pytest.raises(ValueError, match=match) as failure:
        run.resumed(**named)
    assert "\n" not in str(failure.value)


def damage(run, name=LAST):
    path = run.folder.checkpoints / name
    path.write_bytes(path.read_bytes()[:-1])


def test_a_lost_round_of_the_server_is_tried_again_and_taken_from_its_rounds(left):
    found = left("gaussian", later=(3, 4)).resumed()
    assert found.server.state.round == 2
    assert found.server.attempts == {3: 1, 4: 1}
    assert found.server.rounds == 4
    assert found.spent["device"].charges == 4
    assert found.sentences == (
        "charged and lost: rounds 3, 4, drawn afresh and charged again.",
    )


def test_a_run_whose_promise_is_spent_has_no_round_left(left):
    found = left("gaussian", later=(3, 3, 3, 3)).resumed()
    assert found.server.rounds == found.server.state.round == 2


def test_a_device_never_visits_more_often_than_its_ledger_says(left):
    found = left("moments", later=(3,)).resumed()
    assert [found.visits(device) for device in (0, 1, 5)] == [3, 3, 0]
    assert found.server.attempts == {3: 1}
    assert found.server.rounds == 6


def test_a_torn_charge_is_a_visit_of_every_device(left):
    run = left("moments")
    with (run.folder.ledgers / "example.jsonl").open("ab") as ledger:
        ledger.write(b'{"body"')
    found = run.resumed()
    assert [found.visits(device) for device in (0, 5)] == [3, 1]


@pytest.mark.parametrize("kind", ["gaussian", "matrix", "moments"])
def test_a_seeded_run_goes_on_as_if_nothing_had_been_charged_since(left, kind):
    found = left(kind, SEEDED, later=(3, 4)).resumed()
    assert (found.server.attempts, found.server.rounds) == ({}, 6)
    assert next(iter(found.spent.values())).charges == 2
    assert found.sentences == ()


def test_correlated_noise_may_draw_the_round_anew_that_was_never_released(left):
    found = left("matrix", later=(3,)).resumed()
    assert found.server.attempts == {3: 1}


def test_correlated_noise_never_draws_a_released_row_anew(left):
    refused(left("matrix", later=(3, 4)), "older than the ledger.*no ε is known")


@pytest.mark.parametrize("lose", [damage, lambda run: (run.folder.checkpoints / LAST).unlink()])
def test_correlated_noise_does_not_go_on_from_the_checkpoint_before_the_last(left, lose):
    run = left("matrix")
    lose(run)
    refused(run, "last.safetensors.*no ε is known")


@pytest.mark.parametrize(
    "words", [("gaussian",), ("moments",), ("matrix", SEEDED), ("nothing",)]
)
def test_of_a_damaged_last_checkpoint_the_one_before_is_used_aloud(left, words):
    run = left(*words)
    damage(run)
    found = run.resumed()
    assert found.server.state.round == 1
    assert str(run.folder.checkpoints / LAST) in found.sentences[0]
    assert "goes on from round 1" in found.sentences[0]


@pytest.mark.parametrize("kind", KINDS)
def test_where_both_checkpoints_are_damaged_nothing_goes_on(left, kind):
    run = left(kind)
    damage(run)
    damage(run, BEFORE)
    refused(run, "restore one of them")


@pytest.mark.parametrize("kind", ["gaussian", "matrix", "moments"])
def test_a_run_that_lost_all_its_checkpoints_is_not_begun_once_more(left, kind):
    run = left(kind)
    for name in (LAST, BEFORE):
        (run.folder.checkpoints / name).unlink()
    refused(run, "is missing or empty, though the run had begun")


def test_without_a_ledger_its_evaluations_say_that_a_run_had_begun(left):
    run = left("nothing", kept=0)
    assert run.resumed().checkpoint is None
    run.folder.append_metrics({"round": 0})
    refused(run, "is missing or empty, though the run had begun")


@pytest.mark.parametrize("kind", ["gaussian", "moments"])
def test_a_ledger_that_is_gone_or_cut_back_is_found_by_the_head_in_the_checkpoint(left, kind):
    run = left(kind, kept=3)
    (ledger,) = run.folder.ledgers.glob("*.jsonl")
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(LedgerError):
        run.resumed()
    ledger.unlink()
    with pytest.raises(LedgerError, match="missing"):
        run.resumed()


def test_an_edited_configuration_is_named_by_its_key(left, composed):
    run = left("gaussian")
    edited = composed(*KINDS["gaussian"], "training.lr=7")
    refused(run, r"training\.lr=7\.0 where it is 1\.0", config=edited)


def test_another_model_and_another_version_are_refused(left):
    run = left("gaussian")
    refused(run, "4 parameters of another model, where this one has 5", size=5)
    one = run.kept.load().checkpoint
    run.kept.save(replace(one, code="0.0.1"))
    refused(run, r"is of darkroom 0\.0\.1")
