r"""Regular expressions of a small language, matched in linear time by Thompson's construction (CACM 11:6, 1968).

The language: characters, ``.``, classes ``[a-z_]`` and ``[^...]``, ``\d \w \s``, escaped signs, groups ``( )`` and
``(?: )``, ``|``, ``* + ?`` and ``{m} {m,} {m,n}``. The whole string has to match. There are no back references,
look-arounds or anchors, so that matching takes (states) x (characters) steps and never more.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["PatternError", "compile_pattern", "count_states"]

MAX_PATTERN = 400
MAX_STATES = 4_000
MAX_DEPTH = 30
MAX_REPEAT = 60

_SETS = {
    "d": frozenset(string.digits),
    "w": frozenset(string.ascii_letters + string.digits + "_"),
    "s": frozenset(" \t\n\r\f\v"),
}
_SIGNS = frozenset("*+?{}()|[]")


class PatternError(ValueError):
    """The pattern is not of the language, or too large."""


@dataclass(frozen=True, slots=True)
class _Chars:
    """One character in ``members``, or, if ``negated``, not in it."""

    members: frozenset[str]
    negated: bool = False

    def matches(self, c: str) -> bool:
        return (c in self.members) != self.negated


@dataclass(slots=True)
class _State:
    """Reads a character and goes to ``after``, or, without ``chars``, goes to all of ``free`` at once."""

    chars: _Chars | None = None
    after: int = -1
    free: list[int] = field(default_factory=list)


_Fragment = tuple[int, int]
"""Its first state, and its last, which goes nowhere yet."""


class _Builder:
    """Reads a pattern and builds the automaton at once."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > MAX_PATTERN:
            raise PatternError(f"A pattern has at most {MAX_PATTERN} characters.")
        self._pattern = pattern
        self._position = 0
        self.states: list[_State] = []

    def build(self) -> _Fragment:
        fragment = self._alternatives(0)
        if self._position < len(self._pattern):
            raise PatternError("There is a ) without its (.")
        return fragment

    def _peek(self) -> str:
        return self._pattern[self._position : self._position + 1]

    def _take(self) -> str:
        c = self._peek()
        if not c:
            raise PatternError("The pattern ends too early.")
        self._position += 1
        return c

    def _new(self, chars: _Chars | None = None) -> int:
        if len(self.states) >= MAX_STATES:
            raise PatternError("The pattern is too large.")
        self.states.append(_State(chars))
        return len(self.states) - 1

    def _alternatives(self, depth: int) -> _Fragment:
        if depth > MAX_DEPTH:
            raise PatternError(f"Groups are nested deeper than {MAX_DEPTH}.")
        first, last = self._new(), self._new()
        while True:
            start, end = self._sequence(depth)
            self.states[first].free.append(start)
            self.states[end].free.append(last)
            if self._peek() != "|":
                return first, last
            self._take()

    def _sequence(self, depth: int) -> _Fragment:
        first = last = self._new()
        while self._peek() not in ("", "|", ")"):
            start, end = self._repeated(depth)
            self.states[last].free.append(start)
            last = end
        return first, last

    def _repeated(self, depth: int) -> _Fragment:
        begin = self._position
        atom = self._atom(depth)
        end = self._position
        if self._peek() not in ("*", "+", "?", "{"):
            return atom
        least, most = self._bounds()
        if self._peek() in ("*", "+", "?", "{"):
            raise PatternError("A repetition of a repetition needs a group.")
        return self._copies((begin, end), least, most, depth)

    def _bounds(self) -> tuple[int, int | None]:
        sign = self._take()
        if sign != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        close = self._pattern.find("}", self._position)
        low, comma, high = self._pattern[self._position : max(close, self._position)].partition(",")
        if close == -1 or not (_number(low) and (not high or _number(high))):
            raise PatternError("A repetition looks like {3}, {3,} or {3,5}.")
        self._position = close + 1
        least = int(low)
        most = least if not comma else (int(high) if high else None)
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise PatternError(f"Repetitions go up to {MAX_REPEAT}.")
        return least, most

    def _copies(self, span: tuple[int, int], least: int, most: int | None, depth: int) -> _Fragment:
        """The atom in ``span`` again and again: reading it anew builds a copy."""
        after = self._position
        first = last = self._new()

        def copy() -> _Fragment:
            self._position = span[0]
            fragment = self._atom(depth)
            self._position = after
            return fragment

        for _ in range(least):
            start, end = copy()
            self.states[last].free.append(start)
            last = end
        final = self._new()
        if most is None:
            start, end = copy()
            self.states[last].free += [start, final]
            self.states[end].free += [start, final]
            return first, final
        for _ in range(most - least):
            start, end = copy()
            self.states[last].free += [start, final]
            last = end
        self.states[last].free.append(final)
        return first, final

    def _atom(self, depth: int) -> _Fragment:
        c = self._take()
        if c == "(":
            if self._pattern.startswith("?:", self._position):
                self._position += 2
            fragment = self._alternatives(depth + 1)
            if self._peek() != ")":
                raise PatternError("There is a ( without its ).")
            self._take()
            return fragment
        if c == "[":
            return self._reading(self._class())
        if c == "\\":
            return self._reading(_Chars(self._escaped()))
        if c == ".":
            return self._reading(_Chars(frozenset("\n"), negated=True))
        if c in _SIGNS or c in "^$":
            raise PatternError(f"A {c!r} cannot stand there; write \\{c} for the character.")
        return self._reading(_Chars(frozenset(c)))

    def _reading(self, chars: _Chars) -> _Fragment:
        first, last = self._new(chars), self._new()
        self.states[first].after = last
        return first, last

    def _escaped(self) -> frozenset[str]:
        c = self._take()
        if c in _SETS:
            return _SETS[c]
        if c.isalnum() or not c.isascii():
            raise PatternError(f"\\{c} is not of this language.")
        return frozenset(c)

    def _class(self) -> _Chars:
        negated = self._peek() == "^"
        if negated:
            self._take()
        members: set[str] = set()
        while self._peek() != "]" or not members:
            c = self._take()
            if c == "\\":
                members |= self._escaped()
            elif self._peek() == "-" and self._pattern[self._position + 1 : self._position + 2] not in (
                "]",
                "",
            ):
                self._take()
                members |= _range(c, self._take())
            else:
                members.add(c)
        self._take()
        return _Chars(frozenset(members), negated)


def _number(text: str) -> bool:
    return 0 < len(text) <= 3 and text.isascii() and text.isdigit()


def _range(first: str, last: str) -> set[str]:
    if not (first.isascii() and last.isascii() and first <= last):
        raise PatternError(f"The range {first}-{last} is empty or not of ASCII characters.")
    return {chr(code) for code in range(ord(first), ord(last) + 1)}


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """A function that tells whether a whole string matches, in time linear in its length.

    Raises:
        PatternError: if the pattern is not of the language.
    """
    builder = _Builder(pattern)
    first, last = builder.build()
    states = builder.states

    def closure(found: list[int]) -> set[int]:
        seen = set(found)
        while found:
            for after in states[found.pop()].free:
                if after not in seen:
                    seen.add(after)
                    found.append(after)
        return seen

    def matches(text: str) -> bool:
        current = closure([first])
        for c in text:
            read = [
                s.after for s in (states[i] for i in current) if s.chars is not None and s.chars.matches(c)
            ]
            current = closure(read)
            if not current:
                return False
        return last in current

    return matches


def count_states(pattern: str) -> int:
    """The size of the automaton."""
    builder = _Builder(pattern)
    builder.build()
    return len(builder.states)
