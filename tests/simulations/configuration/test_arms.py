"""The arms of a study are spelled out as if somebody had written each of them."""

import pytest

from protocol.rebuild import SettingError
from simulations.configuration.arms import axes_by_arm, opponents, overrides_by_arm
from simulations.configuration.study_settings import Comparison

RANKER = {"linear": ("ranking=linear", "training.lr=0.2"), "head": ()}
EPSILON = {"eps-2": ("e=2",), "eps-8": ("e=8",)}


def study(*grids, shared=(), without=(), arms=None):
    return Comparison(
        seeds=(0,),
        workers=1,
        against=None,
        grids=grids,
        shared=shared,
        without=without,
        arms=arms or {},
    )


def refusal(tried):
    with pytest.raises(SettingError) as caught:
        overrides_by_arm(tried)
    return str(caught.value)


def test_an_arm_is_one_value_of_each_axis_and_the_last_axis_changes_fastest():
    arms = overrides_by_arm(study({"ranker": RANKER, "epsilon": EPSILON}))
    assert list(arms.items()) == [
        ("linear-eps-2", ("ranking=linear", "training.lr=0.2", "e=2")),
        ("linear-eps-8", ("ranking=linear", "training.lr=0.2", "e=8")),
        ("head-eps-2", ("e=2",)),
        ("head-eps-8", ("e=8",)),
    ]


def test_what_is_shared_comes_first_and_only_in_arms_of_grids():
    arms = overrides_by_arm(
        study({"ranker": RANKER}, shared=("e=1",), arms={"open": ("e=null",)})
    )
    assert arms == {
        "linear": ("e=1", "ranking=linear", "training.lr=0.2"),
        "head": ("e=1",),
        "open": ("e=null",),
    }


def test_grids_come_one_after_the_other_and_arms_of_their_own_last():
    arms = overrides_by_arm(study({"b": {"b": ()}}, {"a": {"a": ()}}, arms={"0": ()}))
    assert list(arms) == ["b", "a", "0"]


def test_what_does_not_belong_is_left_out_and_its_name_is_free_again():
    grid = {"ranker": RANKER, "epsilon": EPSILON}
    arms = overrides_by_arm(study(grid, without=("linear-eps-8",)))
    assert list(arms) == ["linear-eps-2", "head-eps-2", "head-eps-8"]
    own = overrides_by_arm(study(grid, without=("head-eps-8",), arms={"head-eps-8": ("x=1",)}))
    assert own["head-eps-8"] == ("x=1",)


def test_arms_can_be_all_there_is():
    assert overrides_by_arm(study(arms={"a": ("x=1",), "b": ()})) == {"a": ("x=1",), "b": ()}


@pytest.mark.parametrize(
    "tried",
    [
        study({"ranker": RANKER}, {"ranker": RANKER}),
        study({"ranker": RANKER}, arms={"linear": ()}),
        study({"one": {"linear": (), "linear-b": ()}, "two": {"b-c": (), "c": ()}}),
    ],
)
def test_two_arms_of_one_name_are_refused(tried):
    assert refusal(tried).startswith("study: two arms are named linear")


@pytest.mark.parametrize("grid", [{}, {"ranker": {}}, {"ranker": RANKER, "epsilon": {}}])
def test_a_grid_without_an_arm_is_refused_by_its_number(grid):
    message = refusal(study({"ranker": RANKER}, grid))
    assert message.startswith("study.grids[1] makes no arm: it needs an axis")


def test_an_arm_of_ones_own_is_not_left_out_but_deleted():
    message = refusal(study({"ranker": RANKER}, without=("open",), arms={"open": ()}))
    assert message.startswith("study.without: 'open' is no arm of study.grids; ")


def test_an_arm_knows_its_value_on_each_axis():
    tried = study({"ranker": RANKER, "epsilon": EPSILON}, arms={"alone": ()})
    axes = axes_by_arm(tried)
    assert axes["head-eps-8"] == {"ranker": "head", "epsilon": "eps-8"}
    assert "alone" not in axes


def test_an_arm_is_compared_with_the_value_named_at_the_same_place_elsewhere():
    tried = study({"ranker": RANKER, "epsilon": EPSILON}, {"clip": {"small": (), "large": ()}})
    assert opponents(tried, "linear") == {
        "head-eps-2": "linear-eps-2",
        "head-eps-8": "linear-eps-8",
    }
    assert opponents(tried, "small") == {"large": "small"}


@pytest.mark.parametrize(
    ("grids", "against", "way_out"),
    [
        (
            [{"ranker": RANKER, "unit": {"own": ()}}, {"ranker": RANKER, "epsilon": EPSILON}],
            "heed",
            "name one of linear, head, eps-2, eps-8, or leave it null. Did you mean 'head'?",
        ),
        (
            [{"unit": {"own": ()}, "ranker": RANKER}],
            "own",
            "name one of linear, head, or leave",
        ),
        ([], "linear", "name one of theirs, or leave it null."),
    ],
)
def test_a_value_that_nothing_is_compared_with_is_refused_with_those_there_are(
    grids, against, way_out
):
    """Each is named once; one that is alone on its axis has nothing to compare with."""
    with pytest.raises(SettingError) as caught:
        opponents(study(*grids), against)
    sentence = (
        f"study.against={against} is no value of an axis of study.grids that has others; "
    )
    assert str(caught.value).startswith(f"{sentence}{way_out}")
