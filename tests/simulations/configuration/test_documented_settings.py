"""The tables of docs/configuration.md and the lines of conf/ name all that is there."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from rankings import ranker

from client.consent import operator
from client.consent.own_number import PARTITION
from protocol.setting_names import sections
from ranking.model.build import trainable_names
from ranking.parameters import flatten
from simulations.configuration.overrides import CONF, SETTINGS, choices, groups
from simulations.pretraining.context_functions import known

PAGE = (CONF.parent / "docs" / "configuration.md").read_text()
LINE = re.compile(r"(?P<indent> *)(?P<name>\w+): *(?P<value>[^#]*?) *(# *(?P<comment>.*))?")
WITHOUT_DEFAULT = "???"
EVERY_RUN = "every run"
KEYS = {path: hint for path, hint in SETTINGS.items() if not sections(hint)}
GROUPS = [group for group in groups() if group != "experiment"]
CHOICES = [f"{group}={name}" for group in GROUPS for name in choices(group)]
FILES = {EVERY_RUN: CONF / "config.yaml"} | {
    choice: CONF / f"{choice.replace('=', '/')}.yaml" for choice in CHOICES
}


def lines(choice):
    """The settings that a choice's file gives, by their full names: value and comment."""
    at = "" if choice == EVERY_RUN else choice.partition("=")[0].replace("/", ".")
    section = at
    for line in FILES[choice].read_text().splitlines():
        if found := LINE.fullmatch(line):
            section = section if found["indent"] else at or found["name"]
            inside = at or found["indent"]
            name = f"{section}.{found['name']}" if inside else found["name"]
            if found["value"] and section != "hydra":
                yield name, found["value"], found["comment"] or ""


def says_which(choice, value):
    """Whether a line says no more than which choice it is, as ``trained: head`` does."""
    return choice != EVERY_RUN and value == FILES[choice].stem


def settings_of(choice):
    """The settings of a choice with their defaults, as the page has them."""
    group = "" if choice == EVERY_RUN else choice.partition("=")[0].replace("/", ".") + "."
    return {
        name.removeprefix(group): "" if value == WITHOUT_DEFAULT else value
        for name, value, _ in lines(choice)
        if not says_which(choice, value)
    }


def codes(cell):
    return re.findall(r"`([^`]+)`", cell)


def tables():
    """The tables of the page by their first two headings: the cells of each row."""
    found = {}
    for block in re.findall(r"(?:^\|.*\n)+", PAGE, flags=re.MULTILINE):
        heading, _, *rows = [line.strip("|").split("|") for line in block.splitlines()]
        found[" ".join(cell.strip() for cell in heading[:2])] = rows
    return found


TABLES = tables()


def documented():
    """Each choice of the table of settings, with its settings and their defaults."""
    for names, settings in TABLES["choice settings"]:
        said = dict(code.partition("=")[::2] for code in codes(settings))
        group = ""
        for code in codes(names):
            group = code.partition("=")[0] if "=" in code else group
            yield code if "=" in code else f"{group}={code}", said
        if not codes(names):
            yield names.strip(), said


SIZES = TABLES["setting default"]
NO_SIZES = (
    *("ranking.trained", "ranking.loss", "ranking.weights"),
    *("ranking.frozen_digest", "ranking.start_norm"),
    *("ranking.encoder.kind", "ranking.list.kind"),
)
"""Settings of a ranking that the table of sizes leaves out."""


def in_words(hint):
    """The range of a size, as the page has it."""
    if hint is bool:
        return "true or false"
    (ends,) = hint.__metadata__
    return f"{ends.ge} to {ends.le}"


def literals(hint):
    return get_args(hint) if get_origin(hint) is Literal else ()


def test_every_choice_has_one_row_in_the_table_of_settings():
    assert sorted(choice for choice, _ in documented()) == sorted(FILES)


@pytest.mark.parametrize("choice", FILES)
def test_the_table_has_the_settings_of_a_choice_with_their_defaults(choice):
    assert dict(documented())[choice] == settings_of(choice)


def test_the_files_have_every_setting_of_a_composed_configuration_and_no_other():
    assert {name for choice in FILES for name, _, _ in lines(choice)} == set(KEYS)


def test_the_table_of_groups_has_every_group_with_its_choices():
    said = {codes(group)[0]: codes(of) for group, of, _ in TABLES["group choices"]}
    assert said.pop("experiment") == []
    assert {group: sorted(of) for group, of in said.items()} == {
        group: choices(group) for group in GROUPS
    }


def test_the_table_of_experiments_has_every_file_of_their_folder():
    named = [codes(name)[0] for name, _ in TABLES["experiment runs"]]
    assert sorted(named) == choices("experiment")


def test_the_table_of_the_ranker_has_each_of_its_sizes_with_its_default_and_range():
    rows = {codes(name)[0]: [cell.strip() for cell in rest] for name, *rest in SIZES}
    files = ("ranking=lora", "ranking/encoder=drawn", "ranking/list=transformer")
    defaults = {name: value for file in files for name, value, _ in lines(file)}
    assert {name: value for name, (value, *_) in rows.items()} == {
        name: value for name, value in defaults.items() if name not in NO_SIZES
    }
    for name, (_, ends, _) in rows.items():
        assert ends == in_words(SETTINGS[name]), name


@pytest.mark.parametrize("trained", choices("ranking"))
def test_the_table_of_what_is_trained_has_the_number_of_weights(trained):
    (said,) = [count for name, _, count in TABLES["choice trains"] if codes(name)[0] == trained]
    rank = {"rank": 1} if trained == "lora" else {}
    built = ranker(trained, **rank)
    size = flatten(built, trainable_names(built, trained)).size
    assert said.strip() == f"{size:,}{' for each rank' * len(rank)}"


def test_pre_training_is_said_to_need_what_it_refuses_to_do_without():
    sentence = f"a `context` of {', '.join(map(str, known(10)[:-1]))} or {known(10)[-1]}"
    assert sentence in PAGE


def test_no_table_names_a_setting_a_choice_or_a_value_that_is_not_there():
    hints = {path.rpartition(".")[2]: hint for path, hint in KEYS.items()} | KEYS
    words = {*hints, *groups(), *(name for group in groups() for name in choices(group))}
    words |= {value for hint in KEYS.values() for value in literals(hint)}
    words |= {*operator.KEYS, PARTITION, "quorum"}
    found = [code for rows in TABLES.values() for row in rows for code in codes("".join(row))]
    for code in found:
        name, _, value = code.partition("=")
        if " " in name or Path(code).suffix == ".md":
            continue
        assert name in words, code
        allowed = choices(name) if name in groups() else literals(hints.get(name))
        assert not value or not allowed or value in allowed, code


@pytest.mark.parametrize("choice", FILES)
def test_a_line_of_conf_names_every_word_that_its_setting_may_be_or_the_file_that_does(choice):
    for name, value, comment in lines(choice):
        words = set(literals(SETTINGS[name]))
        if says_which(choice, value) or not words:
            continue
        named = [(CONF.parent / file).read_text() for file in re.findall(r"\S+\.py", comment)]
        assert words <= {value, *re.findall(r"\w+", " ".join([comment, *named]))}, name
        if " | " in comment:
            assert {part.split()[0] for part in comment.split(" | ")} == words, name
