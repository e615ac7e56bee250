"""± means two values: every expression with it becomes the list of the expressions that it stands for."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from rlvr_gym.verifiers.math.budgets import TooComplex
from rlvr_gym.verifiers.math.nodes import Add, Neg, Node, PlusMinus, walk

__all__ = ["expand"]

_MOST = 4


def expand(node: Node) -> list[Node]:
    """The expressions that ``node`` stands for: itself, if there is no ± in it.

    Several ± are independent; where ± and ∓ occur together they move together.
    """
    signs = [n for n in walk(node) if isinstance(n, PlusMinus)]
    if not signs:
        return [node]
    if len(signs) > _MOST:
        raise TooComplex("many plus-minus signs")
    if any(not n.upper for n in signs) and any(n.upper for n in signs):
        return [_choose(node, [upper] * len(signs)) for upper in (True, False)]
    choices = range(2 ** len(signs))
    return [_choose(node, [not choice >> i & 1 for i in range(len(signs))]) for choice in choices]


def _choose(node: Node, signs: list[bool]) -> Node:
    """The node with its plus-minus signs replaced; ``signs`` is used up in the order of the text."""
    if isinstance(node, PlusMinus):
        left = None if node.left is None else _choose(node.left, signs)
        positive = signs.pop(0) == node.upper
        right = _choose(node.right, signs)
        right = right if positive else Neg(right)
        return right if left is None else Add((left, right))
    changes: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            changes[field.name] = _choose(value, signs)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changes[field.name] = tuple(_choose(item, signs) for item in value)
    return replace(node, **changes) if changes else node
