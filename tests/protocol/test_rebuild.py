import json
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Lt
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.rebuild import SettingError, from_json, rebuild, section, to_json, to_plain
from protocol.settings import Training


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    epsilon: Annotated[float, Gt(0)] | None
    share: Annotated[float, Ge(0), Lt(1)]
    kind: Literal["none", "dpsgd"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    name: str
    count: Annotated[int, Interval(ge=1, le=10)]
    strict: bool
    seeds: tuple[int, ...]
    arms: dict[str, tuple[str, ...]]
    grids: tuple[dict[str, dict[str, tuple[str, ...]]], ...]
    inner: Inner
    inner_two: Inner


INNER = Inner(epsilon=8.0, share=0.25, kind="dpsgd")
OUTER = Outer(
    name="x",
    count=3,
    strict=False,
    seeds=(0, 1),
    arms={"eps-8": ("a=1", "b=2"), "none": ()},
    grids=({"lr": {"0.5": ("a=1",), "1": ()}},),
    inner=INNER,
    inner_two=replace(INNER, epsilon=None),
)

inners = st.builds(
    Inner,
    epsilon=st.none() | st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    share=st.floats(0, 1, exclude_max=True),
    kind=st.sampled_from(["none", "dpsgd"]),
)
texts = st.lists(st.text()).map(tuple)
outers = st.builds(
    Outer,
    name=st.text(),
    count=st.integers(1, 10),
    strict=st.booleans(),
    seeds=st.lists(st.integers()).map(tuple),
    arms=st.dictionaries(st.text(), texts),
    grids=st.lists(
        st.dictionaries(st.text(), st.dictionaries(st.text(), texts, max_size=2), max_size=2),
        max_size=2,
    ).map(tuple),
    inner=inners,
    inner_two=inners,
)


def changed(path, value):
    plain = to_plain(OUTER)
    *sections, key = path.split(".")
    inside = plain
    for name in sections:
        inside = inside[name]
    inside[key] = value
    return plain


def refusal(plain):
    with pytest.raises(SettingError) as caught:
        rebuild(Outer, plain)
    return str(caught.value)


@settings(deadline=None, max_examples=100)
@given(outers)
def test_settings_survive_json(outer):
    assert from_json(Outer, to_json(outer)) == outer


@settings(deadline=None, max_examples=100)
@given(outers)
def test_settings_survive_plain_data(outer):
    assert rebuild(Outer, to_plain(outer)) == outer


def test_a_whole_number_passes_for_a_float():
    share = rebuild(Outer, changed("inner.share", 0)).inner.share
    assert (share, type(share)) == (0.0, float)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("inner.epsilom", "inner.epsilon"),
        ("inner_two.epsilom", "inner_two.epsilon"),
        ("cuont", "count"),
        ("inner_two.shar", "inner_two.share"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_one(path, meant):
    assert refusal(changed(path, 1)) == f"'{path}' is not a setting. Did you mean '{meant}'?"


def test_a_mistyped_section_is_named_with_what_was_set_in_it():
    message = refusal(changed("iner", {"epsilon": 3}))
    assert message == "'iner.epsilon' is not a setting. Did you mean 'inner.epsilon'?"


def test_a_key_like_no_other_gets_no_suggestion():
    assert refusal(changed("zzz", 1)) == "'zzz' is not a setting."


def test_a_missing_key_is_refused():
    plain = to_plain(OUTER)
    del plain["inner"]["kind"]
    assert refusal(plain) == "'inner.kind' is missing: it has no default."


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("count", 0, "count=0 is out of range: it must be at least 1 and at most 10."),
        ("count", 2.0, "count=2.0 must be a whole number."),
        ("count", True, "count=true must be a whole number."),
        ("count", "3", "count=3 must be a whole number."),
        ("count", None, "count=null must be a whole number."),
        ("inner.epsilon", 0, "inner.epsilon=0 is out of range: it must be above 0."),
        ("inner.epsilon", float("nan"), "inner.epsilon=NaN must be a finite number."),
        ("inner.epsilon", float("inf"), "inner.epsilon=Infinity must be a finite number."),
        ("inner.epsilon", True, "inner.epsilon=true must be a finite number."),
        ("inner.epsilon", "big", "inner.epsilon=big must be a finite number."),
        ("inner.share", 1, "inner.share=1 is out of range: it must be at least 0 and below 1."),
        (
            "inner.kind",
            "dpsdg",
            "inner.kind=dpsdg is not one of none, dpsgd. Did you mean 'dpsgd'?",
        ),
        ("inner.kind", 3, "inner.kind=3 is not one of none, dpsgd."),
        ("name", 3, "name=3 must be a text."),
        ("strict", 1, "strict=1 must be true or false."),
        ("seeds", 1, "seeds=1 must be a list."),
        ("seeds", "12", "seeds=12 must be a list."),
        ("seeds", [0, "a"], "seeds[1]=a must be a whole number."),
        ("arms", ["a"], 'arms=["a"] must be a section of names.'),
        ("arms", {"a": [1]}, "arms.a[0]=1 must be a text."),
        ("grids", {"lr": {}}, 'grids={"lr": {}} must be a list.'),
        ("grids", [["a"]], 'grids[0]=["a"] must be a section of names.'),
        ("grids", [{"lr": ["a"]}], 'grids[0].lr=["a"] must be a section of names.'),
        ("grids", [{"lr": {"1": "a"}}], "grids[0].lr.1=a must be a list."),
        ("inner", 3, "'inner' is a section of settings, not 3."),
        ("inner", None, "'inner' is a section of settings, not null."),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(path, value, message):
    assert refusal(changed(path, value)) == message


@pytest.mark.parametrize("value", [10**400, [[[]]], "a\nb" * 500, {"a": object()}])
def test_a_monstrous_value_is_refused_on_one_short_line(value):
    message = refusal(changed("inner.share", value))
    assert "\n" not in message
    assert len(message) < 120


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "[" * 100_000, "1" * 5_000, "\0"])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(SettingError, match="the configuration is not"):
        from_json(Outer, text)


TRAINING = {
    "steps": 4,
    "rate": 0.25,
    "reference_size": 16,
    "largest_library": 400,
    "lr": 0.5,
    "seconds": None,
}


def test_a_device_reads_its_own_section_of_the_whole():
    text = json.dumps({"training": TRAINING, "study": "whatever"})
    assert section(text, "training", Training) == rebuild(Training, TRAINING)


def test_a_single_setting_is_a_section_too():
    assert section('{"photos": {"side": 48}}', "photos.side", int) == 48


def test_a_section_is_as_strict_as_the_whole():
    text = json.dumps({"training": TRAINING | {"rate": 2}})
    with pytest.raises(SettingError, match=r"^training\.rate=2 is out of range"):
        section(text, "training", Training)


@pytest.mark.parametrize("path", ["training", "a.training", "a"])
def test_a_section_that_is_not_there_is_refused(path):
    with pytest.raises(SettingError, match=f"^'{path}' is missing"):
        section('{"b": 1}', path, Training)
