"""The structure in figures: rooms, levels, circles, switches and lengths, each with its limit.

The rooms of a folder are its modules and its subfolders, each of which counts as one. A room
stands one level above the highest that it imports, wherever in a file the import is.
"""

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest
import yaml

from simulations.configuration.overrides import CONF, SETTINGS, groups, one_of

ROOT = Path(__file__).parents[1]
PACKAGES = ("client", "photos", "privacy", "protocol", "ranking", "server", "simulations")
ENTRIES, LEVELS, SWITCHES = 15, 6, 3
USUAL_LENGTH, LENGTH = 120, 300
SUBSTANCE = 60  # lines from which a module has more to it than declarations
# What one test module tests for all that is registered or promised, and mere declarations.
TESTED_TOGETHER = {
    "client.engine": "tests/client/training/test_engines.py",
    "ranking.losses.listwise": "tests/ranking/losses/test_registry.py",
    "simulations.configuration.study_settings": (
        "tests/simulations/configuration/test_settings.py"
    ),
}
ASKING = ("isinstance", "issubclass")
KINDS = {name.replace(".", "/"): one for name in SETTINGS if (one := one_of(name))}

Graph = Mapping[str, set[str]]


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module(path): path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}
FOLDERS = sorted({name.rpartition(".")[0] for name in TREES})


def imported(tree: ast.AST) -> Iterator[str]:
    """Every name that is imported, the module that it is of before it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(trees: Mapping[str, ast.AST]) -> dict[str, set[str]]:
    """The modules that each module imports, of these alone."""
    found = {
        name: {one if one in trees else one.rpartition(".")[0] for one in imported(tree)}
        for name, tree in trees.items()
    }
    return {name: (others & set(trees)) - {name} for name, others in found.items()}


def rooms(folder: str, graph: Graph) -> dict[str, set[str]]:
    """The rooms of a folder, "" for the root, and which others of it each imports."""
    depth = len(folder.split(".")) + 1 if folder else 1

    def room(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    inside = {one for one in graph if not folder or one.startswith(f"{folder}.")}
    found: dict[str, set[str]] = {room(one): set() for one in inside}
    for one in inside:
        found[room(one)] |= {room(other) for other in graph[one] & inside} - {room(one)}
    return found


def levels(graph: Graph) -> dict[str, int]:
    """The level of each room, from 1; where there is a circle, ``CycleError`` names it."""
    found: dict[str, int] = {}
    for room in TopologicalSorter(graph).static_order():
        found[room] = 1 + max((found[other] for other in graph[room]), default=0)
    return found


def circle(graph: Graph) -> list[str]:
    """One circle of imports; empty where there is none."""
    try:
        levels(graph)
    except CycleError as failure:
        return list(failure.args[1])
    return []


def names(node: ast.AST) -> set[str]:
    """Every name in an expression or a pattern."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} | {
        one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)
    }


