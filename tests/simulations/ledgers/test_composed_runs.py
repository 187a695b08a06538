"""`darkroom ledger A B`: what several runs over one population cost together."""

import io
import shutil
from dataclasses import replace

import ledger_terms
import pytest
import yaml
from rich.console import Console

from privacy.ledger.chain import examine
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Terms
from privacy.statements.composition import composed
from simulations.formats import epsilon_text
from simulations.ledgers.composed_runs import show_runs

MOMENTS = replace(ledger_terms.MOMENTS, rate=0.5, clip=0.3, steps=2)
ROUNDS = replace(ledger_terms.COHORTS, delta=1e-4)
LOCAL = replace(ledger_terms.LIBRARIES, noise_multiplier=8.0, clip=2.0)


def written(folder, ledgers):
    for unit, (terms, cohorts) in ledgers.items():
        with Ledger.create(folder, unit, terms=terms) as ledger:
            for number, cohort in enumerate(cohorts, start=1):
                ledger.charge([Charge(round=number, attempt=1, devices=cohort, what="update")])


# Of three devices, the first comes twice and then once, the second once and three times, the
# third never and once.
FIRST = {"example": (MOMENTS, [(1, 2), (1,)]), "device": (ROUNDS, [(), ()])}
SECOND = {"example": (MOMENTS, [(1, 2), (2, 3), (2,)]), "device": (ROUNDS, [(), (), ()])}


@pytest.fixture
def made(configured):
    """A run under way: its settings, and for each unit its terms and the cohorts that paid."""

    def made(path, *, ledgers, **settings):
        folder = configured(path, units=tuple(ledgers), **settings)
        written(folder.begin_ledgers(), ledgers)
        return path

    return made


@pytest.fixture
def runs(made, tmp_path):
    return [made(tmp_path / "a", ledgers=FIRST), made(tmp_path / "b", ledgers=SECOND)]


def shown(runs, **flags):
    screen = io.StringIO()
    holds = show_runs(runs, Console(file=screen, width=400), **flags)
    return holds, screen.getvalue().partition("together\n")[2]


def test_the_losses_of_each_device_add_up_over_runs_and_the_worst_is_reported(runs):
    holds, said = shown(runs)
    assert holds
    # Visits: (2, 1), (1, 3), (0, 1): in all 3, 4 and 1, and terms are alike.
    worst, middle, rounds = (
        composed([(MOMENTS, 4)]),
        composed([(MOMENTS, 3)]),
        composed([(ROUNDS, 5)]),
    )
    assert f"ε worst     {epsilon_text(worst.reported)} at δ = 1e-05" in said
    assert f"ε of 50%    {epsilon_text(middle.reported)} at δ = 1e-05" in said
    assert f"ε of 90%    {epsilon_text(worst.reported)} at δ = 1e-05" in said
    assert f"ε           {epsilon_text(rounds.reported)} at δ = 0.0001" in said
    assert "one made population: the same photos settings and seed" in said
    assert "as if all had been decided before the first" in said
    assert "not a claim" not in said


def test_what_a_crash_left_unknown_counts_for_every_device_of_that_run(runs):
    ledger = runs[1] / "private/ledger/example.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"body":')
    assert f"ε worst     {epsilon_text(composed([(MOMENTS, 5)]).reported)} at" in shown(runs)[1]


def test_a_run_that_does_not_protect_a_unit_leaves_it_without_bound(made, tmp_path, runs):
    only = made(tmp_path / "c", ledgers={"device": FIRST["device"]})
    _, said = shown([*runs, only])
    assert "for each moment of a device:" in said
    assert "without bound: c does not protect it" in said
    assert f"ε           {epsilon_text(composed([(ROUNDS, 7)]).reported)} at" in said


def test_local_noise_counts_for_moments_and_not_beside_the_servers(made, tmp_path, runs):
    local = made(tmp_path / "c", ledgers={"device": (LOCAL, [(2,)])})
    _, said = shown([*runs, local])
    worst = composed([(MOMENTS, 4), (LOCAL, 1)])
    assert f"ε worst     {epsilon_text(worst.reported)} at" in said
    assert "unknown: the noise of one run is at the server" in said


