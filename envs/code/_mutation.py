"""Small plausible bugs: copies of a program of ours with one operator, constant or statement changed.

A mutant may run forever, so mutants are executed with a counter of steps in every loop and function.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from rlvr_gym.envs.code._programs import Call

__all__ = ["Failed", "bounded_function", "kills", "mutants"]

MAX_STEPS = 20_000

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.FloorDiv: (ast.Mod,), ast.Mod: (ast.FloorDiv,),
}  # fmt: skip
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "isupper": "islower", "append": "extend"}


class Failed:
    """In place of a value: the program raised, or ran for too long."""

    def __init__(self, too_long: bool) -> None:
        self.too_long = too_long

    def __repr__(self) -> str:
        return "<failed>"


class _TooLongError(Exception):
    pass


@lru_cache(maxsize=512)
def mutants(source: str) -> tuple[str, ...]:
    """All programs that differ from ``source`` in one place, in the order of the places, without repetitions."""
    found: dict[str, None] = {}
    original = ast.parse(source)
    sites = [(i, k) for i, node in enumerate(ast.walk(original)) for k in range(len(list(_changes(node))))]
    for position, variant in sites:
        tree = ast.parse(source)
        list(_changes(list(ast.walk(tree))[position]))[variant]()
        found[ast.unparse(ast.fix_missing_locations(tree))] = None
    found.pop(ast.unparse(original), None)
    return tuple(found)


def _changes(node: ast.AST) -> Iterator[Callable[[], None]]:
    """The ways to change this node, as actions."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        for comparison in _COMPARISONS[type(node.ops[0])]:
            yield lambda c=comparison: node.ops.__setitem__(0, c())  # type: ignore[misc]
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        for operator in _OPERATORS[type(node.op)]:
            yield lambda o=operator: setattr(node, "op", o())  # type: ignore[misc]
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield lambda: setattr(node, "op", other)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        for value in (node.value + 1, node.value - 1):
            yield lambda v=value: setattr(node, "value", v)  # type: ignore[misc]
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        flipped = not node.value
        yield lambda: setattr(node, "value", flipped)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        test = node.test
        yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), test))
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield lambda: setattr(node, "id", _NAMES[node.id])
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield lambda: setattr(node, "attr", _NAMES[node.attr])
    elif isinstance(node, ast.For) and len(node.body) > 1:
        yield lambda: node.body.__delitem__(-1)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield lambda: node.ifs.__delitem__(-1)


class _Counting(ast.NodeTransformer):
    """Puts a step into every loop, function and condition of a comprehension."""

    def _with_step(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(_STEP))
        return node

    visit_FunctionDef = visit_For = visit_While = _with_step

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        self.generic_visit(node)
        node.ifs.append(_STEP)
        return node


_STEP = ast.Call(ast.Name("_step", ast.Load()), [], [])


@lru_cache(maxsize=4096)
def bounded_function(source: str, name: str) -> Callable[[Sequence[Any]], Any]:
    """A function of the arguments that runs a program of ours for ``MAX_STEPS``: its value, or :class:`Failed`."""
    left = 0

    def step() -> bool:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooLongError
        return True

    tree = ast.fix_missing_locations(_Counting().visit(ast.parse(source)))
    namespace: dict[str, Any] = {"_step": step}
    exec(compile(tree, f"<mutant of {name}>", "exec", dont_inherit=True), namespace)

    def run(args: Sequence[Any]) -> Any:
        nonlocal left
        left = MAX_STEPS
        try:
            return namespace[name](*copy.deepcopy(tuple(args)))
        except Exception as error:  # a bug may raise anything
            return Failed(isinstance(error, _TooLongError))

    return run


def kills(source: str, name: str, calls: Sequence[Call]) -> list[bool] | None:
    """For each call whether the program gives something else than the reference did; None if it runs for too long.

    A program that never ends is easily found, and costs every judgement its time limit.
    """
    run = bounded_function(source, name)
    killed: list[bool] = []
    for args, value in calls:
        given = run(args)
        if isinstance(given, Failed) and given.too_long:
            return None
        killed.append(repr(given) != repr(value))
    return killed
