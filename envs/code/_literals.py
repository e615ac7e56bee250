"""Reading Python literals that a policy wrote: values, arguments and plain assertions; nothing is evaluated.

Bounded by the length of the text: one regular expression without backtracking, and recursion to a fixed depth.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["NotLiteralError", "read_arguments", "read_assertions", "read_literal"]

MAX_CHARS = 20_000
MAX_DEPTH = 40
MAX_DIGITS = 1_000

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<float>[+-]?(?:\d+\.\d*(?:[eE][+-]?\d{1,3})?|\.\d+(?:[eE][+-]?\d{1,3})?|\d+[eE][+-]?\d{1,3})(?![\w.]))
      | (?P<int>[+-]?\d+(?![\w.]))
      | (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>==|[\[\](){},:])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", "'": "'", '"': '"'}
_NAMES = {"True": True, "False": False, "None": None}
_END = ("end", "")


class NotLiteralError(ValueError):
    """The text is no literal; the message says where."""


def read_literal(text: str) -> Any:
    """The value of a literal: None, booleans, numbers, text, and lists, tuples, sets and dicts of them.

    Raises:
        NotLiteralError: for anything else.
    """
    reader = _Reader(text)
    value = reader.value(0)
    reader.expect_end()
    return value


def read_arguments(text: str) -> list[Any]:
    """The values of literals separated by commas, as between the parentheses of a call.

    Raises:
        NotLiteralError: for anything else.
    """
    reader = _Reader(text)
    values = reader.items("", 0)
    reader.expect_end()
    return values


def read_assertions(text: str, name: str, limit: int) -> list[tuple[list[Any], Any]]:
    """Arguments and value of every ``assert name(arguments) == value``.

    Raises:
        NotLiteralError: if there is anything else but comments, or more than ``limit`` of them.
    """
    reader = _Reader(text)
    assertions: list[tuple[list[Any], Any]] = []
    while reader.peek() != _END:
        if len(assertions) >= limit:
            raise NotLiteralError(f"more than {limit} assertions")
        for token in (("name", "assert"), ("name", name), ("sign", "(")):
            reader.expect(token)
        args = reader.items(")", 0)
        if reader.peek() == ("name", "is"):
            reader.expect(("name", "is"))
        else:
            reader.expect(("sign", "=="))
        assertions.append((args, reader.value(0)))
    return assertions


class _Reader:
    """The tokens of a text, read from the left."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARS:
            raise NotLiteralError(f"more than {MAX_CHARS:,} characters")
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise NotLiteralError(f"{text[position : position + 20]!r} is no part of a literal")
            if match.lastgroup != "space":
                self._tokens.append((match.lastgroup or "", match.group()))
            position = match.end()
        self._next = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else _END

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self._next += 1
        return token

    def expect(self, wanted: tuple[str, str]) -> None:
        token = self.take()
        if token != wanted:
            raise NotLiteralError(f"{wanted[1]!r} is expected; got {token[1][:40]!r}")

    def expect_end(self) -> None:
        if self.peek() != _END:
            raise NotLiteralError(f"{self.peek()[1][:40]!r} comes after the literal")

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise NotLiteralError(f"nested deeper than {MAX_DEPTH}")
        kind, text = self.take()
        if kind in _SCALARS:
            return _SCALARS[kind](text)
        if kind == "name" and text in _NAMES:
            return _NAMES[text]
        if kind == "name" and text == "set":
            self.expect(("sign", "("))
            self.expect(("sign", ")"))
            return set()
        if text == "[":
            return self.items("]", depth + 1)
        if text == "(":
            return self._parenthesis(depth + 1)
        if text == "{":
            return self._braces(depth + 1)
        raise NotLiteralError(f"a value is expected; got {text[:40]!r}")

    def items(self, closing: str, depth: int) -> list[Any]:
        """Values separated by commas, up to the closing sign or the end."""
        end = ("sign", closing) if closing else _END
        values: list[Any] = []
        while self.peek() != end:
            values.append(self.value(depth))
            if self.peek() == end:
                break
            self.expect(("sign", ","))
        if closing:
            self.expect(end)
        return values

    def _parenthesis(self, depth: int) -> Any:
        values = self.items(")", depth)
        # (1) is 1, (1,) is a tuple
        single = len(values) == 1 and self._tokens[self._next - 2] != ("sign", ",")
        return values[0] if single else tuple(values)

    def _braces(self, depth: int) -> Any:
        if self.peek() == ("sign", "}"):
            self.take()
            return {}
        keys: list[Any] = []
        values: list[Any] = []
        while self.peek() != ("sign", "}"):
            keys.append(self.value(depth))
            if self.peek() == ("sign", ":"):
                self.take()
                values.append(self.value(depth))
            if self.peek() != ("sign", "}"):
                self.expect(("sign", ","))
        self.take()
        if values and len(values) != len(keys):
            raise NotLiteralError("half a dict and half a set")
        try:
            return dict(zip(keys, values, strict=True)) if values else set(keys)
        except TypeError as error:
            raise NotLiteralError(str(error)) from None


def _int(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > MAX_DIGITS or (digits[0] == "0" and digits.strip("0")):
        raise NotLiteralError(f"{text[:40]!r} is no number that can be read")
    return int(text)


def _float(text: str) -> float:
    if len(text) > MAX_DIGITS:
        raise NotLiteralError("a number with too many digits")
    return float(text)


def _string(text: str) -> str:
    def unescape(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPES:
            return _ESCAPES[code]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        raise NotLiteralError(f"the escape \\{code} is not read here")

    return _ESCAPE.sub(unescape, text[1:-1])


_SCALARS: dict[str, Callable[[str], Any]] = {"int": _int, "float": _float, "string": _string}
