r"""Arithmetic expressions out of untrusted text: an own tokenizer and parser over Fractions, never ``eval``.

Grammar (all brackets are alike, as long as they match)::

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = ("+" | "-") factor | number | "(" sum ")" | \frac group group
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rlvr_gym.verdict import Reason

__all__ = ["Expression", "ExpressionError", "parse_expression"]

MAX_CHARS = 1000
MAX_DEPTH = 50
MAX_DIGITS = 20

_OPERATORS = {
    **dict.fromkeys(["+", "\uff0b"], "+"),
    **dict.fromkeys(["-", "\u2212", "\u2013", "\ufe63", "\uff0d"], "-"),
    **dict.fromkeys(
        ["*", "\u00d7", "\u22c5", "\u00b7", "\u2217", "x", "X", r"\times", r"\cdot", r"\ast"], "*"
    ),
    **dict.fromkeys(["/", "\u00f7", "\u2215", "\u2044", r"\div"], "/"),
}
_CLOSING = {"(": ")", "[": "]", "{": "}", "\uff08": "\uff09"}
_FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac"})
_FORBIDDEN = frozenset({"**", "^", "!", "%", "//", r"\sqrt", "\u221a"})
_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\*\*|//|\\[a-zA-Z]+|\\[!,;: ]|\\[{}]|\S")
# "\left(" is "(", and spacing is nothing
_SILENT = frozenset(
    {r"\left", r"\right", r"\big", r"\Big", r"\bigl", r"\bigr", r"\quad", r"\,", r"\;", r"\:", r"\!", "\\ "}
)


class ExpressionError(Exception):
    """The text is no expression of the grammar.

    Attributes:
        reason: ``unparseable``, ``too_complex``, or ``rule_broken`` for operators that exist but are not allowed.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression says.

    Attributes:
        value: its exact value; None if it divides by zero.
        numbers: the number literals, from left to right.
        operations: how many binary operations it has.
    """

    value: Fraction | None
    numbers: tuple[Fraction, ...]
    operations: int


def parse_expression(text: str) -> Expression:
    r"""Reads an expression: ``(25 - 7) * 4 / 3``, with ``× · ÷ − \times \cdot \div \frac{}{}`` and any brackets.

    Raises:
        ExpressionError: if it is none, or is longer than 1,000 characters, nested deeper than 50 levels, or has a
            number of more than 20 digits.
    """
    if len(text) > MAX_CHARS:
        raise ExpressionError(Reason.TOO_COMPLEX, f"more than {MAX_CHARS} characters")
    parser = _Parser(_tokens(text))
    value = parser.sum(0)
    if parser.peek() is not None:
        raise ExpressionError(Reason.UNPARSEABLE, f"{parser.peek()!r} is not expected here")
    return Expression(value, tuple(parser.numbers), parser.operations)


def _tokens(text: str) -> list[str]:
    tokens = []
    for token in _TOKEN.findall(text):
        if token in _FORBIDDEN:
            raise ExpressionError(Reason.RULE_BROKEN, f"{token!r} is not allowed; use + - * /")
        if token not in _SILENT:
            tokens.append(token[1] if token in (r"\{", r"\}") else _OPERATORS.get(token, token))
    return tokens


class _Parser:
    """Recursive descent that evaluates on the way; None stands for "divides by zero" and spreads upwards."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0
        self.numbers: list[Fraction] = []
        self.operations = 0

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise ExpressionError(Reason.UNPARSEABLE, "it ends too early")
        self.position += 1
        return token

    def sum(self, depth: int) -> Fraction | None:
        value = self.product(depth)
        while self.peek() in ("+", "-"):
            value = self.combine(self.take(), value, self.product(depth))
        return value

    def product(self, depth: int) -> Fraction | None:
        value = self.factor(depth)
        while self.peek() in ("*", "/"):
            value = self.combine(self.take(), value, self.factor(depth))
        return value

    def combine(self, operator: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
        self.operations += 1
        if left is None or right is None:
            return None
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
        return left / right if right else None

    def factor(self, depth: int) -> Fraction | None:
        if depth > MAX_DEPTH:
            raise ExpressionError(Reason.TOO_COMPLEX, f"nested deeper than {MAX_DEPTH} levels")
        token = self.take()
        if token in ("+", "-"):
            value = self.factor(depth + 1)
            return -value if token == "-" and value is not None else value
        if token in _FRACTIONS:
            return self.combine("/", self.group(depth), self.group(depth))
        if token in _CLOSING:
            self.position -= 1
            return self.group(depth)
        return self.number(token)

    def group(self, depth: int) -> Fraction | None:
        opening = self.take()
        if opening not in _CLOSING:
            raise ExpressionError(Reason.UNPARSEABLE, f"a bracket is expected, not {opening!r}")
        value = self.sum(depth + 1)
        closing = self.take()
        if closing != _CLOSING[opening]:
            raise ExpressionError(Reason.UNPARSEABLE, f"{opening!r} is closed by {closing!r}")
        return value

    def number(self, token: str) -> Fraction:
        if not (token.isascii() and token[0].isdigit()):
            raise ExpressionError(Reason.UNPARSEABLE, f"{token!r} is neither a number nor an operator")
        if len(token) > MAX_DIGITS:
            raise ExpressionError(Reason.TOO_COMPLEX, f"a number of more than {MAX_DIGITS} digits")
        number = Fraction(token)
        self.numbers.append(number)
        return number
