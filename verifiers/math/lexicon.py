"""The words and commands that the grammar knows, as tables."""

from __future__ import annotations

import re

from rlvr_gym.verifiers.math.nodes import Const, NamedSet, Node

__all__ = [
    "ATOMS",
    "CLOSERS",
    "FENCES",
    "FUNCTIONS",
    "FUNCTION_LETTERS",
    "MATRICES",
    "MULTIPLIERS",
    "RELATIONS",
    "SEPARATORS",
    "SET_LETTERS",
    "SET_OPERATIONS",
    "STOP_WORDS",
    "split_word",
]

_TRIG = ["sin", "cos", "tan", "cot", "sec", "csc"]
_HYPERBOLIC = ["sinh", "cosh", "tanh", "coth", "sech", "csch"]

FUNCTIONS: dict[str, str] = {
    **{name: name for name in _TRIG + _HYPERBOLIC},
    **{"arc" + name: "arc" + name for name in _TRIG},
    **{"a" + name: "arc" + name for name in _TRIG},
    **{"arc" + name: "arc" + name for name in ("sinh", "cosh", "tanh")},
    **{"ar" + name: "arc" + name for name in ("sinh", "cosh", "tanh")},
    **{"a" + name: "arc" + name for name in ("sinh", "cosh", "tanh")},
    "ln": "ln", "log": "log", "lg": "log10", "exp": "exp", "sqrt": "sqrt", "cbrt": "cbrt", "abs": "abs",
    "floor": "floor", "ceil": "ceil", "ceiling": "ceil", "gcd": "gcd", "lcm": "lcm", "max": "max", "min": "min",
    "det": "det", "binom": "binom", "binomial": "binom", "factorial": "factorial", "sgn": "sign", "sign": "sign",
    "arg": "arg", "Re": "re", "Im": "im", "tg": "tan", "ctg": "cot", "cosec": "csc", "arctg": "arctan",
}  # fmt: skip
"""Spelling, as a command or a word -> the name in the tree."""

FUNCTION_LETTERS = frozenset("fghFGH")
"""``f(x)`` is an application; ``x(x+1)`` is a product."""

_INFINITY = Const("infinity")
_GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "varepsilon",
        "zeta",
        "eta",
        "theta",
        "vartheta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "varphi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
        "ell",
    ]
)
ATOMS: dict[str, Node] = {
    "pi": Const("pi"), "infty": _INFINITY, "infinity": _INFINITY, "infin": _INFINITY, "inf": _INFINITY,
    "Infinity": _INFINITY, "oo": _INFINITY,
    "emptyset": NamedSet("empty"), "varnothing": NamedSet("empty"), "R": NamedSet("R"), "Reals": NamedSet("R"),
    "imath": Const("i"), "euler": Const("e"),
}  # fmt: skip
SYMBOL_NAMES = _GREEK
SET_LETTERS = frozenset("RQZNC")

RELATIONS: dict[str, str] = {
    "=": "=", "==": "=", "<": "<", ">": ">", "<=": "<=", "=<": "<=", ">=": ">=", "!=": "!=", "le": "<=", "leq": "<=",
    "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=",
    "in": "in", "notin": "notin", "equiv": "equiv", "approx": "approx", "thickapprox": "approx", "simeq": "approx",
    "to": "to", "rightarrow": "to", "mapsto": "to", "->": "to",
}  # fmt: skip
SET_OPERATIONS = {
    "cup": "union", "union": "union", "bigcup": "union", "cap": "intersection", "setminus": "difference",
    "backslash": "difference", "smallsetminus": "difference",
}  # fmt: skip

MULTIPLIERS = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12
}  # fmt: skip
SEPARATORS = {"and": "and", "or": "or", "land": "and", "lor": "or", "wedge": "and", "vee": "or"}
CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "]": ("[", "]"), "\\{": ("\\}",), "<": (">",)}

FENCES = {
    "lvert": ("rvert", "abs"), "vert": ("vert", "abs"), "lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil"),
    "langle": ("rangle", "<"), "lbrace": ("rbrace", "\\{"), "lbrack": ("rbrack", "["), "Vert": ("Vert", "norm"),
    "lVert": ("rVert", "norm"),
}  # fmt: skip
"""Opening command -> closing command and what it means."""
MATRICES = frozenset({"pmatrix", "bmatrix", "matrix", "vmatrix", "Bmatrix", "array", "smallmatrix"})

STOP_WORDS = frozenset(
    [
        "yes",
        "no",
        "on",
        "of",
        "to",
        "is",
        "it",
        "or",
        "and",
        "not",
        "any",
        "all",
        "one",
        "two",
        "six",
        "ten",
        "odd",
        "the",
        "none",
        "nan",
        "undefined",
        "dne",
        "true",
        "false",
        "but",
        "if",
        "as",
        "at",
        "be",
        "by",
        "do",
        "he",
        "so",
        "we",
        "us",
        "up",
        "an",
        "am",
        "pm",
        "red",
        "tan",
        "blue",
        "may",
        "can",
    ]
)
"""Short words that are no products of letters."""

_MAX_LETTERS = 3
_KNOWN = sorted(
    (set(FUNCTIONS) | {"pi", "theta", "alpha", "beta", "gamma"})
    - {"Re", "Im", "arg", "abs", "max", "min", "det", "lg"},
    key=len,
    reverse=True,
)
_PIECES = re.compile("|".join(map(re.escape, _KNOWN)) + "|[A-Za-z]")


def split_word(word: str) -> list[str] | None:
    """A run of plain letters as known names and single letters (``xsin`` -> ``x``, ``sin``); None for a real word.

    Runs of up to three letters are products; longer ones only where a known name leaves few letters over.
    """
    if word.lower() in STOP_WORDS:
        return None
    pieces = _PIECES.findall(word)
    letters = sum(len(piece) == 1 for piece in pieces)
    if letters == len(pieces):
        return pieces if letters <= _MAX_LETTERS else None
    return pieces if letters <= 2 and len(pieces) <= 4 else None