def heirs(root: str, trees: Mapping[str, ast.AST]) -> set[str]:
    """The classes that derive from one, from near or far, by their names."""
    classes = [
        node
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    found, before = {root}, set()
    while found != before:
        before = set(found)
        found |= {one.name for one in classes if names(ast.Tuple(one.bases)) & found}
    return found - {root}


def switches(tree: ast.AST, classes: set[str]) -> list[int]:
    """The lines of the ``match`` and ``isinstance`` that tell these classes apart."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Match):
            asked = set().union(*(names(case.pattern) for case in node.cases))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ASKING:
            asked = names(node.args[1])
        else:
            continue
        if asked & classes:
            found.append(node.lineno)
    return found


def where_tested(name: str) -> str:
    """Where the tests of a module are: in its folder, by its name."""
    *folders, own = name.split(".")
    return "/".join(("tests", *folders, f"test_{own}.py"))


def untested(sources: Mapping[str, str], tests: set[str]) -> list[str]:
    """The modules of substance without a test module of their name."""
    return [
        name
        for name, text in sources.items()
        if len(text.splitlines()) >= SUBSTANCE and where_tested(name) not in tests
    ]


GRAPH = imports(TREES)
UNDER = "privacy.mechanisms."
MECHANISMS = heirs("Mechanism", {one: TREES[one] for one in TREES if one.startswith(UNDER)})


def test_no_package_has_more_entries_than_fit_on_a_page(measured):
    found = {}
    for folder in filter(None, FOLDERS):
        entries = (ROOT / folder.replace(".", "/")).iterdir()
        found[folder] = len([one for one in entries if one.name[0] not in "._"])
    most = max(found, key=found.__getitem__)
    measured(f"entries of a package: {found[most]} at most, in {most} (limit {ENTRIES})")
    assert {name: count for name, count in found.items() if count > ENTRIES} == {}


def test_no_folder_has_more_levels_of_imports_than_a_reader_can_climb(measured):
    found = {folder: max(levels(rooms(folder, GRAPH)).values()) for folder in FOLDERS}
    deepest = [folder for folder, count in found.items() if count == max(found.values())]
    measured(
        f"levels of a folder: {max(found.values())} at most, in {', '.join(deepest)} "
        f"(limit {LEVELS})"
    )
    assert {name: count for name, count in found.items() if count > LEVELS} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_rooms_of_a_folder_import_each_other_in_a_circle(folder):
    assert circle(rooms(folder, GRAPH)) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circle(GRAPH) == []


def test_few_statements_tell_mechanisms_apart(measured):
    found = [
        f"{name}:{line}"
        for name, tree in TREES.items()
        if name != "privacy.mechanisms.registry"
        for line in switches(tree, MECHANISMS)
    ]
    measured(f"switches on mechanisms: {len(found)} (limit {SWITCHES}): {', '.join(found)}")
    assert len(found) <= SWITCHES, found


@pytest.mark.parametrize("group", [group for group in KINDS if group in groups()])
def test_the_file_of_a_kind_has_the_settings_of_that_kind_and_no_other(group):
    choice = KINDS[group]
    inside = {one.removeprefix(f"{group}/") for one in groups() if one.startswith(f"{group}/")}
    files = {
        path.stem: yaml.safe_load(path.read_text()) for path in (CONF / group).glob("*.yaml")
    }
    for file in files.values():
        file.pop("defaults", None)  # what it chooses of other groups
    assert {name: file[choice.tag] for name, file in files.items()} == {
        name: name for name in choice.kinds
    }
    for name, file in files.items():
        fields = {field.name for field in dataclasses.fields(choice.kinds[name])}
        assert {*file, *inside} == fields, f"conf/{group}/{name}.yaml"


def test_every_section_of_several_kinds_has_a_folder_of_files():
    assert set(KINDS) <= set(groups())


def test_files_are_short(measured):
    found = {name: len(text.splitlines()) for name, text in SOURCES.items() if text}
    longest = max(found, key=found.__getitem__)
    usual = median(found.values())
    measured(
        f"lines of a file: {usual:g} in the median (limit {USUAL_LENGTH}), {found[longest]} at "
        f"most, in {longest} (limit {LENGTH})"
    )
    assert usual <= USUAL_LENGTH
    assert {name: count for name, count in found.items() if count > LENGTH} == {}


def test_each_module_of_substance_has_its_test_module_of_its_name():
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert untested(SOURCES, tests) == sorted(TESTED_TOGETHER)
    assert set(TESTED_TOGETHER.values()) <= tests


def planted(**sources: str) -> dict[str, ast.AST]:
    return {name.replace("_", "."): ast.parse(text) for name, text in sources.items()}


def test_levels_and_circles_are_found_wherever_the_import_is():
    tower = imports(planted(a="", a_b="from a import c", a_c="import a.d.e", a_d="", a_d_e=""))
    assert levels(rooms("a", tower)) == {"a.b": 3, "a.c": 2, "a.d": 1}
    late = imports(planted(a_b="from a.c import x", a_c="def f():\n    from a.b import y"))
    assert set(circle(rooms("a", late))) == set(circle(late)) == {"a.b", "a.c"}
    # Two folders in a circle of which no two modules are in one.
    apart = imports(planted(a_b="import c.d", c_d="", c_e="import a.f", a_f=""))
    assert circle(apart) == []
    assert set(circle(rooms("", apart))) == {"a", "c"}


def test_switches_on_a_class_and_on_its_heirs_are_found():
    classes = planted(m="class Mechanism: ...\nclass A(b.Mechanism): ...\nclass B(A[int]): ...")
    assert heirs("Mechanism", classes) == {"A", "B"}
    line = "match x:\n    case m.A() | C(): ...\nisinstance(x, int | B)\nisinstance(A, int)"
    assert switches(ast.parse(line), {"A", "B"}) == [1, 3]


def test_a_module_is_missed_by_its_folder_and_its_name_alone():
    long, short = "\n" * SUBSTANCE, "\n" * (SUBSTANCE - 1)
    sources = {"a.b.c": long, "a.d": long, "a.e": long, "a.f": short}
    tests = {"tests/a/b/test_c.py", "tests/a/b/test_d.py", "tests/test_e.py"}
    assert untested(sources, tests) == ["a.d", "a.e"]


def calls(trees: Mapping[str, ast.AST], name: str) -> set[str]:
    """The modules that call something of this name, such as ``Protection.of`` by ``of``."""
    return {
        module
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name)
    }


def test_what_protects_a_run_is_derived_once_on_each_side(measured):
    derived = calls(TREES, "Protection.of")
    measured(f"derivations of what protects a run: {', '.join(sorted(derived))}")
    assert derived == {"server.app", "simulations.configuration.settings"}
    # A device knows its own units alone; ``auto`` asks the mechanisms that it chooses among.
    assert calls(TREES, ".protected") == {
        "client.consent.configured_floor",
        "privacy.mechanisms.auto",
        "privacy.protection.derivation",
    }
