"""What a study will run is decided once and read again, or refused."""

import json

import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.runs.run_folder import RunFolder
from simulations.studies.plan import FILE, StudyPlan


@pytest.fixture(scope="module")
def plan(tiny):
    config = compose([*tiny, "study=search", "+study.arms.b=[]", "+study.arms.a=[]"])
    arms = {"b": config, "a": compose([*tiny, "training.lr=9"])}
    return StudyPlan(config=config, arms=arms, trials=("a", "b", "a"))


@pytest.fixture
def folder(tmp_path):
    return RunFolder.at(tmp_path / "study")


@pytest.mark.parametrize("trials", [("a", "b", "a"), (), None])
def test_a_plan_is_read_as_it_was_written_with_its_arms_in_order(plan, folder, trials):
    written = StudyPlan(config=plan.config, arms=plan.arms, trials=trials)
    written.write(folder)
    found = StudyPlan.read(folder)
    assert found == written
    assert list(found.arms) == ["b", "a"]


def test_a_folder_of_no_study_has_none(folder):
    assert StudyPlan.read(folder) is None


def another_draw(text):
    whole = json.loads(text)
    whole["body"]["trials"] = ["b"]
    return json.dumps(whole)


@pytest.mark.parametrize(
    "damage",
    [another_draw, lambda text: text[:-9], lambda _: "", lambda _: "[]", lambda _: "{}"],
)
def test_trials_that_were_drawn_otherwise_are_refused(plan, folder, damage):
    plan.write(folder)
    path = folder.private / FILE
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=r"plan\.json is damaged") as refused:
        StudyPlan.read(folder)
    assert "\n" not in str(refused.value)
