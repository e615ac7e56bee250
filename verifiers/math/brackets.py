"""Everything with an opening and a closing sign: brackets, sets, intervals, bars, matrices; and subscripts."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rlvr_gym.verifiers.math.budgets import MAX_ITEMS, TooComplex, Unreadable
from rlvr_gym.verifiers.math.cursor import Cursor
from rlvr_gym.verifiers.math.lexicon import CLOSERS, FENCES, MATRICES
from rlvr_gym.verifiers.math.nodes import (
    BaseNum,
    Bracket,
    Call,
    Cases,
    Func,
    Listing,
    Matrix,
    NamedSet,
    Node,
    Num,
    SetBuilder,
    Sym,
    Words,
)
from rlvr_gym.verifiers.math.words import BASE_NAMES

__all__ = ["Brackets"]


_ALIGNED = frozenset({"aligned", "align", "split", "gathered", "gather"})


class Brackets(Cursor):
    """The part of the grammar between brackets."""

    def inner(self, closer: str) -> Node:
        """The items up to ``closer``, which is taken."""
        self.deeper()
        bars, self.bars = self.bars, 0
        in_set, self.in_set = self.in_set, False
        node = self.items()
        self.expect(closer)
        self.bars, self.in_set = bars, in_set
        self.depth -= 1
        return node

    def bracket(self, opener: str) -> Node:
        """What ``opener``, which was just taken, begins: a group, a set, a tuple or an interval."""
        if (
            opener == "{"
            and self.peek.kind == "word"
            and self.tokens[self.position + 1].text in ("|", "mid", ":")
        ):
            return self.fence("\\{", lambda: self.accept("}"))  # {x | x > 2} without backslashes
        if opener == "{":
            if self.accept("}"):
                self.deeper()
                goes_on = self.peek.kind in ("word", "num", "cmd") or self.peek.text == "_"
                return self.prefix() if goes_on else NamedSet("empty")
            inner = self.inner("}")
            return Bracket("\\{", "\\}", inner.items) if isinstance(inner, Listing) else inner
        closers = CLOSERS[opener]
        return self.fence(opener, lambda: any(self.accept(c) for c in closers))

    def fence(self, opener: str, close: Callable[[], bool]) -> Node:
        """The items up to where ``close()`` takes the closing sign and says so."""
        if close():
            if opener == "\\{":
                return NamedSet("empty")
            raise Unreadable("empty brackets")
        self.deeper()
        bars, self.bars = self.bars, 0
        in_set, self.in_set = self.in_set, opener == "\\{"
        inner = self.items()
        if opener == "\\{" and (self._such_that()):
            inner = SetBuilder(inner, self.items())
        if not close():
            raise Unreadable("a bracket that is not closed")
        self.bars, self.in_set = bars, in_set
        self.depth -= 1
        return self._bracketed(opener, self.tokens[self.position - 1].text, inner)

    def _such_that(self) -> bool:
        token = self.peek
        if token.text in ("|", ":", "mid", "vert", "colon") and token.kind in ("op", "cmd"):
            self.advance()
            return True
        return False

    @staticmethod
    def _bracketed(opener: str, closer: str, inner: Node) -> Node:
        if isinstance(inner, SetBuilder):
            return inner
        closer = {"rangle": ">", "rbrace": "\\}", "rbrack": "]"}.get(closer, closer)
        items = inner.items if isinstance(inner, Listing) else (inner,)
        if opener in ("(", "[") and len(items) == 1:
            return inner
        return Bracket(opener, closer, items)

    def closes_interval(self) -> bool:
        """Whether a ``[`` here ends a French interval ``]1, 2[`` rather than beginning a factor."""
        following = self.tokens[self.position + 1]
        return following.kind == "eof" or following.text in (")", "cup", "cap", ",", "U", "}")

    def absolute(self) -> Node:
        """``|x|``, after the first bar."""
        self.deeper()
        self.bars += 1
        inner = self.expression(12)
        self.bars -= 1
        self.expect("|")
        self.depth -= 1
        return Func("abs", (inner,))

    def command_fence(self, name: str) -> Node:
        r"""``\lfloor x \rfloor`` and its like, after the opening command."""
        closer, kind = FENCES[name]

        def close() -> bool:
            token = self.peek
            if (token.kind == "cmd" and token.text == closer) or (token.kind == "op" and token.text == "\\}"):
                self.advance()
                return True
            return False

        if kind in ("<", "\\{", "["):
            return self.fence(kind, close)
        self.deeper()
        inner = self.expression(12)
        if not close():
            raise Unreadable("a fence that is not closed")
        self.depth -= 1
        if kind == "norm":
            raise Unreadable("a norm")
        return Func(kind, (inner,))

    # -- subscripts ---------------------------------------------------------------------------------------------

    def subscript(self, left: Node) -> Node:
        """``a_1`` is a name, ``52_8`` a numeral in base 8."""
        digits = self.last_digits
        self.advance()
        if isinstance(left, Num):
            base = self.script()
            if isinstance(base, Words):
                base = Num(Fraction(BASE_NAMES.get(base.text.lower(), 0)))
            if not isinstance(base, Num):
                raise Unreadable("a base")
            return self.based(left.value, base.value, digits)
        name = left.name if isinstance(left, Sym | Call) else ""
        return Sym(f"{name}_{self.raw()}")

    @staticmethod
    def based(value: Fraction, base: Fraction, digits: str) -> Node:
        """A numeral with a base."""
        if base.denominator != 1 or not 2 <= base <= 36 or value.denominator != 1:
            raise Unreadable("a base")
        digits = digits.lstrip("0") or "0"
        if not digits.isalnum():  # 7.0
            raise Unreadable("a base")
        if any(int(d, 36) >= base for d in digits):
            raise Unreadable("a digit that the base does not have")
        return BaseNum(digits, int(base))

    # -- blocks -------------------------------------------------------------------------------------------------

    def block(self, name: str) -> Node:
        r"""A matrix, a determinant or cases, after ``\begin{name}``."""
        if name in _ALIGNED:
            self._drop_alignment()
        if name not in MATRICES and name not in _ALIGNED and name != "cases":
            raise Unreadable(f"the environment {name}")
        self.deeper()
        rows = self._rows(name)
        self.depth -= 1
        if name in _ALIGNED or name == "cases":
            return Cases(rows)
        if any(len(row) != len(rows[0]) for row in rows):
            raise Unreadable("a matrix with rows of different lengths")
        matrix = Matrix(rows)
        return Func("det", (matrix,)) if name == "vmatrix" else matrix

    def _drop_alignment(self) -> None:
        """``x &= 1`` is ``x = 1`` in blocks that align equations."""
        position = self.position
        while self.tokens[position].kind not in ("eof", "end"):
            if self.tokens[position].text == "&" and self.tokens[position].kind == "op":
                del self.tokens[position]
            else:
                position += 1

    def _rows(self, name: str) -> tuple[tuple[Node, ...], ...]:
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            token = self.peek
            if token.kind == "end" and token.text == name:
                self.advance()
                if row:
                    rows.append(tuple(row))
                if not rows:
                    raise Unreadable("an empty block")
                return tuple(rows)
            if self.accept("\\\\"):
                if row:
                    rows.append(tuple(row))
                row = []
            elif not row or self.accept("&"):
                row.append(self.items())
            else:
                raise Unreadable("a block that is not closed")
            if len(rows) * (len(row) + 1) > 4 * MAX_ITEMS or len(row) > MAX_ITEMS:
                raise TooComplex("a large block")
