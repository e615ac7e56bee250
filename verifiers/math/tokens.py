"""Text to tokens, in one pass. Numbers are read here, with all their separators."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from rlvr_gym.verifiers.math.budgets import MAX_DIGITS, MAX_TOKENS, TooComplex, Unreadable
from rlvr_gym.verifiers.math.nodes import Num
from rlvr_gym.verifiers.math.normalise import CURRENCY_SIGNS

__all__ = ["Token", "tokenise"]


@dataclass(frozen=True, slots=True)
class Token:
    r"""A token.

    Attributes:
        kind: ``num``, ``word`` (a run of plain letters), ``cmd``, ``op``, ``text`` (the inside of ``\\text{}``),
            ``begin`` and ``end`` (of a LaTeX environment), or ``eof``.
        text: as written; of a command, the name without its backslash.
        spaced: whether white space stands before it.
        number: of a ``num``, its value.
        broken: whether a line break stands before it.
    """

    kind: str
    text: str
    spaced: bool = False
    number: Num | None = None
    broken: bool = False


EOF = Token("eof", "")

_SPACE = re.compile(
    r"(?:[ \n~]|\\[,;:! ]|\\(?:quad|qquad|displaystyle|textstyle|limits|nolimits|hfill"
    r"|nonumber|[lL]arge|LARGE|small|normalsize|[hH]uge|tiny|bf|rm|it|cal)(?![a-zA-Z]))+"
)
_SPACE_BEGINS = " \n~\\"
_WORD = re.compile(r"[A-Za-z]+")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_SIZE = re.compile(r"(?:left|right|middle|[bB]igg?[lrm]?)$")
_OPERATOR = re.compile(r"<=|>=|=<|=>|!=(?!=)|==|\*\*|\+/-|\+-|->|\.\.\.|[-+*/^_=<>()\[\]{}|,;:!'&%?]")
_TEXT = frozenset(
    [
        "text",
        "mbox",
        "hbox",
        "textbf",
        "textit",
        "textrm",
        "textsf",
        "texttt",
        "mathrm",
        "operatorname",
        "emph",
    ]
)
_TRANSPARENT = frozenset(["mathbf", "mathit", "mathsf", "boldsymbol", "bm", "vec", "hat", "mathcal"])

_GROUPED = re.compile(r"[1-9]\d{0,2}(,\\! ?|\{,\}|\\[,;: ]|\\!|~|'|,| )\d{3}(?:\1\d{3})*(?!,?\d)(?:\.\d+)?")
_EUROPEAN = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})(?![\d.,])")
_PLAIN = re.compile(r"\d+\.\d+|\.\d+|\d+")
_REPEATING = re.compile(
    r"(\d*)\.(\d*)(?:\\overline\s?\{(\d+)\}|\\overline\s?(\d)|\\bar\s?\{(\d+)\}|\\bar\s?(\d)|\\dot\s?\{(\d)\}"
    r"|\\dot\s?(\d)|\((\d+)\))"
)
_ELLIPSIS = re.compile(r"(\d*)\.(\d+)\s?(?:\.\.\.|\\(?:ldots|dots|cdots)(?![a-zA-Z]))")
_SCIENTIFIC = re.compile(r"[eE]([+-]?\d{1,5})(?![A-Za-z0-9.])")


def tokenise(text: str) -> list[Token]:
    """The tokens of a normalised text, ending in one of kind ``eof``.

    Raises:
        Unreadable: at a character that no answer is written with.
        TooComplex: at too many tokens, or a number of too many digits.
    """
    tokens: list[Token] = []
    opened: list[int] = []
    position, spaced, broken = 0, False, False
    while position < len(text):
        space = _SPACE.match(text, position) if text[position] in _SPACE_BEGINS else None
        if space is not None:
            position, spaced = space.end(), True
            broken = broken or "\n" in space.group()
            continue
        token, position = _token(text, position, spaced, opened)
        if token is not None:
            tokens.append(replace(token, broken=True) if broken else token)
            spaced = broken = False
            if len(tokens) > MAX_TOKENS:
                raise TooComplex("too many tokens")
    tokens.append(EOF)
    return tokens


def _token(text: str, position: int, spaced: bool, opened: list[int]) -> tuple[Token | None, int]:
    char = text[position]
    if (char.isdigit() and char.isascii()) or (char == "." and text[position + 1 : position + 2].isdigit()):
        return _number(text, position, spaced, opened)
    word = _WORD.match(text, position)
    if word is not None:
        return Token("word", word.group(), spaced), word.end()
    if char == "\\":
        return _command(text, position, spaced, opened)
    if char in CURRENCY_SIGNS:
        return Token("currency", "$" if char == CURRENCY_SIGNS[0] else char, spaced), position + 1
    if char == ".":  # 0.\overline{3} has no digit after the point
        repeating = _REPEATING.match(text, position)
        if repeating is not None:
            return _repeating(repeating, spaced), repeating.end()
    operator = _OPERATOR.match(text, position)
    if operator is None:
        raise Unreadable(f"the character {char!r}")
    _track(operator.group(), position, opened)
    return Token("op", operator.group(), spaced), operator.end()


def _track(bracket: str, position: int, opened: list[int]) -> None:
    if bracket in ("(", "[", "\\{"):
        opened.append(position)
    elif bracket in (")", "]", "\\}") and opened:
        opened.pop()


def _command(text: str, position: int, spaced: bool, opened: list[int]) -> tuple[Token | None, int]:
    match = _COMMAND.match(text, position)
    if match is None:
        raise Unreadable("a lone backslash")
    name, end = match.group(1), match.end()
    if name in "()[]":  # math delimiters
        return None, end
    if _SIZE.match(name):
        return None, end + 1 if text.startswith(".", end) else end
    if name in _TEXT:
        return _text_block(text, end, spaced)
    if name == "over":
        return Token("op", "\\over", spaced), end
    if name in _TRANSPARENT:
        return None, end
    if name in ("begin", "end"):
        block = re.compile(r"\s?\{([a-z]+)\*?\}(?:\{[clr|]{1,20}\})?").match(text, end)
        if block is None:
            raise Unreadable(f"\\{name} without a name")
        return Token(name, block.group(1), spaced), block.end()
    if name in "{}":
        _track("\\" + name, position, opened)
        return Token("op", "\\" + name, spaced), end
    if name in "%&#_":
        return Token("op", name, spaced), end
    if name == "\\":  # a line break, perhaps with an extra height
        height = re.compile(r"\[-?[0-9.]{1,5}[a-z]{2}\]").match(text, end)
        return Token("op", "\\\\", spaced), height.end() if height else end
    return Token("cmd", name, spaced), end


def _text_block(text: str, position: int, spaced: bool) -> tuple[Token, int]:
    start = text.find("{", position, position + 2)
    if start < 0:
        raise Unreadable("a text command without text")
    end = text.find("}", start)
    inner = text[start + 1 : end]
    while end >= 0 and inner.count("{") > inner.count("}"):
        end = text.find("}", end + 1)
        inner = text[start + 1 : end]
        if len(inner) > 300:
            break
    if end < 0 or len(inner) > 300:
        raise Unreadable("a text command that is not closed")
    if _PLAIN.fullmatch(inner):
        return _number(inner, 0, spaced, [])[0], end + 1
    return Token("text", inner.replace("\\ ", " ").replace("~", " "), spaced), end + 1


def _number(text: str, position: int, spaced: bool, opened: list[int]) -> tuple[Token, int]:
    for pattern in (_REPEATING, _ELLIPSIS):
        match = pattern.match(text, position)
        if match is not None:
            return (_repeating if pattern is _REPEATING else _ellipsis)(match, spaced), match.end()
    match = _EUROPEAN.match(text, position)
    if match is not None and not opened:
        return _finish(match.group().replace(".", "").replace(",", "."), match, spaced)
    match = _GROUPED.match(text, position)
    if match is not None and _is_grouping(text, match, opened):
        return _finish(re.sub(r"[^\d.]", "", match.group()), match, spaced)
    match = _PLAIN.match(text, position)
    if match is None:
        raise Unreadable("a number")
    scientific = _SCIENTIFIC.match(text, match.end())
    if scientific is None:
        return _finish(match.group(), match, spaced)
    exponent = int(scientific.group(1))
    if abs(exponent) > MAX_DIGITS:
        raise TooComplex("an exponent of too many digits")
    value = _decimal(match.group()) * Fraction(10) ** exponent
    return Token("num", match.group() + scientific.group(), spaced, Num(value)), scientific.end()


def _is_grouping(text: str, match: re.Match[str], opened: list[int]) -> bool:
    """Whether ``1,234`` is one number: within brackets only if another comma there is followed by a space."""
    separator = match.group(1)
    if separator == " " and text[match.end() : match.end() + 1] == "/":
        return False  # 1 234/567 is a mixed number
    if separator != "," or not opened:
        return True
    closing = min((e for e in (text.find(c, match.end()) for c in ")]}") if e >= 0), default=len(text))
    return re.search(r",(?:\s|\\[,; ])|;", text[opened[-1] : closing]) is not None


def _decimal(digits: str) -> Fraction:
    if len(digits) > MAX_DIGITS:
        raise TooComplex("a number of too many digits")
    whole, _, decimals = digits.partition(".")
    return Fraction(int(whole + decimals), 10 ** len(decimals)) if decimals else Fraction(int(whole))


def _finish(digits: str, match: re.Match[str], spaced: bool) -> tuple[Token, int]:
    places = len(digits.partition(".")[2]) if "." in digits else None
    return Token("num", digits, spaced, Num(_decimal(digits), places)), match.end()


def _repeating(match: re.Match[str], spaced: bool) -> Token:
    whole, fixed, *periods = match.groups()
    period = next(p for p in periods if p)
    return Token("num", match.group(), spaced, Num(_periodic(whole, fixed, period)))


def _periodic(whole: str, fixed: str, period: str) -> Fraction:
    """``whole.fixed(period)`` exactly."""
    if len(whole) + len(fixed) + len(period) > MAX_DIGITS:
        raise TooComplex("a number of too many digits")
    start = Fraction(int((whole + fixed) or "0"), 10 ** len(fixed))
    return start + Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(fixed))


def _ellipsis(match: re.Match[str], spaced: bool) -> Token:
    """``0.333...``: the shortest period that ends the digits at least twice (a single digit three times)."""
    whole, decimals = match.groups()
    if len(decimals) <= 60:
        for size in range(1, len(decimals) // 2 + 1):
            period, times = decimals[-size:], 3 if size == 1 else 2
            if decimals.endswith(period * times):
                fixed = decimals
                while fixed.endswith(period):
                    fixed = fixed[:-size]
                return Token("num", match.group(), spaced, Num(_periodic(whole, fixed, period)))
    value = _decimal(f"{whole or 0}.{decimals}")
    return Token("num", match.group(), spaced, Num(value, len(decimals)))
