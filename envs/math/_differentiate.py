"""Derivatives of parsed answers, rule by rule on the syntax tree."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rlvr_gym.envs.math._expressions import read
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifiers.math.budgets import Fuel, TooComplex
from rlvr_gym.verifiers.math.nodes import (
    Add,
    Bracket,
    Const,
    Div,
    Func,
    Mul,
    Neg,
    Node,
    Num,
    Pow,
    Sym,
    symbols,
)

__all__ = ["differentiate", "judge_function"]

_STEPS = 500_000
"""Derivatives are longer than most answers; this is still below a second."""

_ZERO, _ONE, _TWO = (Num(Fraction(n)) for n in (0, 1, 2))


class NotDifferentiable(Exception):
    """The expression holds something that has no rule here."""


def _square(u: Node) -> Node:
    return Pow(u, _TWO)


_SLOPES: dict[str, Callable[[Node], Node]] = {
    "sin": lambda u: Func("cos", (u,)),
    "cos": lambda u: Neg(Func("sin", (u,))),
    "tan": lambda u: Add((_ONE, _square(Func("tan", (u,))))),
    "cot": lambda u: Neg(Add((_ONE, _square(Func("cot", (u,)))))),
    "sec": lambda u: Mul((Func("sec", (u,)), Func("tan", (u,)))),
    "csc": lambda u: Neg(Mul((Func("csc", (u,)), Func("cot", (u,))))),
    "exp": lambda u: Func("exp", (u,)),
    "ln": lambda u: Div(_ONE, u),
    "sinh": lambda u: Func("cosh", (u,)),
    "cosh": lambda u: Func("sinh", (u,)),
    "arctan": lambda u: Div(_ONE, Add((_ONE, _square(u)))),
    "arcsin": lambda u: Div(_ONE, Func("root", (Add((_ONE, Neg(_square(u)))), _TWO))),
}
"""The derivative of each function with respect to its argument."""


def differentiate(node: Node, variable: str = "x") -> Node:
    """The derivative; other symbols, such as a constant of integration, are constants.

    Raises:
        NotDifferentiable: if there is no rule for a part that depends on the variable.
    """

    def slope(part: Node) -> Node:
        return differentiate(part, variable)

    if variable not in symbols(node):
        return _ZERO
    match node:
        case Sym():
            return _ONE
        case Bracket(items=(item,)):
            return slope(item)
        case Neg(arg=arg):
            return Neg(slope(arg))
        case Add(args=args):
            return Add(tuple(map(slope, args)))
        case Mul(args=args):
            changes = [Mul((*args[:i], slope(part), *args[i + 1 :])) for i, part in enumerate(args)]
            return Add((*changes, _ZERO))
        case Div(above=above, below=below):
            change = Add((Mul((slope(above), below)), Neg(Mul((above, slope(below))))))
            return Div(change, _square(below))
        case Pow(base=base, exponent=exponent):
            return _power(base, exponent, variable)
        case Func(name="root", args=(inside, degree)) if variable not in symbols(degree):
            return Mul((Div(_ONE, degree), Div(node, inside), slope(inside)))
        case Func(name="ln", args=(Func(name="abs", args=(inside,)),)):
            return Div(slope(inside), inside)
        case Func(name=name, args=(inside,)) if name in _SLOPES:
            return Mul((_SLOPES[name](inside), slope(inside)))
    raise NotDifferentiable(type(node).__name__)


def _power(base: Node, exponent: Node, variable: str) -> Node:
    fixed_base, fixed_exponent = variable not in symbols(base), variable not in symbols(exponent)
    if fixed_exponent:
        return Mul((exponent, Pow(base, Add((exponent, Neg(_ONE)))), differentiate(base, variable)))
    if base == Const("e"):
        return Mul((Pow(base, exponent), differentiate(exponent, variable)))
    if fixed_base:
        return Mul((Pow(base, exponent), Func("ln", (base,)), differentiate(exponent, variable)))
    raise NotDifferentiable("x^x")


def judge_function(answer: str, wanted: str, change: Callable[[Node], Node] | None = None) -> Verdict:
    """Whether an answer is the wanted function of x, after ``change`` (such as :func:`differentiate`)."""
    from rlvr_gym.verifiers.math.compare import same_answer
    from rlvr_gym.verifiers.math.policy import DEFAULT
    from rlvr_gym.verifiers.math.symbolic import TimedOut

    shown = answer[:200]
    node, gold = read(answer), read(wanted)
    if gold is None:
        return Verdict.failed(Reason.VERIFIER_ERROR, shown, error=f"the reference {wanted!r} cannot be read")
    try:
        if node is None:
            return Verdict.wrong(Reason.UNPARSEABLE, shown)
        same = same_answer(gold, change(node) if change is not None else node, DEFAULT, Fuel(_STEPS))
    except NotDifferentiable:
        return Verdict.wrong(Reason.UNPARSEABLE, shown)
    except (TooComplex, TimedOut, RecursionError):
        return Verdict.wrong(Reason.TOO_COMPLEX, shown)
    return Verdict.right(shown) if same else Verdict.wrong(extracted=shown)
