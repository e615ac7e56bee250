"""Whether an answer is worked out: what the policy ``simplified`` demands beyond being equal."""

from __future__ import annotations

import math

from rlvr_gym.verifiers.math.nodes import (
    Add,
    BaseNum,
    Const,
    Div,
    Func,
    Mul,
    Neg,
    Node,
    Num,
    Pow,
    Quantity,
    Relation,
    Sym,
    leaf_count,
    walk,
)

__all__ = ["is_atomic", "is_number", "is_simplified"]


def is_atomic(node: Node) -> bool:
    """A number, a name, or a fraction of whole numbers, perhaps negative."""
    if isinstance(node, Neg):
        return is_atomic(node.arg)
    if isinstance(node, Div):
        return isinstance(node.above, Num) and isinstance(node.below, Num)
    return isinstance(node, Num | Sym | Const | BaseNum)


def is_number(node: Node) -> bool:
    """A single number, perhaps with a unit or after ``x =``."""
    if isinstance(node, Relation):
        return all(op == "=" for op in node.ops) and is_number(node.operands[-1])
    if isinstance(node, Quantity):
        return is_number(node.value)
    return is_atomic(node) and not isinstance(node, Sym)


def is_simplified(answer: Node, gold: Node) -> bool:
    """Whether every part is reduced and evaluated, and the whole is no longer than the reference."""
    if leaf_count(answer) > leaf_count(gold):
        return False
    return not any(_is_unfinished(part) for part in walk(answer))


def _is_unfinished(node: Node) -> bool:
    """A fraction to be reduced, numbers to be added or multiplied, a root with a square in it."""
    if isinstance(node, Div):
        above = node.above.arg if isinstance(node.above, Neg) else node.above
        if isinstance(above, Num) and isinstance(node.below, Num):
            whole = above.value.denominator == 1 and node.below.value.denominator == 1
            return (
                not whole or math.gcd(int(above.value), int(node.below.value)) != 1 or node.below.value == 1
            )
        return False
    if isinstance(node, Add | Mul):
        numbers = [
            arg for arg in node.args if isinstance(arg.arg if isinstance(arg, Neg) else arg, Num | Div)
        ]
        constant = [n for n in numbers if is_atomic(n)]
        return len(constant) > 1
    if isinstance(node, Pow):
        return (
            isinstance(node.base, Num)
            and isinstance(node.exponent, Num)
            and node.exponent.value.denominator == 1
        )
    if isinstance(node, Func) and node.name == "root":
        return _has_power(node)
    if isinstance(node, Func) and node.name in ("factorial", "binom", "gcd", "lcm"):
        return all(isinstance(arg, Num) for arg in node.args)
    return False


def _has_power(node: Func) -> bool:
    radicand, degree = node.args
    if not isinstance(radicand, Num) or not isinstance(degree, Num) or degree.value.denominator != 1:
        return False
    if radicand.value.denominator != 1:
        return True
    value, n = abs(int(radicand.value)), int(degree.value)
    if value < 2 or not 2 <= n <= 60:
        return value < 2
    return any(value % p**n == 0 for p in range(2, min(2000, math.isqrt(value) + 2)))
