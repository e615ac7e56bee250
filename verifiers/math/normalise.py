"""From any text to one spelling: Unicode to LaTeX, dollar signs sorted out, invisible characters dropped.

Nothing here decides what a text means; every step is linear in its length.
"""

from __future__ import annotations

import re

__all__ = ["CURRENCY_SIGNS", "compact", "is_words", "normalise", "plain_words", "unwrapped"]

CURRENCY_SIGNS = "\ue000€£¥₹"
"""Currency tokens after normalisation; U+E000 stands for a dollar sign that is money and not a math delimiter."""

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ", "0123456789+-=()nix", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₙₖₘ", "0123456789+-=()aeoxnkm", strict=True))
_SCRIPTS = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+|[{''.join(_SUBSCRIPTS)}]+")

_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΠΣΦΨΩϕϵϑ",
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
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
            "phi",
            "epsilon",
            "theta",
        ],
        strict=True,
    )
)
_FRACTIONS = {
    "½": "1 2", "⅓": "1 3", "⅔": "2 3", "¼": "1 4", "¾": "3 4", "⅕": "1 5", "⅖": "2 5", "⅗": "3 5", "⅘": "4 5",
    "⅙": "1 6", "⅚": "5 6", "⅐": "1 7", "⅛": "1 8", "⅜": "3 8", "⅝": "5 8", "⅞": "7 8", "⅑": "1 9", "⅒": "1 10",
}  # fmt: skip
_SYMBOLS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "×": r"\times ", "✕": r"\times ",
    "÷": r"\div ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "∗": "*", "⁄": "/", "∕": "/",
    "√": " sqrt ", "∛": " cbrt ", "π": r"\pi ", "𝜋": r"\pi ", "∞": r"\infty ", "≤": r"\le ", "⩽": r"\le ",
    "≥": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ", "∈": r"\in ", "∉": r"\notin ",
    "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "Ø": r"\emptyset ", "ℝ": r"\mathbb{R}",
    "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℕ": r"\mathbb{N}", "ℂ": r"\mathbb{C}", "±": r"\pm ", "∓": r"\mp ",
    "°": r"^\circ ", "º": r"^\circ ", "˚": r"^\circ ", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"', "…": r"\ldots ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ",
    "∠": r"\angle ", "△": r"\triangle ", "∨": r"\lor ", "∧": r"\land ", "¢": r"\text{ cents}", "℃": r"\text{ celsius}",
    "µ": r"\mu ", "，": ", ", "；": ";", "ⅇ": "e", "ⅈ": "i", "ℯ": "e", "⇒": r"\implies ", "\t": " ", "\r": " ",
}  # fmt: skip
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u2061\u2062\u2063"
_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"

_TABLE: dict[int, str | None] = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **{ord(c): " " for c in _SPACES},
    **{ord(c): None for c in _INVISIBLE},
    **{ord(c): f"\\{name} " for c, name in _GREEK.items()},
    **{ord(c): "\\frac{{{}}}{{{}}}".format(*pair.split()) for c, pair in _FRACTIONS.items()},
    **{ord(c): text for c, text in _SYMBOLS.items()},
}

_TEXT_COMMAND = re.compile(
    r"\\(?:text|mbox|hbox|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|emph)\s*\{"
)
_SPACING = re.compile(r"\\(?:left|right|displaystyle|,|;|:|!|quad|qquad| )(?![a-zA-Z])|[{}\s~$]")
_ARTICLE = re.compile(r"^(?:the|an|a)\s+", re.IGNORECASE)


def _script(match: re.Match[str]) -> str:
    run = match.group()
    if run[0] in _SUPERSCRIPTS:
        return "^{" + "".join(_SUPERSCRIPTS[c] for c in run) + "}"
    return "_{" + "".join(_SUBSCRIPTS[c] for c in run) + "}"


def _dollars(text: str) -> str:
    r"""Drops math delimiters; ``\$``, and a single ``$`` before a number, become the currency token."""
    text = text.replace(r"\$", "\ue000")
    count = text.count("$")
    if count == 0:
        return text
    if count % 2:
        text = re.sub(r"\$(?=\s?[\d.])", "\ue000", text)
    return text.replace("$", " ")


_ORDINAL = re.compile(
    r"(?<=\d)(?:\^?\{?\\(?:text|mathrm)\{(?:st|nd|rd|th)\}\}?|\^\{(?:st|nd|rd|th)\}|(?:st|nd|rd|th)(?![A-Za-z]))"
)


def normalise(text: str) -> str:
    """The same answer in ASCII LaTeX as far as that exists; other characters stay and will not parse."""
    if not text.isascii():
        text = _SCRIPTS.sub(_script, text).translate(_TABLE)
    if "$" in text:
        text = _dollars(text)
    text = _ORDINAL.sub("", text.strip())
    if text.startswith("~"):  # "about 5", and not a space of TeX before the 5
        text = r"\approx " + text[1:]
    while text.endswith((".", ",", ";", ":")) and not text.endswith(("...", r"\,", r"\;", r"\:")):
        text = text[:-1].rstrip()
    while text.endswith((r"\,", r"\;", r"\:", r"\!")) and not text.endswith("\\\\" + text[-1]):
        text = text[:-2].rstrip()
    return text


def compact(text: str) -> str:
    """A normalised text without anything that does not show: two texts with equal forms are the same answer."""
    for long, short in ((r"\dfrac", r"\frac"), (r"\tfrac", r"\frac"), (r"\leq", r"\le"), (r"\geq", r"\ge")):
        if long in text:
            text = re.sub(re.escape(long) + r"(?![a-zA-Z])", lambda _: short, text)  # noqa: B023
    words = re.sub(r"(?<=[A-Za-z])\s+(?=[A-Za-z])", "\x1f", _TEXT_COMMAND.sub("{", text))
    return re.sub(r"(?<=[0-9])\s+(?=[0-9])", "\x1f", words).translate(_GONE)


_GONE = {ord(c): None for c in " \n~"}


def unwrapped(text: str) -> str:
    """A normalised text with the insides of its text commands in their place."""
    return _TEXT_COMMAND.sub("{", text)


def is_words(text: str) -> bool:
    """Whether a normalised text is words and numbers only, so that :func:`plain_words` loses nothing."""
    rest = _SPACING.sub("", unwrapped(text))
    return not any(char in rest for char in "\\^_&")


def plain_words(text: str) -> str:
    """A normalised text as words: LaTeX text commands, braces, quotes and outer punctuation gone, case folded."""
    text = _SPACING.sub(" ", unwrapped(text)).replace("\\", " ").replace("\ue000", "$")
    text = " ".join(text.split()).strip(" .,;:\"'`*").casefold()
    if len(text) > 2 and text.endswith("!") and text[-3:-1].isalpha():  # "Yes!", but not "n!"
        text = text.rstrip("!")
    return _ARTICLE.sub("", text)
