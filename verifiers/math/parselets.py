"""What an expression can begin with: numbers, names, functions, brackets, fractions, roots, matrices."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from rlvr_gym.verifiers.math.brackets import Brackets
from rlvr_gym.verifiers.math.budgets import Unreadable
from rlvr_gym.verifiers.math.lexicon import (
    ATOMS,
    FENCES,
    FUNCTION_LETTERS,
    FUNCTIONS,
    SET_LETTERS,
    SYMBOL_NAMES,
    split_word,
)
from rlvr_gym.verifiers.math.nodes import (
    Call,
    Const,
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
    Sym,
    Words,
)
from rlvr_gym.verifiers.math.tokens import Token
from rlvr_gym.verifiers.math.units import currency

__all__ = ["Parselets"]

_FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
_BINOMIALS = frozenset({"binom", "dbinom", "tbinom"})
_DECORATIONS = frozenset({"overline", "bar", "tilde", "widehat", "overrightarrow", "dot", "overarc"})
_NAMES_BEFORE = frozenset({"angle", "triangle", "measuredangle"})
_NEGATIONS = frozenset(
    {"not", "never", "isn", "no", "except", "or", "unless", "neither", "nor", "false", "without"}
)
_POWER, _SIGN, _PRODUCT = 50, 35, 30


class Parselets(Brackets):
    """The prefix half of the grammar."""

    factor_commands: ClassVar[frozenset[str]] = (
        frozenset(FUNCTIONS) | frozenset(ATOMS) | SYMBOL_NAMES | _FRACTIONS | _BINOMIALS
        | (frozenset(FENCES) - {"vert", "Vert"}) | _DECORATIONS | _NAMES_BEFORE | {"mathbb", "boxed", "det"}
    )  # fmt: skip

    # -- prefix -------------------------------------------------------------------------------------------------

    def prefix(self) -> Node:
        """The shortest complete expression here."""
        token = self.advance()
        if token.kind == "num":
            return self._number(token)
        if token.kind == "word":
            return self._word(token)
        if token.kind == "cmd":
            return self._command(token)
        if token.kind == "op":
            return self._operator(token)
        if token.kind == "currency":
            return self._money(token)
        if token.kind == "begin":
            return self.block(token.text)
        if token.kind == "text":
            return self._text(token)
        raise Unreadable("an expression is missing")

    def _operator(self, token: Token) -> Node:
        op = token.text
        if op == "-":
            value = self.expression(_SIGN)
            if isinstance(value, Quantity):
                return Quantity(Neg(value.value), value.unit)
            return Neg(value)
        if op == "+":
            return self.expression(_SIGN)
        if op in ("+/-", "+-"):
            return PlusMinus(None, self.expression(_PRODUCT))
        if op in ("(", "[", "]", "\\{", "{"):
            return self.bracket(op)
        if op == "<":
            return self.fence("<", lambda: self.accept(">"))
        if op == "|":
            return self.absolute()
        if op == "_":
            return self._chosen()
        if op == "...":
            return Sym("...")
        raise Unreadable(f"{op!r} without an operand")

    def _number(self, token: Token) -> Node:
        number = token.number
        assert number is not None
        self.last_digits = token.text
        if (
            number.value.denominator == 1
            and number.places is None
            and (rest := self._mixed(number)) is not None
        ):
            return rest
        return number

    def _mixed(self, whole: Num) -> Node | None:
        r"""``3\frac12`` and ``3 1/2``: a whole number with a proper fraction of whole numbers after it."""
        start, tokens = self.position, self.tokens
        token = self.peek
        above: Node
        below: Node
        if token.broken:
            return None
        if token.kind == "cmd" and token.text in _FRACTIONS:
            self.advance()
            saved = list(tokens)
            above, below = self.script(), self.script()
            if not (isinstance(above, Num) and isinstance(below, Num) and 0 < above.value < below.value):
                self.tokens, self.position = saved, start
                return None
        elif (
            token.kind == "num"
            and token.spaced
            and tokens[start + 1].text == "/"
            and tokens[start + 2].kind == "num"
        ):
            above, below = tokens[start].number or whole, tokens[start + 2].number or whole
            if not 0 < above.value < below.value:
                raise Unreadable("two numbers side by side")
            self.position += 3
        else:
            return None
        fraction = above.value / below.value
        if above.value.denominator != 1 or below.value.denominator != 1:
            raise Unreadable("a mixed number")
        return Num(whole.value + fraction)

    def _money(self, token: Token) -> Node:
        value = self.expression(_PRODUCT)
        return Quantity(value, currency(token.text))

    def _text(self, token: Token) -> Node:
        text = token.text.strip()
        if len(text) == 1 and text.isalpha():
            return Const(text) if text in ("e", "i") else Sym(text)
        if text in FUNCTIONS:
            return self._function(FUNCTIONS[text])
        if not text:
            self.deeper()
            return self.prefix()
        return Words(text)

    # -- names --------------------------------------------------------------------------------------------------

    def is_product(self, word: str) -> bool:
        """Whether a run of letters can be read as mathematics."""
        return word in FUNCTIONS or word in ATOMS or word in SYMBOL_NAMES or split_word(word) is not None

    def _word(self, token: Token) -> Node:
        word = token.text
        if len(word) == 1:
            return self._letter(word)
        if word in FUNCTIONS:
            return self._function(FUNCTIONS[word])
        if word in ATOMS:
            return ATOMS[word]
        if word in SYMBOL_NAMES:
            return Sym(word)
        pieces = split_word(word)
        if pieces is None:
            return self._name(word)
        # the pieces are read again one by one, so that "xsinx" and "ab^2" bind as they should
        self.tokens[self.position : self.position] = [Token("word", piece) for piece in pieces]
        return self.prefix()

    def _name(self, word: str) -> Node:
        """A word before ``=`` names what is computed."""
        words = [word]
        if word.lower() in _NEGATIONS:
            raise Unreadable("a negation")
        while self.peek.kind == "word" and len(words) < 5:
            words.append(self.advance().text)
        if self.peek.text not in ("=", "approx") or not _NEGATIONS.isdisjoint(map(str.lower, words)):
            raise Unreadable(f"the word {word!r}")
        return Words(" ".join(words))

    def _letter(self, letter: str) -> Node:
        following = self.peek
        if letter in "ei" and not (following.kind == "op" and following.text == "_"):
            return Const(letter)
        if letter in FUNCTION_LETTERS and following.kind == "op" and following.text == "(":
            return self._call(letter)
        if letter in FUNCTION_LETTERS and self._upcoming("^", "{", "-", "1", "}", "("):
            self.position += 5
            return self._call(letter + "^-1")
        if letter == "C" and following.text == "(" and self._upcoming("(", None, ",", None, ")"):
            self.advance()
            inner = self.inner(")")
            return Func("binom", inner.items) if isinstance(inner, Listing) else inner
        if (
            letter in FUNCTION_LETTERS
            and following.text == "'"
            and self.tokens[self.position + 1].text in ("(", "'")
        ):
            while self.accept("'"):
                letter += "'"
            if self.peek.text == "(":
                return self._call(letter)
        return Sym(letter)

    def _upcoming(self, *texts: str | None) -> bool:
        """Whether these tokens are next; None stands for any number."""
        tokens = self.tokens[self.position : self.position + len(texts)]
        return len(tokens) == len(texts) and all(
            token.kind == "num" if text is None else token.text == text
            for token, text in zip(tokens, texts, strict=True)
        )

    def _chosen(self) -> Node:
        """``_5C_2`` and ``_5P_2``, after the first sign."""
        n = self.script()
        name = self.advance().text
        if name not in ("C", "P") or not self.accept("_"):
            raise Unreadable("a subscript of nothing")
        k = self.script()
        chosen = Func("binom", (n, k))
        return chosen if name == "C" else Mul((chosen, Func("factorial", (k,))))

    def _call(self, name: str) -> Node:
        self.expect("(")
        inner = self.inner(")")
        return Call(name, inner.items if isinstance(inner, Listing) else (inner,))

    def _command(self, token: Token) -> Node:
        name = token.text
        if name in ("sqrt", "cbrt"):
            return self._root(name)
        if name in FUNCTIONS and name not in _BINOMIALS:
            return self._function(FUNCTIONS[name])
        if name in _FRACTIONS:
            return Div(self.script(), self.script())
        if name in _BINOMIALS:
            return Func("binom", (self.script(), self.script()))
        if name in ("mathbb", "mathbf", "Bbb"):
            return self._blackboard()
        if name in ATOMS:
            return ATOMS[name]
        if name in SYMBOL_NAMES:
            return Sym({"varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi"}.get(name, name))
        if name in ("pm", "mp"):
            return PlusMinus(None, self.expression(_PRODUCT), name == "pm")
        if name in FENCES:
            return self.command_fence(name)
        if name in ("boxed", "fbox", "ensuremath", "underline"):
            return self.script()
        if name in _DECORATIONS:
            return Sym(f"{name}({self.raw()})")
        if name in _NAMES_BEFORE:
            return Sym(f"{name}({self.raw()})")
        if name in ("ldots", "dots", "cdots"):
            return Sym("...")
        raise Unreadable(f"the command \\{name}")

    def _blackboard(self) -> Node:
        letter = self.raw()
        if letter not in SET_LETTERS:
            return Sym(letter)
        sign = self.peek.text
        if sign in ("^", "_") and self.tokens[self.position + 1].text in ("+", "-", "*", "{"):
            raise Unreadable("a part of a number set")
        return NamedSet(letter)

    # -- functions, fractions, roots ----------------------------------------------------------------------------

    def script(self) -> Node:
        r"""The argument of ``\frac``, ``^`` or ``_``: a braced group, or as little as TeX would take.

        After ``^`` a number is taken whole, because people who write ``2^10`` mean it.
        """
        self.deeper()
        value = self._script()
        self.depth -= 1
        return value

    def _script(self) -> Node:
        before = self.tokens[self.position - 1].text
        if self.accept("{"):
            return self.inner("}")
        token = self.advance()
        if before not in ("^", "**", "_", "sqrt", "cbrt"):
            if token.kind == "num" and len(token.text) > 1 and token.text.isdigit():
                return self._split_digit(token)
            if token.kind == "word" and len(token.text) > 1:
                self.tokens.insert(self.position, Token("word", token.text[1:]))
                token = Token("word", token.text[0])
        elif token.kind == "op" and token.text in ("-", "+"):
            signed = self.expression(_POWER + 1)
            return Neg(signed) if token.text == "-" else signed
        elif token.kind == "word" and len(token.text) > 1 and token.text not in ATOMS and before != "sqrt":
            self.tokens.insert(self.position, Token("word", token.text[1:]))
            token = Token("word", token.text[0])
        self.position -= 1
        self.tokens[self.position] = token
        value: Node
        if token.kind == "num" and token.number is not None:
            self.advance()
            value = token.number
        else:
            value = self.prefix()
        if before in ("^", "**") and self.peek.text in ("^", "**") and self.peek.kind == "op":
            self.advance()
            return Pow(value, self.script())
        return value

    def _split_digit(self, token: Token) -> Node:
        r"""``\frac12`` is one half: the first digit is taken, the others stay."""
        rest = token.text[1:]
        self.tokens.insert(self.position, Token("num", rest, False, Num(Fraction(int(rest)))))
        self.tokens[self.position - 1] = Token("num", token.text[0])
        return Num(Fraction(int(token.text[0])))

    def _root(self, name: str) -> Node:
        degree: Node = Num(Fraction(3 if name == "cbrt" else 2))
        if self.accept("["):
            degree = self.inner("]")
            self.tokens[self.position - 1] = Token("cmd", "sqrt")
        return Func("root", (self.script(), degree))

    def _function(self, name: str) -> Node:
        if name in ("sqrt", "cbrt"):
            return self._word_root(name)
        power: Node | None = None
        base: Node | None = None
        for _ in range(2):
            if self.peek.kind == "op" and self.peek.text in ("^", "**") and power is None:
                self.advance()
                power = self.script()
            elif self.peek.kind == "op" and self.peek.text == "_" and name == "log" and base is None:
                self.advance()
                base = self.script()
        if (
            name == "log"
            and base is None
            and self.peek.kind == "num"
            and self.peek.text in ("2", "10")
            and (self.tokens[self.position + 1].text == "(")
        ):
            base = self.advance().number  # log2(8)
        if power == Neg(Num(Fraction(1))) and "arc" + name in FUNCTIONS.values():
            name, power = "arc" + name, None
        args = self._arguments()
        if name == "log10":
            name, base = "log", Num(Fraction(10))
        value: Node = Func(name, args if base is None else (*args, base))
        return value if power is None else Pow(value, power)

    def _word_root(self, name: str) -> Node:
        degree = Num(Fraction(3 if name == "cbrt" else 2))
        if self.peek.text in ("(", "{"):
            return Func("root", (self.inner(")" if self.advance().text == "(" else "}"), degree))
        return Func("root", (self.expression(_POWER + 1), degree))

    def _arguments(self) -> tuple[Node, ...]:
        """What a function is applied to: a bracket, or the factors up to the next sign, operator or function."""
        token = self.peek
        if token.kind == "op" and token.text in ("(", "{"):
            self.advance()
            inner = self.inner(")" if token.text == "(" else "}")
            return inner.items if isinstance(inner, Listing) else (inner,)
        if token.kind == "op" and token.text in ("-", "+"):
            self.advance()
            inner = self._implicit()
            return (Neg(inner),) if token.text == "-" else (inner,)
        return (self._implicit(),)

    def _implicit(self) -> Node:
        factors = [self.expression(_POWER)]
        while len(factors) < 8:
            token = self.peek
            starts = (
                (token.kind == "word" and token.text not in FUNCTIONS and self.is_product(token.text))
                or (token.kind == "cmd" and token.text in (SYMBOL_NAMES | {"pi"} | _FRACTIONS | {"sqrt"}))
            )  # fmt: skip
            if not starts or token.text in ("in", "or", "and", "U", "e"):
                break
            factors.append(self.expression(_POWER))
        return factors[0] if len(factors) == 1 else Mul(tuple(factors))
