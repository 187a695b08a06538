"""Every part of a run and every change to it is verified by `darkroom ledger`, or named."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from privacy.ledger.chain import Head, pointer_of
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, to_line
from privacy.statements import recomputation
from simulations.configuration.hydra_bridge import compose
from simulations.ledgers.run_ledger import show_run
from simulations.runs import run_parts
from simulations.simulate import simulate
from simulations.studies import search

TINY = (
    "photos.devices=6",
    "photos.held_out_devices=2",
    "photos.side=16",
    "ranking=linear",
    "ranking.weights=null",
    "server.cohort=6",
    "training.steps=1",
    "privacy/device=gaussian",
    "privacy.device.delta=1e-3",
    "privacy.example.epsilon=null",
    "privacy.example.noise_multiplier=2",
    "privacy.device.epsilon=null",
    "privacy.device.noise_multiplier=2",
    "simulation.reference=false",
)
LEDGERS = tuple(
    f"private/ledger/{unit}.{kind}"
    for unit in ("example", "device")
    for kind in ("jsonl", "head.json")
)
PARTS = (*run_parts.of_run(shared=True), run_parts.PARTS, *LEDGERS)
computed = {}
END = ("public", "private/parts.json", "private/summary.json", "private/privacy.json")


def simulated(folder, *words):
    words = [*TINY, f"simulation.runs={folder}", *words]
    assert simulate(compose(words), overrides=words) == 0
    return sorted(folder.iterdir())[-1]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The ε of the same charges is computed once: it is not what these tests ask for."""
    compute = recomputation.opinions

    def opinions(terms, charges, **named):
        key = (to_line(terms), charges)
        if key not in computed:
            computed[key] = compute(terms, charges, **named)
        return computed[key]

    monkeypatch.setattr(recomputation, "opinions", opinions)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("runs"), "server.rounds=2")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("others"), "server.rounds=1", "training.steps=2")


@pytest.fixture
def run(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "run"))


def shown(path):
    """Whether it holds, and all that was said, a refusal too."""
    screen = io.StringIO()
    try:
        holds = show_run(path, Console(file=screen, width=1000), lines=False)
    except ValueError as failure:
        return False, f"{screen.getvalue()}{failure}"
    return holds, screen.getvalue()


