"""SymPy: from trees to its objects, and its simplification as the last resort, in a worker that can be killed."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

from rlvr_gym.errors import RLVRError
from rlvr_gym.executor.base import Executor, make_executor
from rlvr_gym.verifiers.math.budgets import MAX_BITS, MAX_FACTORIAL, TooComplex, Unreadable
from rlvr_gym.verifiers.math.forms import rational_value
from rlvr_gym.verifiers.math.nodes import (
    Add,
    BaseNum,
    Bracket,
    Call,
    Const,
    Div,
    Func,
    Listing,
    Matrix,
    Mul,
    NamedSet,
    Neg,
    Node,
    Num,
    Pow,
    Quantity,
    Ratio,
    Relation,
    Sym,
)

__all__ = ["TimedOut", "simplifies_to_zero", "to_sympy"]


class TimedOut(Exception):
    """SymPy did not answer in its time: nothing is known about the answer."""


def to_sympy(node: Node, **assumptions: bool) -> Any:
    """The SymPy object that a tree means, built node by node from the whitelist.

    Expressions, tuples (``sympy.Tuple``), sets (``FiniteSet``), matrices, single relations and number sets are
    covered; lists become tuples.

    Args:
        node: the tree.
        assumptions: for every symbol, such as ``real=True``.

    Raises:
        Unreadable: at a node that has no SymPy counterpart.
        TooComplex: at numbers that SymPy would evaluate to millions of digits.
    """
    return _Converter(assumptions).convert(node)


class _Converter:
    def __init__(self, assumptions: dict[str, bool]) -> None:
        import sympy

        self.sympy = sympy
        self.assumptions = assumptions

    def convert(self, node: Node) -> Any:
        visit = self._VISIT.get(type(node))
        if visit is None:
            raise Unreadable(f"no SymPy counterpart of {type(node).__name__}")
        return visit(self, node)

    def _rational(self, value: Fraction) -> Any:
        return self.sympy.Rational(value.numerator, value.denominator)

    def _const(self, node: Const) -> Any:
        s = self.sympy
        return {"pi": s.pi, "e": s.E, "i": s.I, "infinity": s.oo}[node.name]

    def _pow(self, node: Pow) -> Any:
        exponent = rational_value(node.exponent)
        base = rational_value(node.base)
        if exponent is not None and base is not None:
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if bits * abs(exponent) > MAX_BITS:
                raise TooComplex("a large power")
        elif exponent is not None and abs(exponent) > 1000:
            raise TooComplex("a large power")
        return self.sympy.Pow(self.convert(node.base), self.convert(node.exponent))

    def _quantity(self, node: Quantity) -> Any:
        if node.unit.dimension:
            raise Unreadable("a unit")
        value = self.convert(node.value) * self._rational(node.unit.factor)
        return value * self.sympy.pi if node.unit.pi else value

    def _func(self, node: Func) -> Any:
        s, name = self.sympy, node.name
        if name in ("factorial", "binom"):
            sizes = [rational_value(arg) for arg in node.args]
            if any(size is not None and abs(size) > MAX_FACTORIAL for size in sizes):
                raise TooComplex("a large factorial")
        args = [self.convert(arg) for arg in node.args]
        if name == "root":
            return (
                s.real_root(args[0], args[1])
                if args[0].is_number and args[1] != 2
                else s.root(args[0], args[1])
            )
        if name == "det":
            return args[0].det()
        function = getattr(s, _SYMPY_NAMES.get(name, ""), None)
        if function is None:
            raise Unreadable(f"no SymPy counterpart of {name}")
        return function(*args)

    def _relation(self, node: Relation) -> Any:
        if len(node.ops) != 1 or node.ops[0] not in _RELATIONS:
            raise Unreadable("a chain of relations")
        return getattr(self.sympy, _RELATIONS[node.ops[0]])(*map(self.convert, node.operands), evaluate=False)

    def _bracket(self, node: Bracket) -> Any:
        items = [self.convert(item) for item in node.items]
        if (node.left, node.right) in (("(", ")"), ("<", ">")):
            return self.sympy.Tuple(*items)
        if node.left == "\\{":
            return self.sympy.FiniteSet(*items)
        if len(items) == 2:
            return self.sympy.Interval(*items, left_open=node.left != "[", right_open=node.right != "]")
        return self.sympy.Tuple(*items)

    def _set(self, node: NamedSet) -> Any:
        names = {"R": "Reals", "Q": "Rationals", "Z": "Integers", "N": "Naturals", "C": "Complexes"}
        return self.sympy.S.EmptySet if node.name == "empty" else getattr(self.sympy.S, names[node.name])

    def _ratio(self, node: Ratio) -> Any:
        if len(node.items) != 2:
            raise Unreadable("a ratio of several")
        return self.convert(node.items[0]) / self.convert(node.items[1])

    _VISIT: ClassVar[dict[type[Node], Callable[[_Converter, Any], Any]]] = {
        Num: lambda self, n: self._rational(n.value),
        BaseNum: lambda self, n: self.sympy.Integer(int(n.digits, n.base)),
        Sym: lambda self, n: self.sympy.Symbol(n.name, **self.assumptions),
        Const: _const,
        Neg: lambda self, n: -self.convert(n.arg),
        Add: lambda self, n: self.sympy.Add(*map(self.convert, n.args)),
        Mul: lambda self, n: self.sympy.Mul(*map(self.convert, n.args)),
        Div: lambda self, n: self.convert(n.above) / self.convert(n.below),
        Pow: _pow,
        Quantity: _quantity,
        Func: _func,
        Call: lambda self, n: self.sympy.Function(n.name)(*map(self.convert, n.args)),
        Relation: _relation,
        Bracket: _bracket,
        Listing: lambda self, n: self.sympy.Tuple(*map(self.convert, n.items)),
        NamedSet: _set,
        Matrix: lambda self, n: self.sympy.Matrix([[self.convert(e) for e in row] for row in n.rows]),
        Ratio: _ratio,
    }


_RELATIONS = {"=": "Eq", "!=": "Ne", "<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge"}
_SYMPY_NAMES = {
    **{name: name for name in ["sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch", "log", "exp", "floor", "sign", "arg", "re", "im"]},
    **{f"arc{name}": f"a{name}" for name in ["sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"]},
    "ln": "log", "abs": "Abs", "ceil": "ceiling", "factorial": "factorial", "binom": "binomial", "gcd": "gcd",
    "lcm": "lcm", "max": "Max", "min": "Min",
}  # fmt: skip


# -- the last resort ---------------------------------------------------------------------------------------------


def simplifies_to_zero(a: Node, b: Node, seconds: float = 0.4) -> bool | None:
    """Whether SymPy simplifies ``a - b`` to zero; None where it cannot tell.

    Raises:
        TimedOut: if its worker is not ready, is busy, or takes longer than ``seconds``.
    """
    return _Worker.of_this_process().ask((a, b), seconds)


class _Worker:
    """One worker process, started at first need and shared by all threads of this process."""

    _current: _Worker | None = None
    _owner = 0
    _guard = threading.Lock()

    def __init__(self) -> None:
        self._executor: Executor = make_executor("process", workers=1)
        self._turn = threading.Lock()
        self._ready = threading.Event()
        threading.Thread(target=self._warm_up, name="rlvr-gym SymPy warm-up", daemon=True).start()

    @classmethod
    def of_this_process(cls) -> _Worker:
        """The worker; after a fork, a new one."""
        with cls._guard:
            if cls._current is None or cls._owner != os.getpid():
                cls._current, cls._owner = cls(), os.getpid()
            return cls._current

    def _warm_up(self) -> None:
        with contextlib.suppress(RLVRError):  # the interpreter may end before SymPy is there
            if self._executor.map(_import_sympy, [None], timeout=60)[0].failure is None:
                self._ready.set()

    def ask(self, pair: tuple[Node, Node], seconds: float) -> bool | None:
        if not self._ready.wait(seconds) or not self._turn.acquire(timeout=seconds):
            raise TimedOut("SymPy is not ready")
        try:
            outcome = self._executor.map(_is_zero, [pair], timeout=seconds)[0]
        finally:
            self._turn.release()
        if outcome.failure in ("timeout", "crashed"):
            raise TimedOut("SymPy took too long")
        verdict: bool | None = outcome.value
        return verdict


def _import_sympy(_: None) -> None:
    import sympy

    sympy.simplify(sympy.Symbol("x"))


def _is_zero(pair: tuple[Node, Node]) -> bool | None:
    """Runs in the worker."""
    import sympy

    difference = to_sympy(pair[0]) - to_sympy(pair[1])
    if difference.has(sympy.nan, sympy.zoo):
        return None
    if sympy.simplify(difference) == 0:
        return True
    verdict: bool | None = difference.equals(0)
    return verdict
