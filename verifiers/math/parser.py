r"""A precedence parser from tokens to the whitelisted tree, for LaTeX and plain text alike.

Binding, loosest first: separators (``,`` ``;`` and, or) < relations < ratio ``:`` < set operations < sums <
products (also implicit ones, left to right: ``1/2x`` is ``(1/2)x``) < sign < powers < postfix ``!``, ``%``, ``°``.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

from rlvr_gym.verifiers.math.budgets import MAX_CHARS, MAX_DEPTH, MAX_ITEMS, TooComplex, Unreadable
from rlvr_gym.verifiers.math.lexicon import MULTIPLIERS, RELATIONS, SEPARATORS, SET_OPERATIONS
from rlvr_gym.verifiers.math.nodes import (
    Add,
    Bracket,
    Call,
    Div,
    Func,
    Listing,
    Mul,
    NamedSet,
    Neg,
    Node,
    Num,
    PlusMinus,
    Pow,
    Quantity,
    Ratio,
    Relation,
    SetOp,
    Sym,
    Words,
    children,
)
from rlvr_gym.verifiers.math.normalise import normalise
from rlvr_gym.verifiers.math.parselets import Parselets
from rlvr_gym.verifiers.math.tokens import Token, tokenise
from rlvr_gym.verifiers.math.units import DEGREE, PERCENT, Unit, is_unit_word, parse_unit

__all__ = ["Parser", "parse_or_raise"]

RELATION, RATIO, SETS, SUM, PRODUCT, SIGN, POWER, POSTFIX = 10, 12, 15, 20, 30, 35, 50, 60
_TIMES = frozenset({"*", "times", "cdot", "ast", "bullet"})
_OVER = frozenset({"/", "div"})
_STOPS = frozenset({")", "]", "}", "\\}", ",", ";", "&", "\\\\"})


class Parser(Parselets):
    """One pass over the tokens of one answer."""

    def answer(self) -> Node:
        """The whole text."""
        node = self.items(toplevel=True)
        if self.peek.kind != "eof":
            raise Unreadable(f"{self.peek.text!r} is left over")
        return node

    # -- lists and relations ------------------------------------------------------------------------------------

    def items(self, toplevel: bool = False) -> Node:
        """Clauses with separators between them; a single clause is returned as it is."""
        parts, word = [self.clause()], ""
        while (separator := self._separator(toplevel)) is not None:
            if self.peek.kind == "eof" or self.peek.text in _STOPS:
                raise Unreadable("a separator with nothing after it")
            parts.append(self.clause())
            # "1, 2, and 3": a word is stronger than the comma; two different words are no list
            if separator != "," and word not in ("", ",", separator):
                raise Unreadable("both 'and' and 'or'")
            word = separator if separator != "," or not word else word
            if len(parts) > MAX_ITEMS:
                raise TooComplex("too many items")
        return parts[0] if len(parts) == 1 else Listing(tuple(parts), word)

    def _separator(self, toplevel: bool) -> str | None:
        """``,``, ``and`` or ``or``, if something of that kind is next; it is taken."""
        found = None
        while True:
            token = self.peek
            is_comma = token.kind == "op" and token.text in (",", ";")
            if is_comma and self._ends_line():
                self.advance()
                return found
            if found is None and (is_comma or (toplevel and token.kind == "op" and token.text == "\\\\")):
                found = ","
            elif (word := self._joining_word(token)) is not None and found in (None, ","):
                found = word
            else:
                return found
            self.advance()

    def _ends_line(self) -> bool:
        """Whether the next token is the last in a line of a system."""
        following = self.tokens[self.position + 1]
        return following.text == "\\\\" or following.kind == "end"

    @staticmethod
    def _joining_word(token: Token) -> str | None:
        if token.kind == "op" and token.text == "&":
            return None
        text = token.text.strip().lower().strip(" ,") if token.kind in ("text", "word", "cmd") else ""
        return SEPARATORS.get(text)

    def clause(self) -> Node:
        """A chain of relations over operands, or one operand."""
        operands, ops = [self.operand()], []
        while (op := self._relation()) is not None:
            self.advance()
            ops.append(op)
            operands.append(self.operand())
        if not ops:
            return operands[0]
        return Relation(tuple(operands), tuple(ops))

    def _relation(self) -> str | None:
        token = self.peek
        if token.kind == "text":
            return "in" if token.text.strip() == "in" else None
        if token.kind == "word" and token.text != "in":
            return None
        if token.kind == "cmd" and token.text == "not":
            self.advance()
            negated = {"=": "!=", "in": "notin"}.get(RELATIONS.get(self.peek.text, ""))
            if negated is None:
                raise Unreadable("a negated relation")
            return negated
        return RELATIONS.get(token.text) if token.kind in ("op", "cmd", "word") else None

    def operand(self) -> Node:
        """One expression, with the unit that may follow it."""
        node = self.expression(RATIO)
        unit = self._trailing_unit()
        if unit is None:
            return node
        if self.peek.kind == "num" and not isinstance(node, Quantity):
            return self._compound(Quantity(node, unit))
        if isinstance(node, Quantity):
            if node.unit != DEGREE or unit.dimension not in ((("celsius", 1),), (("fahrenheit", 1),)):
                raise Unreadable("two units")
            return Quantity(node.value, unit)
        return Quantity(node, unit)

    def _compound(self, first: Quantity) -> Node:
        """``5 feet 6 inches``."""
        second = self.operand()
        if (
            not isinstance(second, Quantity)
            or not first.unit.dimension
            or (first.unit.dimension != second.unit.dimension or first.unit.factor <= second.unit.factor)
        ):
            raise Unreadable("two quantities side by side")
        share = Num(second.unit.factor / first.unit.factor)
        return Quantity(Add((first.value, Mul((second.value, share)))), first.unit)

    def _trailing_unit(self) -> Unit | None:
        """What stands between an expression and the next separator, which must then be a unit."""
        words: list[str] = []
        while self._is_unit_token(self.peek, words):
            token = self.advance()
            words.append("^" if token.text == "**" else token.text)
        text = " ".join(words)
        if not text.strip():
            return None
        unit = parse_unit(text)
        if unit is None:
            raise Unreadable(f"{text!r} after a value")
        return unit

    def _is_unit_token(self, token: Token, words: list[str]) -> bool:
        """Words, and after a word also ``/`` and ``^2``, ``^{2}``."""
        if token.kind in ("text", "word"):
            return self._joining_word(token) is None
        if not words:
            return False
        if token.kind == "num":
            return len(token.text) == 1 and words[-1] in ("^", "{")
        if token.kind != "op":
            return False
        if token.text in ("{", "}"):
            return words[-1] == "^" if token.text == "{" else words[-1].isdigit() and words[-2:-1] == ["{"]
        return token.text in ("^", "/", "**")

    # -- expressions --------------------------------------------------------------------------------------------

    def expression(self, binding: int) -> Node:
        """Everything that binds tighter than ``binding``."""
        self.deeper()
        left = self.prefix()
        while (more := self._infix(left, binding)) is not None:
            left = more
        self.depth -= 1
        return left

    def _infix(self, left: Node, binding: int) -> Node | None:
        """``left`` with what follows it, or None where that binds less than ``binding``."""
        token = self.peek
        postfix = self._postfix(left, token, binding)
        if postfix is not None:
            return postfix
        if token.kind in ("op", "cmd") and token.text in self._INFIX:
            level, method = self._INFIX[token.text]
            if level < binding or (token.text == ":" and self.in_set):
                return None
            return method(self, left)
        if binding <= SETS and token.text in ("U", "u", "union") and token.kind == "word":
            return self._set_operation(left) if self._is_set(left) else None
        if (
            binding <= PRODUCT
            and token.kind == "word"
            and token.text in MULTIPLIERS
            and self._is_numeral(left)
        ):
            self.advance()
            return Mul((left, Num(Fraction(MULTIPLIERS[token.text]))))
        if binding <= PRODUCT and token.kind == "text" and token.text.strip() in MULTIPLIERS:
            self.advance()
            return Mul((left, Num(Fraction(MULTIPLIERS[token.text.strip()]))))
        if (
            binding <= POWER
            and token.kind in ("word", "text")
            and token.text.strip() in ("base", "choose", "mod")
        ):
            return self._word_operator(left, token.text.strip())
        if binding <= PRODUCT and self._starts_factor(left, token):
            return self._product(left, self.expression(PRODUCT + 1))
        return None

    def _sum(self, left: Node) -> Node:
        op = self.advance().text
        if op in ("pm", "mp", "+/-", "+-"):
            return PlusMinus(left, self.expression(SUM + 1), op != "mp")
        right = self.expression(SUM + 1)
        right = Neg(right) if op == "-" else right
        return Add((*left.args, right)) if isinstance(left, Add) else Add((left, right))

    def _multiply(self, left: Node) -> Node:
        self.advance()
        return self._product(left, self.expression(PRODUCT + 1))

    @staticmethod
    def _product(left: Node, right: Node) -> Node:
        return Mul((*left.args, right)) if isinstance(left, Mul) else Mul((left, right))

    def _divide(self, left: Node) -> Node:
        self.advance()
        return Div(left, self.expression(PRODUCT + 1))

    def _power(self, left: Node) -> Node:
        self.advance()
        if self._accept_circle():
            scale = {"C": "celsius", "F": "fahrenheit"}.get(self.peek.text.strip())
            if scale is None or self.peek.kind not in ("word", "text"):
                return Quantity(left, DEGREE)
            self.advance()
            return Quantity(left, parse_unit(scale) or DEGREE)
        if self.peek.text in ("prime", "*") and self.peek.kind in ("cmd", "op"):
            raise Unreadable("a prime")
        exponent = self.script()
        return Pow(left, exponent)

    def _accept_circle(self) -> bool:
        r"""``\\circ`` after ``^``, also in braces."""
        offset = 1 if self.peek.text == "{" else 0
        token = self.tokens[min(self.position + offset, len(self.tokens) - 1)]
        if token.kind != "cmd" or token.text not in ("circ", "degree"):
            return False
        self.position += 1 + offset
        if offset:
            self.expect("}")
        return True

    def _ratio(self, left: Node) -> Node:
        items = [left]
        while self.accept(":"):
            items.append(self.expression(SETS))
        return Ratio(tuple(items))

    def _set_operation(self, left: Node) -> Node:
        name = self.advance().text
        return SetOp(SET_OPERATIONS.get(name, "union"), left, self.expression(SETS + 1))

    @staticmethod
    def _is_set(node: Node) -> bool:
        return isinstance(node, Bracket | SetOp | NamedSet)

    def _over(self, left: Node) -> Node:
        self.advance()
        return Div(left, self.expression(SUM))

    def _choose(self, left: Node) -> Node:
        self.advance()
        return Func("binom", (left, self.expression(SUM)))

    def _word_operator(self, left: Node, word: str) -> Node:
        self.advance()
        if word == "choose":
            return Func("binom", (left, self.expression(POWER)))
        if word == "mod":
            return Func("residue", (left, self.expression(POWER)))
        digits = self.last_digits
        base = self.expression(POWER)
        if isinstance(base, Num) and isinstance(left, Num):
            return self.based(left.value, base.value, digits)
        raise Unreadable("a base")

    def _modulus(self, left: Node) -> Node:
        self.advance()
        return Func("residue", (left, self.script()))

    def _postfix(self, left: Node, token: Token, binding: int) -> Node | None:
        if token.kind == "op":
            if token.text == "!":
                self.advance()
                return Func("factorial", (left,))
            if token.text == "!=" and isinstance(left, Num):  # 5!=120
                self.tokens[self.position] = Token("op", "=")
                return Func("factorial", (left,))
            if token.text == "%":
                self.advance()
                return Quantity(left, PERCENT)
            if token.text == "_" and isinstance(left, Num | Sym | Call):
                return self.subscript(left)
            if token.text == "'" and isinstance(left, Sym):
                self.advance()
                return Sym(left.name + "'")
        if token.kind == "cmd" and token.text in ("degree", "degrees"):
            self.advance()
            return Quantity(left, DEGREE)
        return None

    @staticmethod
    def _is_numeral(node: Node) -> bool:
        return isinstance(node, Num) or (isinstance(node, Quantity) and isinstance(node.value, Num))

    def _starts_factor(self, left: Node, token: Token) -> bool:
        """Whether the token begins another factor of an implicit product."""
        if token.broken:  # two lines are two answers: "x", and below it "1", is not x times 1
            return False
        if isinstance(left, Words | Quantity) and not (isinstance(left, Quantity) and left.unit == DEGREE):
            return False
        if token.kind == "word":
            return not self._is_word_after(left, token)
        if token.kind == "begin":
            return True
        if token.kind == "num":
            return not isinstance(left, Num | Div) and not self.follows_number()
        if token.kind == "cmd":
            return token.text in self.factor_commands
        if token.kind == "op":
            if token.text == "|":
                return not self.bars and not self.in_set
            return token.text in ("(", "{") or (token.text == "[" and not self.closes_interval())
        return False

    def _is_word_after(self, left: Node, token: Token) -> bool:
        """Whether a word is a separator, a relation or a unit, so that the expression before it is complete."""
        word = token.text
        if word in ("in", "base", "mod", "choose", "union", "U") or word.lower() in SEPARATORS:
            return word != "U" or self._is_set(left)
        if isinstance(left, Quantity):
            return True
        numeric = self.follows_number() or isinstance(left, Num | Div)
        if numeric and is_unit_word(word):
            return True
        if numeric and token.spaced and word in "mgshL":
            return True
        return not self.is_product(word)

    _INFIX: ClassVar[dict[str, tuple[int, Callable[[Any, Node], Node]]]] = {
        **dict.fromkeys(("+", "-", "pm", "mp", "+/-", "+-"), (SUM, _sum)),
        **dict.fromkeys(_TIMES, (PRODUCT, _multiply)),
        **dict.fromkeys(_OVER, (PRODUCT, _divide)),
        **dict.fromkeys(("^", "**"), (POWER, _power)),
        **dict.fromkeys(SET_OPERATIONS, (SETS, _set_operation)),
        ":": (RATIO, _ratio),
        "\\over": (SUM, _over),
        "choose": (SUM, _choose),
        "pmod": (SUM, _modulus),
        "bmod": (PRODUCT, _modulus),
        "mod": (PRODUCT, _modulus),
    }


def _is_deep(root: Node) -> bool:
    """Whether a branch is longer than recursion should follow (``a/b/c/...`` makes long ones)."""
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > 2 * MAX_DEPTH:
            return True
        stack.extend((child, depth + 1) for child in children(node))
    return False


def _parse(text: str) -> Node | type[Exception]:
    try:
        tokens = tokenise(text)
        node = Parser(tokens).answer()
    except Unreadable:
        return Unreadable
    except (TooComplex, RecursionError):
        return TooComplex
    return TooComplex if len(tokens) > MAX_DEPTH and _is_deep(node) else node


_parse_short = lru_cache(maxsize=4096)(_parse)


def parse_or_raise(text: str) -> Node:
    """The tree of an answer's text.

    Raises:
        Unreadable: if it is not mathematics that this grammar knows.
        TooComplex: if it is beyond the budgets.
    """
    if len(text) > MAX_CHARS:
        raise TooComplex("too long")
    text = normalise(text)
    result = _parse_short(text) if len(text) <= 300 else _parse(text)
    if isinstance(result, Node):
        return result
    raise result(text[:80])
