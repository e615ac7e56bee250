"""The state of a parse: where it is in the tokens, how deep, and in which kinds of bracket."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rlvr_gym.verifiers.math.budgets import MAX_DEPTH, TooComplex, Unreadable
from rlvr_gym.verifiers.math.nodes import Node
from rlvr_gym.verifiers.math.tokens import Token

__all__ = ["Cursor"]


class Cursor(ABC):
    """A position in the tokens of one answer.

    Attributes:
        tokens: the tokens; TeX arguments split numbers in place.
        position: index of the next token.
        depth: nesting, which is bounded.
        bars: how many ``|`` are open here: the next one may close.
        in_set: whether ``|`` and ``:`` mean "such that" here.
        last_digits: the last number as it was written: digits of a numeral in another base.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0
        self.bars = 0
        self.in_set = False
        self.last_digits = ""

    @abstractmethod
    def prefix(self) -> Node:
        """The shortest complete expression here."""

    @abstractmethod
    def expression(self, binding: int) -> Node:
        """Everything that binds tighter than ``binding``."""

    @abstractmethod
    def items(self, toplevel: bool = False) -> Node:
        """Clauses with separators between them; a single clause is returned as it is."""

    @abstractmethod
    def script(self) -> Node:
        """The argument of a command, ``^`` or ``_``."""

    def deeper(self) -> None:
        """One level down.

        Raises:
            TooComplex: if that is too deep.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH * 2:
            raise TooComplex("nested too deeply")

    @property
    def peek(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def advance(self) -> Token:
        """Takes the next token."""
        token = self.tokens[self.position]
        if token.kind != "eof":
            self.position += 1
        return token

    def accept(self, op: str) -> bool:
        """Takes the operator ``op`` if it is next."""
        token = self.peek
        if token.kind == "op" and token.text == op:
            self.position += 1
            return True
        return False

    def expect(self, op: str) -> None:
        """Takes the operator ``op``.

        Raises:
            Unreadable: if something else is next.
        """
        if not self.accept(op):
            raise Unreadable(f"{op!r} is missing")

    def follows_number(self) -> bool:
        """Whether the token before the next one ends a number."""
        token = self.tokens[self.position - 1]
        return token.kind == "num"

    def raw(self) -> str:
        """The text of one braced group or of the word that is next: part of a name."""
        if not self.accept("{"):
            return self.advance().text
        words: list[str] = []
        while not self.accept("}"):
            token = self.advance()
            if token.kind == "eof" or len(words) > 20:
                raise Unreadable("a name that is not closed")
            words.append(token.text)
        return " ".join(words)
