"""Specifications of functions: a statement, a reference, and what to call it with.

A specification is an ordinary function of ours. Its docstring is the statement, its body the reference solution, and
its keyword-only arguments are constants that every task draws anew and writes into both.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from rlvr_gym.envs.code._specs.inputs import ANY_INTS, ANY_TEXT, ANY_WORDS, Draw, Inputs, each

__all__ = ["SPECS", "Program", "Spec", "compile_function", "count_nodes", "read_definition", "spec"]


@dataclass(frozen=True)
class Program:
    """A concrete function to be written.

    Attributes:
        name: of the function.
        statement: what it does.
        source: the reference solution.
        inputs: what to call it with.
    """

    name: str
    statement: str
    source: str
    inputs: Inputs

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The reference, ready to be called."""
        return compile_function(self.source, self.name)

    @cached_property
    def _definition(self) -> ast.FunctionDef:
        body = ast.parse(self.source).body
        return next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == self.name)

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Name and annotation of each argument."""
        return tuple((a.arg, _annotation(a.annotation)) for a in self._definition.args.args)

    @property
    def gives(self) -> str:
        """The annotation of the result."""
        return _annotation(self._definition.returns)

    @property
    def signature(self) -> str:
        """The ``def`` line without its colon."""
        arguments = ", ".join(f"{name}: {kind}" for name, kind in self.parameters)
        return f"def {self.name}({arguments}) -> {self.gives}"

    @property
    def size(self) -> int:
        """The number of syntax nodes of the reference: the measured hardness."""
        return count_nodes(self.source)


def _annotation(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node)


@lru_cache(maxsize=4096)
def count_nodes(source: str) -> int:
    """The number of syntax nodes of a source of ours, without contexts, annotations and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return sum(not isinstance(node, ast.expr_context | ast.operator | ast.cmpop) for node in ast.walk(tree))


def compile_function(source: str, name: str) -> Callable[..., Any]:
    """The function ``name`` of a source that this package wrote; never used on text of a policy."""
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<{name}>", "exec", dont_inherit=True), namespace)
    function: Callable[..., Any] = namespace[name]
    return function


@dataclass(frozen=True)
class Spec:
    """A family of functions that differ in constants.

    Attributes:
        name: of the function.
        text: the statement, with ``{constant}`` in it.
        tree: the reference's definition, without decorator and docstring.
        inputs: what to call it with.
        constants: the values that each constant can have.
        total: whether it takes any list of numbers, any list of words or any text, so that it can follow others.
    """

    name: str
    text: str
    tree: ast.FunctionDef
    inputs: Inputs
    constants: dict[str, tuple[int, ...]]
    total: bool

    def program(self, rng: np.random.Generator) -> Program:
        """The function with constants that are drawn."""
        chosen = {
            name: values[int(rng.integers(len(values)))] for name, values in sorted(self.constants.items())
        }
        return self.with_constants(chosen)

    def with_constants(self, chosen: dict[str, int]) -> Program:
        """The function with these constants."""
        text = self.text
        for name, value in chosen.items():
            text = text.replace("{" + name + "}", str(value))
        return Program(self.name, text, _source(self.name, tuple(chosen.items())), self.inputs)

    @cached_property
    def size(self) -> int:
        """The reference's size, with the first constants."""
        return self.with_constants({name: values[0] for name, values in self.constants.items()}).size

    @property
    def takes(self) -> tuple[str, ...]:
        """The annotations of the arguments."""
        return tuple(_annotation(a.annotation) for a in self.tree.args.args)

    @property
    def gives(self) -> str:
        """The annotation of the result."""
        return _annotation(self.tree.returns)


class _Constants(ast.NodeTransformer):
    def __init__(self, values: dict[str, int]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self._values[node.id]) if node.id in self._values else node


@lru_cache(maxsize=4096)
def _source(name: str, chosen: tuple[tuple[str, int], ...]) -> str:
    tree = ast.parse(ast.unparse(SPECS[name].tree))  # a copy
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.args.kwonlyargs, function.args.kw_defaults = [], []
    return ast.unparse(ast.fix_missing_locations(_Constants(dict(chosen)).visit(tree)))


def read_definition(function: Callable[..., Any]) -> tuple[ast.FunctionDef, str]:
    """A function's definition without decorators and docstring, and the docstring in one line."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.decorator_list = []
    if function.__doc__:
        node.body = node.body[1:]
    return node, " ".join((function.__doc__ or "").split())


SPECS: dict[str, Spec] = {}
"""All specifications by name, in the order of the files."""

_FULL_DOMAINS = (ANY_INTS, ANY_WORDS, ANY_TEXT)


def spec(*inputs: Draw | Inputs, **constants: range) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator that makes a function a specification.

    Args:
        *inputs: one draw for each argument, or one :class:`Inputs` for all of them.
        **constants: the values of each keyword-only argument.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        if name in SPECS:
            raise ValueError(f"There are two specifications of the name {name!r}.")
        node, text = read_definition(function)
        draws = [draw for draw in inputs if isinstance(draw, Draw)]
        whole = next((i for i in inputs if isinstance(i, Inputs)), None) or each(*draws)
        total = len(draws) == 1 and any(draws[0] is domain for domain in _FULL_DOMAINS)
        values = {constant: tuple(allowed) for constant, allowed in constants.items()}
        SPECS[name] = Spec(name, text, node, whole, values, total)
        return function

    return decorate
