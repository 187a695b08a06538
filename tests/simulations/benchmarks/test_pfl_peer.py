"""pfl trains what Darkroom's devices train, without anything else of ours."""

import ast
import sys

from rankings import LIST, ranker

from ranking.model.build import trainable_names
from ranking.model.list_ranker import ListRanker
from ranking.parameters import flatten
from simulations.benchmarks import peer_work
from simulations.benchmarks.peer_benchmark import ROOT


def test_pfl_trains_what_darkrooms_devices_train():
    """All that the list model has but what tells scenes, and nothing that weighs it."""
    built = ranker("head")
    peer = ListRanker(peer_work.LIST, width=peer_work.EMBEDDING)
    frozen = [peer.token, peer.scene_token, peer.taste, peer.reader.scene]
    whole, left = (
        sum(value.numel() for part in parts for value in part.parameters())
        for parts in ([peer], frozen)
    )
    assert flatten(built, trainable_names(built, "head")).size == whole - left == 77_537
    assert (LIST, built.encoder.width) == (peer_work.LIST, peer_work.EMBEDDING)


def test_pfls_interpreter_has_all_that_the_model_needs():
    ours, others = ["simulations.benchmarks.pfl_peer"], set()
    for name in ours:  # it grows
        for module in imported_by(ROOT / f"{name.replace('.', '/')}.py"):
            if module.startswith(("protocol.", "ranking.", "simulations.")):
                ours += [module] if module not in ours else []
            else:
                others.add(module.partition(".")[0])
    needed = others - set(sys.stdlib_module_names)
    assert needed == {"annotated_types", "numpy", "pfl", "torch"}
    installed = (ROOT / "requirements-peers.txt").read_text()
    assert all(f"\n{name.replace('_', '-')}==" in installed for name in needed)


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
