from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Gt

from protocol.choices import OneOf
from protocol.rebuild import SettingError, from_json, rebuild, to_json
from protocol.setting_names import known_paths


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    kind: Literal["still"] = "still"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moving:
    kind: Literal["moving"] = "moving"
    lr: Annotated[float, Gt(0)]
    beta: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Restless:
    kind: Literal["restless"] = "restless"
    lr: Annotated[float, Gt(0)]


STEPS = OneOf("kind", {"still": Still, "moving": Moving, "restless": Restless})


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    step: Annotated[Still | Moving | Restless, STEPS]


@pytest.mark.parametrize("step", [Still(), Moving(lr=1.0, beta=0.5), Restless(lr=2.0)])
def test_each_kind_comes_back_from_json_as_itself(step):
    assert from_json(Run, to_json(Run(step=step))) == Run(step=step)


def test_all_kinds_have_names_and_each_name_stands_once():
    assert known_paths(Run) == ["step", "step.kind", "step.lr", "step.beta"]


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        (
            {"kind": "restless", "lr": 1.0, "beta": 0.5},
            "step.beta belongs to step=moving: take that, or leave the setting out.",
        ),
        (
            {"kind": "still", "lr": 1.0},
            "step.lr belongs to step=moving or step=restless: take that, or leave the setting "
            "out.",
        ),
        ({"kind": "moving", "lr": 1.0}, "'step.beta' is missing: it has no default."),
        ({"kind": "moving", "lr": 0, "beta": 0.5}, "step.lr=0 is out of range"),
        ({"kind": "moved"}, "step.kind=moved is not one of still, moving, restless."),
        ({"lr": 1.0}, "'step.kind' is missing: it has no default."),
        ({"kind": "restless", "rl": 1.0}, "'step.rl' is not a setting. Did you mean 'step.lr'"),
        (
            {"kind": "still", "bta": 1.0},
            "'step.bta' is not a setting. Did you mean 'step.beta'",
        ),
        (3, "'step' is a section of settings, not 3."),
    ],
)
def test_what_no_kind_or_another_kind_has_is_refused_with_the_way_out(plain, sentence):
    with pytest.raises(SettingError) as refused:
        rebuild(Run, {"step": plain})
    assert str(refused.value).startswith(sentence)
