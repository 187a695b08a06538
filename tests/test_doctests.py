"""The examples in docstrings: each runs, and none is missing where mathematics is defined."""

import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("client", "photos", "privacy", "protocol", "ranking", "server", "simulations")
MATHEMATICS = ("privacy/clipping", "ranking/losses", "ranking/metrics")
PLANTED = '''
def shown():
    """Two.

    >>> shown()
    3
    """
    return 2

def bare():
    """Nothing."""

def _private():
    """Nothing."""
'''


def paths(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def examples(module):
    """The docstrings of a module that hold an example."""
    return [one for one in doctest.DocTestFinder().find(module) if one.examples]


def failures(module):
    """The names of the docstrings whose examples print something else."""
    runner = doctest.DocTestRunner(verbose=False)
    results = {one.name: runner.run(one, out=lambda _: None).failed for one in examples(module)}
    return [failed for failed, count in results.items() if count]


def without_example(module):
    """The public functions that a module defines whose docstrings hold none."""
    shown = {one.name for one in examples(module)}
    own = [
        one
        for _, one in inspect.getmembers(module, inspect.isfunction)
        if one.__module__ == module.__name__ and not one.__name__.startswith("_")
    ]
    return [one.__name__ for one in own if f"{module.__name__}.{one.__name__}" not in shown]


def planted():
    module = ModuleType("planted")
    exec(PLANTED, module.__dict__)
    return module


WITH_EXAMPLES = [
    name(path) for path in paths(*PACKAGES) if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_every_example_prints_what_it_says(module):
    found = importlib.import_module(module)
    assert examples(found)
    assert failures(found) == []


@pytest.mark.parametrize("module", [name(path) for path in paths(*MATHEMATICS)])
def test_every_public_function_of_losses_metrics_and_clipping_has_an_example(module):
    assert without_example(importlib.import_module(module)) == []


def test_a_wrong_example_and_a_function_without_one_are_found():
    assert failures(planted()) == ["planted.shown"]
    assert without_example(planted()) == ["bare"]