def files_of(run):
    return {
        str(path.relative_to(run))
        for path in run.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_a_run_holds_and_has_no_file_beyond_its_parts(run):
    holds, said = shown(run)
    assert holds
    assert "every file that the run left" in said
    assert files_of(run) == set(PARTS)


def _deleted(run, name, other):
    (run / name).unlink()


def _emptied(run, name, other):
    (run / name).write_bytes(b"")


def _cut(run, name, other):
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: len(content) // 2])


def _edited(run, name, other):
    content = (run / name).read_bytes()
    place = len(content) // 2
    (run / name).write_bytes(
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    )


def _spaced(run, name, other):
    (run / name).write_bytes((run / name).read_bytes() + b" ")


def _of_another_run(run, name, other):
    shutil.copy(other / name, run / name)


def _in_the_way(run, name, other):
    (run / name).unlink()
    (run / name).mkdir()


def _dangling(run, name, other):
    (run / name).unlink()
    (run / name).symlink_to("nowhere")


CHANGES = (_deleted, _emptied, _cut, _edited, _spaced, _of_another_run, _in_the_way, _dangling)
SAME_FOR_ALL_RUNS = "private/environment.json"


CASES = [(change, name) for change in CHANGES for name in PARTS]
CASES.remove((_of_another_run, SAME_FOR_ALL_RUNS))


@pytest.mark.parametrize(("change", "name"), CASES)
def test_a_part_that_is_changed_is_named(run, other, name, change):
    change(run, name, other)
    holds, said = shown(run)
    if change is _spaced and name.endswith(".jsonl") and "ledger" in name:
        # Bytes beyond the head are what a crash leaves: they count as a charge.
        assert holds
        assert "counts as 1 charge(s) of every device" in said
        return
    assert not holds
    # Where a ledger and its head differ, one of the two is named by its whole path.
    assert str(run / name) in said or ("ledger" in name and Path(name).name in said)


def _without(*names):
    def change(run, other):
        for name in names:
            path = run / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def _whole_ledger_of_another(run, other):
    for name in LEDGERS[:2]:
        shutil.copy(other / name, run / name)


def _older(run, other):
    """Cut back to the line before the last, with the head that it had then."""
    ledger = run / "private/ledger/device.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)[:-1]
    ledger.write_bytes(b"".join(lines))
    head = Head(len(lines), json.loads(lines[-1])["hash"])
    (run / "private/ledger/device.head.json").write_bytes(pointer_of(head))


def _half_of_another(half):
    def change(run, other):
        shutil.rmtree(run / half)
        shutil.copytree(other / half, run / half)

    return change


def _ledger_of_nothing(run, other):
    shutil.copy(run / LEDGERS[0], run / "private/ledger/album.jsonl")
    shutil.copy(run / LEDGERS[1], run / "private/ledger/album.head.json")


def _resealed_without_the_model(run, other):
    parts = run / run_parts.PARTS
    named = json.loads(parts.read_text())
    del named["public/model.safetensors"]
    parts.write_text(json.dumps(named, sort_keys=True, separators=(",", ":")) + "\n")


def _model_of_another_beside(run, other):
    shutil.copy(other / "public/model.safetensors", run / "private/model.safetensors")


def _torn_evidence_lost(run, other):
    ledger = run / LEDGERS[0]
    ledger.write_bytes(ledger.read_bytes() + b'{"body":')
    Ledger.open(ledger.parent, "example").close()
    (ledger.parent / "example.torn-1").unlink()


SEVERAL = {
    "a unit's ledger and its head": (_without(*LEDGERS[2:]), "device.jsonl"),
    "the other unit's": (_without(*LEDGERS[:2]), "example.jsonl"),
    "all ledgers": (_without("private/ledger"), "device.jsonl"),
    "ledgers and card": (_without("private/ledger", "private/privacy.json"), "privacy.json"),
    "both cards": (_without("private/privacy.json", "public/privacy.json"), "privacy.json"),
    "the public half": (_without("public"), "public/config.yaml"),
    "the private half": (_without("private"), "private/parts.json"),
    "a ledger of another run with its head": (_whole_ledger_of_another, "example.jsonl"),
    "an older ledger with its head": (_older, "device.jsonl"),
    "the public half of another run": (_half_of_another("public"), "public/privacy.json"),
    "the private half of another run": (_half_of_another("private"), "public/privacy.json"),
    "the ledgers of another run": (_half_of_another("private/ledger"), "example.jsonl"),
    "a ledger more": (_ledger_of_nothing, "album.jsonl"),
    "a list of fewer parts": (_resealed_without_the_model, "parts.json"),
    "a second model": (_model_of_another_beside, "private/model.safetensors"),
    "what a crash tore": (_torn_evidence_lost, "example.torn-1"),
}


@pytest.mark.parametrize("change", SEVERAL)
def test_parts_that_are_changed_together_are_named(run, other, change):
    does, named = SEVERAL[change]
    does(run, other)
    holds, said = shown(run)
    assert not holds
    assert named in said


def unfinished(run):
    _without(*END)(run, None)
    return run


def test_a_run_that_crashed_before_its_card_is_readable_and_says_so(run):
    holds, said = shown(unfinished(run))
    assert holds
    assert "this run goes on, or crashed before its end: no card is there" in said
    assert said.count("ε ") >= 2


@pytest.mark.parametrize("lost", LEDGERS)
@pytest.mark.parametrize("change", [_deleted, _emptied, _edited, _in_the_way])
def test_also_of_a_crashed_run_no_part_of_a_ledger_is_missed(run, other, lost, change):
    change(unfinished(run), lost, other)
    holds, said = shown(run)
    assert not holds
    assert Path(lost).name in said


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        (LEDGERS[2:], "device.jsonl is missing"),
        (("private/ledger",), "example.jsonl is missing"),
        (("private/config.yaml",), "config.yaml is missing"),
    ],
)
def test_the_settings_of_a_crashed_run_say_which_ledgers_it_has(run, lost, named):
    _without(*lost)(unfinished(run), None)
    holds, said = shown(run)
    assert not holds
    assert named in said


