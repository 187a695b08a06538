"""Every numeric constant says its unit, its source and what breaks without it."""

import ast
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("client", "photos", "privacy", "protocol", "ranking", "server", "simulations")
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def numeric(node: ast.expr, *, inside: bool = False) -> bool:
    """Whether an expression is a number, a tuple of numbers, or made of nothing but numbers."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.Name(id=name):
            return inside and name.isupper()
        case ast.UnaryOp(operand=one):
            return numeric(one, inside=inside)
        case ast.BinOp(left=left, right=right):
            return numeric(left, inside=True) and numeric(right, inside=True)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Call(args=parts):
            return bool(parts) and all(numeric(one, inside=True) for one in parts)
    return False


def unexplained(source: str) -> list[str]:
    """The numeric constants of a module with no docstring below, nor a comment above."""
    lines, body = source.splitlines(), ast.parse(source).body
    found = []
    for statement, below in pairwise([*body, None]):
        match statement:
            case ast.Assign(targets=[target], value=value) if numeric(value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value) if numeric(value):
                pass
            case _:
                continue
        match below:
            case ast.Expr(value=ast.Constant(value=str())):
                continue
        commented = lines[statement.lineno - 2].startswith("#")
        if ast.unparse(target).isupper() and not commented:
            found.append(ast.unparse(target))
    return found


def test_every_numeric_constant_has_a_line_that_explains_it():
    found = {name: unexplained(source) for name, source in SOURCES.items()}
    assert {name: constants for name, constants in found.items() if constants} == {}


def test_constants_without_a_line_are_found_however_they_are_written():
    bare = """
A = 1
B, C = 2.0, 3
D: int = -4
E = (1, 2)
F = 2 * E[0]
G = math.log(A + 8)
H = "text", 1
lower = 5
I = True
"""
    assert unexplained(bare) == ["A", "(B, C)", "D", "E", "G"]
    explained = '# Of A.\nA = 1\nB = 2\n"""Of B."""\nC = 3\n'
    assert unexplained(explained) == ["C"]
