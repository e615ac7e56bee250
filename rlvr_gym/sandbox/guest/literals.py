"""Plain Python values as JSON and back, for both sides of the sandbox's wall.

JSON carries None, booleans, text and small whole numbers as they are; everything else is a list whose first item is
a tag: ``["l", ...]`` list, ``["t", ...]`` tuple, ``["s", ...]`` set, ``["z", ...]`` frozenset, ``["d", k, v, k, v]``
dict, ``["f", hex]`` float, ``["i", hex]`` large int, ``["c", hex, hex]`` complex, ``["b", hex]`` bytes and ``["o",
name]`` for an object of any other class. Types are matched exactly: an instance of a subclass, whose ``__eq__`` could
say anything, is of "any other class".
"""

from __future__ import annotations

import collections
import json
from typing import Any

__all__ = ["MAX_DEPTH", "LiteralError", "Opaque", "decode", "dumps", "encode", "loads"]

MAX_DEPTH = 100
MAX_ODD_KEYS = 5_000
"""Most members of a set or dict that are neither text nor small numbers: their hashes can be made to collide."""

_SMALL = 2**53
_SEQUENCES: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z"}
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)


class LiteralError(ValueError):
    """The text or value is outside what can be carried."""


class Opaque:
    """An object that is no plain value: equal to nothing, itself included."""

    __slots__ = ("name",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return False

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is neither true nor false")

    def __repr__(self) -> str:
        return f"<object of class {self.name}>"


def encode(value: Any, depth: int = 0) -> Any:
    """The JSON form of a value.

    Raises:
        LiteralError: if it is nested deeper than ``MAX_DEPTH``.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if -_SMALL < value < _SMALL else ["i", hex(value)]
    if kind is float:
        return ["f", value.hex()]
    if depth >= MAX_DEPTH:
        raise LiteralError(f"A value may be nested {MAX_DEPTH} deep.")
    if kind in _SEQUENCES:
        return [_SEQUENCES[kind], *[encode(item, depth + 1) for item in value]]
    if kind in _MAPPINGS:
        return ["d", *[encode(part, depth + 1) for pair in kind.items(value) for part in pair]]
    if kind is complex:
        return ["c", value.real.hex(), value.imag.hex()]
    if kind is bytes:
        return ["b", value.hex()]
    return ["o", str(kind.__name__)[:100]]


def decode(data: Any, depth: int = 0) -> Any:
    """The inverse of :func:`encode`; objects of other classes become :class:`Opaque`.

    Raises:
        LiteralError: if ``data`` is not of the form above.
    """
    if data is None or isinstance(data, (bool, str)):
        return data
    if type(data) is int and -_SMALL < data < _SMALL:
        return data
    if type(data) is not list or not data or depth > MAX_DEPTH:
        raise LiteralError("Not a plain value.")
    tag, *items = data
    if tag in ("l", "t", "s", "z", "d"):
        return _collection(tag, [decode(item, depth + 1) for item in items])
    if not all(type(item) is str for item in items) or len(items) != (2 if tag == "c" else 1):
        raise LiteralError("Not a plain value.")
    return _scalar(tag, items)


def _collection(tag: str, values: list[Any]) -> Any:
    if tag == "l":
        return values
    if tag == "t":
        return tuple(values)
    keys = values[::2] if tag == "d" else values
    if (
        sum(not isinstance(k, str) and not (type(k) is int and -_SMALL < k < _SMALL) for k in keys)
        > MAX_ODD_KEYS
    ):
        raise LiteralError(
            f"A set or dict may have {MAX_ODD_KEYS} members that are not text or small numbers."
        )
    try:
        if tag == "d":
            return dict(zip(keys, values[1::2], strict=True))
        return frozenset(values) if tag == "z" else set(values)
    except (TypeError, ValueError) as error:
        raise LiteralError(str(error)) from None


def _scalar(tag: Any, items: list[str]) -> Any:
    try:
        if tag == "f":
            return float.fromhex(items[0])
        if tag == "i":
            return int(items[0], 16)
        if tag == "c":
            return complex(float.fromhex(items[0]), float.fromhex(items[1]))
        if tag == "b":
            return bytes.fromhex(items[0])
    except (ValueError, OverflowError) as error:
        raise LiteralError(str(error)) from None
    if tag == "o":
        return Opaque(items[0])
    raise LiteralError("Not a plain value.")


def dumps(value: Any) -> str:
    """:func:`encode` as one line of ASCII text."""
    return json.dumps(encode(value), separators=(",", ":"), allow_nan=False)


def loads(text: str) -> Any:
    """:func:`decode` of :func:`dumps`; total on any text.

    ``json`` neither evaluates nor imports anything, reads in linear time and counts its own recursion; whole numbers
    beyond 4,300 digits, which would take quadratic time, are refused by ``int``.

    Raises:
        LiteralError: for anything that :func:`dumps` does not write.
    """
    try:
        return decode(json.loads(text, parse_float=_no_float, parse_constant=_no_float))
    except LiteralError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise LiteralError(f"Not a plain value: {type(error).__name__}") from None


def _no_float(text: str) -> float:
    raise LiteralError("Floats are written in hex.")