def test_a_charge_of_a_run_under_way_is_shown(run):
    with Ledger.open(unfinished(run) / "private/ledger", "device") as ledger:
        ledger.charge([Charge(round=3, attempt=1, devices=(), what="update")])
        holds, said = shown(run)
    assert holds
    assert "3 time(s); every device pays each time" in said


def test_a_public_half_alone_and_a_study_are_named_for_what_they_are(run, tmp_path):
    assert "public is what may be shared and holds no ledger" in shown(run / "public")[1]
    (tmp_path / "study" / "private").mkdir(parents=True)
    (tmp_path / "study" / "private" / "study.json").write_text("{}")
    assert "is a study; name a run in it" in shown(tmp_path / "study")[1]


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searches")
    words = ("server.rounds=1", "study=search", "seed=1", "name=find")
    arms = ('+study.arms.slow=["training.lr=0.1"]', '+study.arms.quick=["training.lr=1"]')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "drawn", lambda *_, **__: ["slow", "quick"])
        return simulated(folder, *words, *arms)


@pytest.fixture
def found(searched, tmp_path):
    return Path(shutil.copytree(searched, tmp_path / "found"))


OF_SEARCH = run_parts.of_search(2, shared=True)


def test_a_search_holds_and_shares_its_best_trial_alone(found):
    holds, said = shown(found)
    assert holds
    assert said.count("every file that the run left") == 3
    assert {file.name for file in (found / "public").iterdir()} == {
        "config.yaml",
        "model.safetensors",
        "search.json",
    }
    told = json.loads((found / "public" / "search.json").read_text())
    assert told["best"] in ("slow", "quick")
    assert "trials" not in json.dumps(told).replace("expected_trials", "")
    trials = json.loads((found / "private" / "search.json").read_text())["simulation_only"]
    best = [one["arm"] for one in trials["trials"]].index(told["best"])
    model = found / f"private/trial-{best}/public/model.safetensors"
    assert (found / "public/model.safetensors").read_bytes() == model.read_bytes()


@pytest.mark.parametrize("change", [_deleted, _emptied, _edited, _spaced, _in_the_way])
@pytest.mark.parametrize("name", [*OF_SEARCH, run_parts.PARTS])
def test_a_part_of_a_search_that_is_changed_is_named(found, name, change):
    change(found, name, None)
    holds, said = shown(found)
    assert not holds
    assert str(found / name) in said


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("private/trial-0", "trial-0/private/parts.json"),
        ("private/trial-1", "trial-1/private/parts.json"),
        ("private/trial-0/private/ledger", "example.jsonl"),
        ("private/trial-1/private/ledger/device.jsonl", "device.jsonl"),
        ("private/trial-1/public", "public/config.yaml"),
        ("public", "public/search.json"),
    ],
)
def test_a_trial_of_which_anything_is_lost_is_named(found, lost, named):
    _without(lost)(found, None)
    holds, said = shown(found)
    assert not holds
    assert named in said


def test_a_trial_more_is_named(found):
    shutil.copytree(found / "private/trial-1", found / "private/trial-2")
    holds, said = shown(found)
    assert not holds
    assert "trial-2 is a trial that" in said


def test_a_search_that_crashed_is_readable_and_says_so(found):
    _without("public", "private/parts.json", "private/search.json")(found, None)
    holds, said = shown(found)
    assert holds
    assert "crashed before its end" in said
