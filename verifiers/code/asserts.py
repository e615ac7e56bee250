"""Test sources made of plain assertions, as cases: then nothing of the tests runs beside the solution.

Understood: ``assert f(literals) == literal`` (also ``is``, either way round), ``assert f(...)``, ``assert not
f(...)``, ``assert abs(f(...) - number) < tolerance``, ``assert math.isclose(f(...), number, ...)`` and ``assert True``;
bare, or as the body of HumanEval's ``check(candidate)``. If a single statement is anything else, the whole source is
run as it is, in a sandbox of its own.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from rlvr_gym.verifiers.code.cases import Case
from rlvr_gym.verifiers.code.compare import Comparison

__all__ = ["cases_from_asserts"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COLLECTIONS: dict[str, Callable[..., Any]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict,
}  # fmt: skip


class _Untranslatable(Exception):
    pass


def cases_from_asserts(source: str, entry: str) -> list[Case] | None:
    """The cases that a test source consists of; None if it is more than plain assertions.

    Args:
        source: of a task, trusted.
        entry: the function that it tests, which it calls by this name or as ``candidate``.
    """
    try:
        tree = ast.parse(source)
        return list(_cases(_statements(tree), {entry, "candidate"})) or None
    except (_Untranslatable, SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError):
        return None


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """The assertions: of the module, and of ``check`` if it is defined; metadata and calls of ``check`` drop out."""
    statements: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "check":
            statements += node.body
        elif (isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["METADATA"]) or (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and _name(node.value.func) == "check"
        ):
            continue
        else:
            statements.append(node)
    return statements


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _cases(statements: list[ast.stmt], names: set[str]) -> Iterator[Case]:
    for node in statements:
        if isinstance(node, ast.Pass) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.Name)
        ):
            continue
        if not isinstance(node, ast.Assert):
            raise _Untranslatable
        if isinstance(node.test, ast.Constant) and node.test.value:
            continue
        yield _case(node.test, names)


def _case(test: ast.expr, names: set[str]) -> Case:
    if isinstance(test, ast.Call):
        if ast.unparse(test.func) in ("math.isclose", "isclose"):
            return _isclose(test, names)
        return Case(_call(test, names), True, Comparison("truthy"))
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return Case(_call(test.operand, names), False, Comparison("falsy"))
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        raise _Untranslatable
    left, operation, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operation, ast.Lt | ast.LtE):
        return _distance(left, right, names)
    if isinstance(operation, ast.Is):
        value = _literal(right)
        if value is not None and not isinstance(value, bool):
            raise _Untranslatable
        return Case(_call(left, names), value, Comparison("exact"))
    if not isinstance(operation, ast.Eq):
        raise _Untranslatable
    if not _is_call(left, names):
        left, right = right, left
    return Case(_call(left, names), _literal(right))


def _is_call(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) in names


def _call(node: ast.expr, names: set[str]) -> tuple[list[Any], dict[str, Any]]:
    if not isinstance(node, ast.Call) or not _is_call(node, names):
        raise _Untranslatable
    arguments = [_literal(argument) for argument in node.args]
    keywords = {keyword.arg: _literal(keyword.value) for keyword in node.keywords}
    if None in keywords:
        raise _Untranslatable
    return arguments, {str(name): value for name, value in keywords.items()}


def _distance(left: ast.expr, right: ast.expr, names: set[str]) -> Case:
    """``abs(f(...) - number) < tolerance``."""
    if not (isinstance(left, ast.Call) and _name(left.func) == "abs" and len(left.args) == 1):
        raise _Untranslatable
    difference = left.args[0]
    if not (isinstance(difference, ast.BinOp) and isinstance(difference.op, ast.Sub)):
        raise _Untranslatable
    call, number = difference.left, difference.right
    if not _is_call(call, names):
        call, number = number, call
    return Case(_call(call, names), _number(number), Comparison("close", rel=0.0, abs=float(_number(right))))


def _isclose(test: ast.Call, names: set[str]) -> Case:
    if len(test.args) != 2:
        raise _Untranslatable
    tolerances = {str(keyword.arg): float(_number(keyword.value)) for keyword in test.keywords}
    if not tolerances.keys() <= {"rel_tol", "abs_tol"}:
        raise _Untranslatable
    call, number = test.args if _is_call(test.args[0], names) else reversed(test.args)
    comparison = Comparison("close", rel=tolerances.get("rel_tol", 1e-9), abs=tolerances.get("abs_tol", 0.0))
    return Case(_call(call, names), _number(number), comparison)


def _number(node: ast.expr) -> float:
    value = _literal(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Untranslatable
    return value


def _literal(node: ast.expr) -> Any:
    """The value of a literal, with arithmetic on numbers and the names of collections."""
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_number(node.left), _number(node.right))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = [_literal(item) for item in node.elts]
        return (
            items
            if isinstance(node, ast.List)
            else tuple(items)
            if isinstance(node, ast.Tuple)
            else set(items)
        )
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise _Untranslatable
        return {
            _literal(key): _literal(v)
            for key, v in zip(node.keys, node.values, strict=True)
            if key is not None
        }
    if isinstance(node, ast.Call) and _name(node.func) in _COLLECTIONS and not node.keywords:
        return _COLLECTIONS[_name(node.func)](*[_literal(argument) for argument in node.args])
    return ast.literal_eval(node)
