"""Comparing outputs and values. Everything here has plain types, so ``==`` means what it says."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rlvr_gym.errors import ConfigError, RegistrationError, UnknownNameError
from rlvr_gym.sandbox.guest.literals import Opaque, dumps

__all__ = ["Checker", "Comparison", "register_checker"]

Checker = Callable[[Any, Any, Any], bool]
"""``(given, actual, expected) -> right``; ``actual`` is untrusted, but plain."""

_checkers: dict[str, Checker] = {}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")
_LONGEST_NUMBER = 400
_MODES = ("equal", "exact", "close", "unordered", "truthy", "falsy", "tokens", "lines", "checker")


def register_checker(name: str) -> Callable[[Checker], Checker]:
    """Decorator that makes a special checker known by ``name``, for tasks with many right answers.

    Raises:
        RegistrationError: if another function has the name.
    """

    def decorate(function: Checker) -> Checker:
        if _checkers.setdefault(name, function).__qualname__ != function.__qualname__:
            raise RegistrationError(
                f"The checker name {name!r} is taken by {_checkers[name]!r}; choose another."
            )
        _checkers[name] = function
        return function

    return decorate


@dataclass(frozen=True, slots=True)
class Comparison:
    """How what a program gives is compared with what is expected.

    Attributes:
        mode: for values ``equal`` (Python's ``==``), ``exact`` (the types as well), ``close`` (numbers within the
            tolerance, at any depth), ``unordered`` (the items of the outermost list, in any order), ``truthy``,
            ``falsy``; for outputs ``equal`` or ``exact`` (the same text), ``lines`` (but for white space at the
            ends of lines and of the output), ``tokens`` (but for any white space), ``close`` (tokens, with numbers
            within the tolerance); for both ``checker``.
        checker: the name of a registered checker, for mode ``checker``.
        rel: relative tolerance of ``close``.
        abs: absolute tolerance of ``close``.
    """

    mode: str = "equal"
    checker: str = ""
    rel: float = 1e-6
    abs: float = 1e-9

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise ConfigError(f"A comparison's mode is one of {', '.join(_MODES)}; got {self.mode!r}.")

    def to_dict(self) -> dict[str, Any]:
        """The fields that differ from their defaults."""
        return {k: v for k, v in asdict(self).items() if v != getattr(_DEFAULT, k)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Comparison:
        """The inverse of :meth:`to_dict`."""
        return cls(**row)

    def values(self, given: Any, actual: Any, expected: Any) -> bool:
        """Whether a returned value is right; ``given`` is ``(args, kwargs)``."""
        if isinstance(actual, Opaque):
            return False
        match self.mode:
            case "equal":
                return bool(actual == expected)
            case "exact":
                return _canonical(actual) == _canonical(expected)
            case "close":
                return self._close(actual, expected)
            case "unordered":
                return bool(_multiset(actual) == _multiset(expected))
            case "truthy":
                return bool(actual)
            case "falsy":
                return not bool(actual)
            case "checker":
                return self._check(given, actual, expected)
        raise ConfigError(f"The mode {self.mode!r} compares outputs, not values.")

    def outputs(self, given: str, actual: bytes, expected: str) -> bool:
        """Whether a program's output is right."""
        wanted = expected.encode("utf-8", "surrogateescape")
        match self.mode:
            case "equal" | "exact":
                return actual == wanted
            case "lines":
                return _lines(actual) == _lines(wanted)
            case "tokens":
                return actual.split() == wanted.split()
            case "close":
                return self._close_tokens(actual.decode("utf-8", "replace"), expected)
            case "checker":
                return self._check(given, actual.decode("utf-8", "replace"), expected)
        raise ConfigError(f"The mode {self.mode!r} compares values, not outputs.")

    def _check(self, given: Any, actual: Any, expected: Any) -> bool:
        if self.checker not in _checkers:
            raise UnknownNameError("checker", self.checker, _checkers)
        return bool(_checkers[self.checker](given, actual, expected))

    def _near(self, a: Any, b: Any) -> bool:
        if a == b or (a != a and b != b):
            return True
        try:
            if isinstance(a, complex) or isinstance(b, complex):
                return bool(abs(a - b) <= max(self.rel * abs(b), self.abs))
            return math.isclose(a, b, rel_tol=self.rel, abs_tol=self.abs)
        except OverflowError:
            return False

    def _close(self, a: Any, b: Any) -> bool:
        if _is_number(a) and _is_number(b):
            return self._near(a, b)
        if type(a) is not type(b):
            return False
        if isinstance(a, list | tuple):
            return len(a) == len(b) and all(map(self._close, a, b))
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(self._close(a[key], b[key]) for key in b)
        return bool(a == b)

    def _close_tokens(self, actual: str, expected: str) -> bool:
        ours, theirs = actual.split(), expected.split()
        return len(ours) == len(theirs) and all(map(self._close_token, ours, theirs))

    def _close_token(self, a: str, b: str) -> bool:
        if a == b:
            return True
        if max(len(a), len(b)) > _LONGEST_NUMBER or not (_NUMBER.fullmatch(a) and _NUMBER.fullmatch(b)):
            return False
        return self._near(float(a), float(b))


_DEFAULT = Comparison()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _lines(text: bytes) -> list[bytes]:
    return [line.rstrip() for line in text.rstrip().split(b"\n")]


def _canonical(value: Any) -> str:
    """Text that is the same for values of the same types and contents: the order of sets and dicts is taken out."""
    kind = type(value)
    if kind in (set, frozenset):
        return f"{kind.__name__}({','.join(sorted(map(_canonical, value)))})"
    if kind is dict:
        return "{" + ",".join(sorted(f"{_canonical(k)}:{_canonical(v)}" for k, v in value.items())) + "}"
    if kind in (list, tuple):
        return f"{kind.__name__}({','.join(map(_canonical, value))})"
    return dumps(value)


def _multiset(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return Counter(map(_canonical, value))
    return _canonical(value)
