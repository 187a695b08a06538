import json

import pytest

from simulations.studies.study_table import compare, markdown


def write_run(folder, arm, seed, *, before, after, epsilon):
    path = folder / arm / f"seed-{seed}" / "private"
    path.mkdir(parents=True)
    summary = {
        "privacy": None if epsilon is None else {"example": {"worst": epsilon, "claim": True}},
        "simulation_only": {"before_by_device": before, "after_by_device": after},
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


def test_the_markdown_table_has_a_row_for_each_arm_and_each_order(study):
    text = markdown(compare(study, arms=("eps-2", "no-privacy"), seeds=(0, 1)), {"random": 0.0})
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 2 + 2 + 1
    assert "| random | 0.0 |" in rows
