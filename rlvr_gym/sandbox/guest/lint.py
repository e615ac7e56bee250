"""A small linter over the syntax tree: rules of pyflakes and ruff that say something about a short program.

F401 unused import, F811 redefinition of an unused name, F821 undefined name, F841 unused local variable, F632 ``is``
with a literal, E711/E712 comparison with None/True/False, E722 bare except, B006 mutable default, F541 f-string
without placeholders. The source is parsed, never run.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Finding", "lint"]

_MODULE_NAMES = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__doc__", "__builtins__", "__annotations__", "__spec__", "__loader__", "__package__",
}  # fmt: skip
_CLASS_NAMES = {"__module__", "__qualname__", "__class__"}


@dataclass(frozen=True)
class Finding:
    """One complaint: the line (0 where there is none), the rule's code, and what is the matter."""

    line: int
    code: str
    message: str


def lint(source: str) -> list[Finding]:
    """What there is to complain about, by line.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: if the source cannot be parsed.
    """
    tree = ast.parse(source)
    table = symtable.symtable(source, "<program>", "exec")
    lines = _first_uses(tree)
    findings = [
        *_comparisons(tree),
        *_shapes(tree),
        *_names(table, lines, _imports_all(tree)),
        *_redefinitions(tree),
    ]
    return sorted(findings, key=lambda finding: (finding.line, finding.code, finding.message))


def _first_uses(tree: ast.AST) -> dict[str, int]:
    """Each name's first line."""
    lines: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        else:
            continue
        for name in names:
            lines[name] = min(lines.get(name, 1 << 30), node.lineno)
    return lines


def _imports_all(tree: ast.AST) -> bool:
    """Whether there is an ``import *``: then any name may be defined."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return any(alias.name == "*" for node in imports for alias in node.names)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _names(table: symtable.SymbolTable, lines: dict[str, int], has_star: bool) -> Iterator[Finding]:
    scopes = list(_scopes(table))
    defined = {
        s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    defined |= {s.get_name() for scope in scopes for s in scope.get_symbols() if s.is_declared_global()}
    used = {s.get_name() for scope in scopes for s in scope.get_symbols() if s.is_referenced()}
    exported = "__all__" in defined
    for scope in scopes:
        for symbol in scope.get_symbols():
            name = symbol.get_name()
            local = symbol.is_local() or scope is table
            if symbol.is_imported() and name not in used and not exported and name != "annotations":
                yield Finding(lines.get(name, 0), "F401", f"{name} imported but unused")
            elif (symbol.is_referenced() and not local and symbol.is_global()) or (
                scope is table and symbol.is_referenced()
            ):
                known = name in defined or name in _MODULE_NAMES or name in _CLASS_NAMES
                if not known and not has_star:
                    yield Finding(lines.get(name, 0), "F821", f"undefined name {name}")
            elif _unused_local(scope, symbol):
                yield Finding(
                    lines.get(name, 0), "F841", f"local variable {name} is assigned to but never used"
                )


def _unused_local(scope: symtable.SymbolTable, symbol: symtable.Symbol) -> bool:
    return (
        scope.get_type() == "function"
        and scope.get_name() not in ("lambda", "listcomp", "setcomp", "dictcomp", "genexpr")
        and symbol.is_local()
        and symbol.is_assigned()
        and not symbol.is_referenced()
        and not symbol.is_parameter()
        and not symbol.is_namespace()
        and not symbol.is_imported()
        and not symbol.get_name().startswith("_")
        and not any(_child_uses(child, symbol.get_name()) for child in scope.get_children())
    )


def _child_uses(scope: symtable.SymbolTable, name: str) -> bool:
    """Whether a nested scope reads the name as a free variable."""
    return any(
        symbol.get_name() == name and symbol.is_free()
        for inner in _scopes(scope)
        for symbol in inner.get_symbols()
    )


def _comparisons(tree: ast.AST) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        for i, operator in enumerate(node.ops):
            pair = [side for side in operands[i : i + 2] if isinstance(side, ast.Constant)]
            singletons = [side.value for side in pair if side.value is None or isinstance(side.value, bool)]
            if isinstance(operator, (ast.Eq, ast.NotEq)) and singletons:
                code = "E711" if None in singletons else "E712"
                yield Finding(node.lineno, code, f"comparison with {singletons[0]}")
            elif isinstance(operator, (ast.Is, ast.IsNot)) and len(pair) > len(singletons):
                yield Finding(node.lineno, "F632", "is with a literal")


def _shapes(tree: ast.AST) -> Iterator[Finding]:
    # a format specification is a JoinedStr of its own inside the outer one
    specs = {id(node.format_spec) for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield Finding(node.lineno, "E722", "bare except")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if isinstance(
                    default, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
                ):
                    yield Finding(default.lineno, "B006", "mutable default argument")
        elif isinstance(node, ast.JoinedStr) and id(node) not in specs and not _placeholders(node):
            yield Finding(node.lineno, "F541", "f-string without placeholders")


def _placeholders(node: ast.JoinedStr) -> bool:
    return any(isinstance(part, ast.FormattedValue) for part in node.values)


def _redefinitions(tree: ast.Module) -> Iterator[Finding]:
    """A function or class of the module that another replaces, with no line between them that reads its name."""
    bound: dict[str, int] = {}
    for node in tree.body:
        name = getattr(node, "name", None)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                bound.pop(inner.id, None)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and isinstance(name, str):
            if name in bound and not node.decorator_list:
                yield Finding(node.lineno, "F811", f"redefinition of unused {name} from line {bound[name]}")
            bound[name] = node.lineno
