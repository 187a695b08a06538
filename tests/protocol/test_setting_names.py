"""Every setting by its full name, and the one that somebody probably meant."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Gt

from protocol.choices import OneOf
from protocol.setting_names import (
    deepest,
    field_hints,
    join,
    known_paths,
    sections,
    setting_hints,
    suggestion,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    kind: Literal["still"] = "still"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moving:
    kind: Literal["moving"] = "moving"
    lr: Annotated[float, Gt(0)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    rounds: int
    step: Annotated[Still | Moving, OneOf("kind", {"still": Still, "moving": Moving})]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    name: str
    server: Server


PATHS = ["name", "server", "server.rounds", "server.step", "server.step.kind", "server.step.lr"]


def test_every_setting_has_its_full_name_with_those_of_all_kinds():
    assert known_paths(Run) == PATHS
    assert known_paths(Run, at="run") == [f"run.{path}" for path in PATHS]


def test_each_setting_has_the_type_of_its_field_with_its_range():
    hints = setting_hints(Run)
    assert hints["server"] is Server
    assert hints["server.step.lr"] == Annotated[float, Gt(0)]
    assert field_hints(Run) == {"name": str, "server": Server}


def test_a_section_stands_for_its_dataclass_or_for_those_of_its_kinds():
    assert sections(Server) == (Server,)
    assert sections(field_hints(Server)["step"]) == (Still, Moving)
    for plain in (int, float | None, Annotated[float, Gt(0)], tuple[str, ...]):
        assert sections(plain) == ()


KNOWN = [
    "seed",
    "server.rounds",
    "server.cohort",
    "server.optimizer.lr",
    "training.lr",
    "training.rate",
    "privacy.example.epsilon",
    "privacy.device.epsilon",
]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        # the very same last part, as of a setting that has moved
        ("epsilon", "privacy.example.epsilon"),
        ("privacy.devices.epsilon", "privacy.device.epsilon"),
        ("server.lr", "server.optimizer.lr"),
        # a sibling before anything likelier elsewhere
        ("server.round", "server.rounds"),
        ("training.rat", "training.rate"),
        # the likest full name
        ("sever.cohorts", "server.cohort"),
        # the likest last part
        ("epsilom", "privacy.example.epsilon"),
        # an option is written with a slash
        ("privacy/device/epsilon", "privacy.device.epsilon"),
    ],
)
def test_what_was_probably_meant_is_suggested(path, meant):
    assert suggestion(path, KNOWN) == f" Did you mean '{meant}'?"


@pytest.mark.parametrize("path", ["zzz", "", "server.zzz"])
def test_a_name_like_no_other_gets_no_suggestion(path):
    assert suggestion(path, KNOWN) == ""


def test_nothing_is_suggested_where_nothing_is_known():
    assert suggestion("epsilon", []) == ""


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"example": {"epsilom": 1, "clip": 2}}, "privacy.example.epsilom"),
        ({}, "privacy"),
        (3, "privacy"),
        ({"example": {}}, "privacy.example"),
        ({7: 1}, "privacy.7"),
    ],
)
def test_the_first_setting_inside_a_section_is_named(value, path):
    assert deepest("privacy", value) == path


def test_names_are_joined_by_a_dot_but_at_the_root():
    assert (join("", "seed"), join("server", "rounds")) == ("seed", "server.rounds")
