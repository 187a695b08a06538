"""pfl trains what Darkroom's devices train, without anything else of ours."""

import ast
import sys

import torch

from ranking.model.build import build_ranker, trainable_names
from ranking.model.list_ranker import ListRanker
from ranking.parameters import flatten
from simulations.benchmarks.peer_benchmark import ROOT


def test_pfl_trains_what_darkrooms_devices_train():
    ranker = build_ranker("head", generator=torch.Generator().manual_seed(0))
    whole = sum(value.numel() for value in ListRanker().parameters())
    taste = ListRanker().taste.weight.numel()
    assert flatten(ranker, trainable_names(ranker, "head")).size == whole - taste == 35_713


def test_pfls_interpreter_needs_nothing_of_ours_but_the_model():
    ours, others = ["simulations.benchmarks.pfl_peer"], set()
    for name in ours:  # it grows
        for module in imported_by(ROOT / f"{name.replace('.', '/')}.py"):
            if module.startswith(("ranking.", "simulations.")):
                ours += [module] if module not in ours else []
            else:
                others.add(module.partition(".")[0])
    assert others - set(sys.stdlib_module_names) == {"numpy", "pfl", "torch"}


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_the_line_that_begins_it_names_the_module():
    source = (ROOT / "simulations/benchmarks/pfl_peer.py").read_text()
    assert "python -m simulations.benchmarks.pfl_peer ROUNDS" in ast.get_docstring(
        ast.parse(source)
    )
