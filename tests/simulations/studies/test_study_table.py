"""The table of a study, worked by hand: means, gains, what is kept, and against what."""

import io
import json

import pytest
from rich.console import Console

from simulations.runs.run_folder import RunFolder
from simulations.studies.study_table import Grid, compare, markdown, show


def write_run(folder, arm, seed, *, before, after, epsilon, personal=None):
    path = folder / arm / f"seed-{seed}" / "private"
    path.mkdir(parents=True)
    summary = {
        "privacy": None if epsilon is None else {"example": {"worst": epsilon, "claim": True}},
        "simulation_only": {
            "before_by_device": before,
            "after_by_device": after,
            "personal_by_device": personal,
            "orders": {"random": 0.0, "Bayes": 1.0},
        },
    }
    (path / "summary.json").write_text(json.dumps(summary))


@pytest.fixture
def study(tmp_path):
    for seed in (0, 1):
        before = [0.5, 0.7, None]
        write_run(tmp_path, "eps-2", seed, before=before, after=[0.55, 0.75, None], epsilon=1.9)
        write_run(
            tmp_path, "no-privacy", seed, before=before, after=[0.6, 0.8, None], epsilon=None
        )
    return tmp_path


def test_means_gains_and_the_share_kept_are_worked_by_hand(study):
    private, plain = compare(study, arms=("eps-2", "no-privacy"), seeds=(0, 1))
    assert private.before == pytest.approx(0.6)
    assert private.after == pytest.approx(0.65)
    assert private.gain.mean == pytest.approx(0.05)
    assert private.kept == pytest.approx(0.5)
    assert plain.kept == pytest.approx(1.0)


def test_a_gain_that_is_equal_everywhere_has_no_spread(study):
    private, _ = compare(study, arms=("eps-2", "no-privacy"), seeds=(0, 1))
    assert (private.gain.low, private.gain.high) == pytest.approx((0.05, 0.05))


def test_the_worst_epsilon_of_all_seeds_stands_in_the_table(study):
    (study / "eps-2/seed-1/private/summary.json").write_text(
        (study / "eps-2/seed-1/private/summary.json").read_text().replace("1.9", "1.953")
    )
    private, plain = compare(study, arms=("eps-2", "no-privacy"), seeds=(0, 1))
    assert private.epsilon == 1.953
    assert private.cells()[1] == "1.96"
    assert plain.cells()[1] == "none"


def test_without_a_reference_arm_no_share_is_claimed(study):
    (arm,) = compare(study, arms=("eps-2",), seeds=(0, 1))
    assert arm.kept is None


def test_an_arm_that_starts_elsewhere_keeps_no_share_of_the_reference(study):
    for seed in (0, 1):
        write_run(
            study, "control", seed, before=[0.9, 0.8, None], after=[0.8, 0.8, None], epsilon=2
        )
    control, _ = compare(study, arms=("control", "no-privacy"), seeds=(0, 1))
    assert control.gain.mean == pytest.approx(-0.05)
    assert control.kept is None


def test_an_arm_is_compared_with_another_on_the_same_devices_of_the_same_seeds(study):
    arms = ("eps-2", "no-privacy")
    private, plain = compare(study, arms=arms, seeds=(0, 1), against={"eps-2": "no-privacy"})
    # 0.55 - 0.6 and 0.75 - 0.8: five points lost, alike on every device.
    assert private.over is not None
    found = (private.over.mean, private.over.low, private.over.high)
    assert found == pytest.approx((-0.05, -0.05, -0.05))
    assert private.cells()[-1] == "-5.0 (-5.0 to -5.0)"
    assert (plain.over, plain.cells()[-1]) == (None, "")


def test_an_arm_that_is_left_out_of_the_study_is_compared_with_by_nobody(study):
    (arm,) = compare(study, arms=("eps-2",), seeds=(0, 1), against={"eps-2": "no-privacy"})
    assert arm.over is None


def test_what_devices_fitted_themselves_is_a_row_that_begins_where_the_arm_ended(tmp_path):
    for seed in (0, 1):
        ran = {"before": [0.5, 0.7], "after": [0.55, 0.75], "personal": [0.65, 0.81]}
        write_run(tmp_path, "own", seed, epsilon=2, **ran)
        write_run(tmp_path, "none", seed, before=[0.5, 0.7], after=[0.6, 0.7], epsilon=None)
    rows = compare(tmp_path, arms=("own", "none"), seeds=(0, 1), against={"own": "none"})
    assert [row.name for row in rows] == ["own", "none", "own, fitted"]
    fitted = rows[-1]
    # (0.55 + 0.75) / 2, (0.65 + 0.81) / 2, and (0.1 + 0.06) / 2 between them.
    found = (fitted.before, fitted.after, fitted.gain.mean)
    assert found == pytest.approx((0.65, 0.73, 0.08))
    assert (fitted.epsilon, fitted.kept, fitted.over) == (2, None, None)


def test_the_table_is_written_with_the_place_of_every_arm_in_its_grid(tmp_path):
    screen = Console(file=io.StringIO(), width=120)
    folder = RunFolder.at(tmp_path / "study")
    ran = {"before": [0.5], "after": [0.6], "personal": [0.7], "epsilon": 2}
    write_run(folder.private, "a-1", 0, **ran)
    grid = Grid(axes={"a-1": {"part": "a", "epsilon": "1"}}, against={})
    show(folder, screen, arms=("a-1",), seeds=(0,), grid=grid)
    found = json.loads((folder.private / "study.json").read_text())
    assert [(arm["name"], arm["axes"]) for arm in found["arms"]] == [
        ("a-1", {"part": "a", "epsilon": "1"}),
        ("a-1, fitted", {}),
    ]
    assert (found["seeds"], found["orders"]) == ([0], {"random": 0.0, "Bayes": 1.0})
    assert "| a-1, fitted |" in (folder.private / "study.md").read_text()
    assert "random 0.0   Bayes 100.0" in screen.file.getvalue()


def test_the_markdown_table_has_a_row_for_each_arm_and_each_order(study):
    text = markdown(compare(study, arms=("eps-2", "no-privacy"), seeds=(0, 1)), {"random": 0.0})
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 2 + 2 + 1
    assert "| random | 0.0 |" in rows