def test_a_seeded_run_among_them_leaves_no_claim(made, tmp_path, runs):
    seeded = {
        unit: (
            Terms(
                **{f: getattr(terms, f) for f in Terms.__slots__} | {"noise": "insecure_seeded"}
            ),
            cohorts,
        )
        for unit, (terms, cohorts) in FIRST.items()
    }
    _, said = shown([runs[0], made(tmp_path / "c", ledgers=seeded)])
    assert said.count("not a claim: draws were not secret") == 4


def test_where_one_ledger_does_not_hold_there_is_no_epsilon_together(runs):
    (runs[1] / "private/ledger/device.head.json").unlink()
    screen = io.StringIO()
    assert not show_runs(runs, Console(file=screen, width=400))
    assert "no ε together: a ledger above does not hold" in screen.getvalue()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": 1}, "seed is 0 in one and 1 in the other"),
        ({"taste": 3}, r"photos\.taste is 0 in one and 3 in the other"),
        (
            {"source": "folder"},
            r"photos\.source is synthetic in one and folder in the other",
        ),
    ],
)
def test_runs_of_other_photos_are_refused_unless_one_says_that_they_are_the_same(
    made, tmp_path, runs, changed, named
):
    stranger = made(tmp_path / "c", ledgers=SECOND, **changed)
    with pytest.raises(ValueError, match=f"not of one population: {named}.*--same-population"):
        shown([runs[0], stranger])
    _, said = shown([runs[0], stranger], same=True)
    # Which device is which is not known then: the most of either.
    assert f"ε worst     {epsilon_text(composed([(MOMENTS, 5)]).reported)} at" in said
    assert "because you say so" in said
    assert "50%" not in said


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda runs: [runs[0], runs[0]], "a run is named twice"),
        (lambda runs: [runs[0], runs[0] / ".." / "a"], "a run is named twice"),
        (
            lambda runs: [runs[0], runs[1] / "private/ledger/device.jsonl"],
            "is one ledger's file; name the folder of its run",
        ),
    ],
)
def test_what_cannot_be_composed_is_named(runs, spoil, message):
    with pytest.raises(ValueError, match=message):
        show_runs(spoil(runs), Console(quiet=True))


def test_a_search_among_them_is_refused(tmp_path, runs):
    (tmp_path / "find/private/trial-0").mkdir(parents=True)
    with pytest.raises(ValueError, match="is a search, whose choice has an ε of its own"):
        show_runs([runs[0], tmp_path / "find"], Console(quiet=True))


def test_a_devices_own_folder_is_composed_over_its_configurations(tmp_path):
    own = tmp_path / "own"
    for number, cohorts in enumerate(([(7,), (7,)], [(7,)])):
        folder = own / f"{number:064x}"
        folder.mkdir(parents=True)
        written(folder, {"example": (MOMENTS, cohorts)})
    _, said = shown([own])
    assert "one device's own ledgers, in one folder" in said
    assert f"ε worst     {epsilon_text(composed([(MOMENTS, 3)]).reported)} at" in said
    shutil.rmtree(own / f"{1:064x}")
    assert shown([own])[0]


def test_ledgers_of_flowers_server_are_of_a_population_that_one_has_to_state(tmp_path):
    runs = [tmp_path / "run.ledger" / name for name in ("11", "12")]
    for run in runs:
        run.mkdir(parents=True)
        written(run, {"device": FIRST["device"]})
    with pytest.raises(ValueError, match="does not say on which photos it ran"):
        show_runs(runs, Console(quiet=True))
    assert (
        f"ε           {epsilon_text(composed([(ROUNDS, 4)]).reported)} at"
        in shown(runs, same=True)[1]
    )


def test_each_run_is_named_by_its_whole_path_before_its_own_ledgers(made, tmp_path):
    runs = [made(tmp_path / "[bold]" / ("x" * 90) / name, ledgers=FIRST) for name in "ab"]
    screen = io.StringIO()
    assert show_runs(runs, Console(file=screen, width=80))
    lines = screen.getvalue().splitlines()
    assert [line for line in lines if line in map(str, runs)] == list(map(str, runs))


def test_a_run_by_itself_is_shown_as_before(runs):
    screen = io.StringIO()
    assert show_runs(runs[:1], Console(file=screen, width=400))
    assert "together" not in screen.getvalue()
    assert examine(runs[0] / "private/ledger", "device").spent.charges == 2
    assert yaml.safe_load((runs[0] / "private/config.yaml").read_text())["seed"] == 0
