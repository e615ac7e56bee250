"""SymbolicRegression: the formula behind a table of values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, shuffled
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.math import Node, parse
from rlvr_gym.verifiers.math.api import ParseFailure
from rlvr_gym.verifiers.math.budgets import Fuel, TooComplex, Unreadable
from rlvr_gym.verifiers.math.nodes import Call, Relation, Sym, leaf_count, symbols
from rlvr_gym.verifiers.math.numeric import approximate

__all__ = ["SymbolicRegression", "SymbolicRegressionVerifier"]

MAX_CHARS = 300
"""A longer formula is not read: no hidden one has more than 120, and tables are not formulas."""
EXACT = 1e-6
"""The relative error up to which a formula is correct; the shown values have six decimals."""
MOST_PARTIAL = 0.3
SHOWN_TO, HELD_OUT_TO = 4, 6
HELD_OUT = 8
DIGITS = 30
_TWO_LINES = re.compile(r"[^\s+\-*/^=(,]\s*\n\s*[^\s+\-*/^=),]")
"""A line break that no sign stands beside: two formulas, and not the product of both."""

Pairs = Sequence[Sequence[float]]


@register_verifier("symbolic_regression")
class SymbolicRegressionVerifier(AnswerVerifier):
    """Evaluates a formula in ``x`` at points that the prompt does not show, inside and outside of the shown range.

    ``task.answer`` is ``{"formula": str, "inside": [[x, y]], "outside": [[x, y]]}``. The error ``e`` of each group is
    the root mean square error over the standard deviation of the true values; the larger one counts. The score is 1 up
    to an error of 1e-6, else ``0.3 (1 - e)^3``: a constant has an error of at least 1, and polynomials through the shown
    points leave the range at once. The text is read by the parser of the ``math`` verifier and evaluated in
    ball arithmetic on a budget of steps.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Unreadable, undefined somewhere, and inaccurate answers have different reasons."""
        shown = answer[:200]
        if len(answer) > MAX_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, shown, limit=MAX_CHARS)
        if _TWO_LINES.search(answer):
            return Verdict.wrong(
                Reason.UNPARSEABLE, shown, message="one formula is expected, not several lines"
            )
        parsed = parse(answer)
        if isinstance(parsed, ParseFailure):
            return Verdict.wrong(parsed.reason, shown)
        node = _right_side(parsed)
        if node is None or not symbols(node) <= {"x"}:
            return Verdict.wrong(Reason.UNPARSEABLE, shown, message="a formula in x is expected")
        fuel = Fuel()
        try:
            error = max(_error(node, task.answer[group], fuel) for group in ("inside", "outside"))
        except TooComplex:
            return Verdict.wrong(Reason.TOO_COMPLEX, shown)
        except Unreadable:
            return Verdict.wrong(Reason.UNPARSEABLE, shown)
        if error == math.inf:
            return Verdict.wrong(
                Reason.WRONG, shown, message="it has no real value, or an enormous one, somewhere"
            )
        return Verdict.graded(score_of(error), shown, error=error)


def score_of(error: float) -> float:
    """The score of a relative error."""
    return 1.0 if error <= EXACT else MOST_PARTIAL * max(0.0, 1 - error) ** 3


def _right_side(node: Node) -> Node | None:
    """The formula, without a ``y =`` or ``f(x) =`` in front; None if it is another relation."""
    if not isinstance(node, Relation):
        return node
    left = node.operands[0]
    named = (isinstance(left, Sym) and left.name != "x") or (
        isinstance(left, Call) and left.args == (Sym("x"),)
    )
    return node.operands[1] if node.ops == ("=",) and named else None


def _error(node: Node, pairs: Pairs, fuel: Fuel) -> float:
    """The relative error at the points; infinite where there is no real value."""
    values = []
    for x, _ in pairs:
        # str, because x stands for a short decimal, which no binary float is
        ball = approximate(node, fuel, DIGITS, env={"x": Fraction(str(x))})
        if ball is None or abs(ball[0]) > 10**100:
            return math.inf
        values.append(float(ball[0]))
    return relative_error(values, [y for _, y in pairs])


def relative_error(values: Sequence[float], truth: Sequence[float]) -> float:
    """The root mean square error over the standard deviation of the truth."""
    mean = math.fsum(truth) / len(truth)
    spread = math.fsum((y - mean) ** 2 for y in truth)
    return math.sqrt(math.fsum((v - y) ** 2 for v, y in zip(values, truth, strict=True)) / spread)


@dataclass(frozen=True, slots=True)
class _Term:
    """A multiple of a basis function; ``value`` is the function without its factor."""

    factor: int
    text: str
    value: Callable[[float], float]

    def at(self, x: float) -> float:
        return self.factor * self.value(x)


def _power(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    k = integer(rng, 1, 3)
    return (f"x^{k}" if k > 1 else "x"), lambda x: x**k


def _wave(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    k = integer(rng, 1, 3)
    return f"sin({_times(k)})", lambda x: math.sin(k * x)


def _cosine(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    k = integer(rng, 1, 3)
    return f"cos({_times(k)})", lambda x: math.cos(k * x)


def _root(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    a = integer(rng, 1, 5)
    return f"sqrt(x + {a})", lambda x: math.sqrt(x + a)


def _logarithm(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    a = integer(rng, 1, 5)
    return f"ln(x + {a})", lambda x: math.log(x + a)


def _decay(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    k = integer(rng, 1, 3)
    return (f"exp(-x/{k})" if k > 1 else "exp(-x)"), lambda x: math.exp(-x / k)


def _reciprocal(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    a = integer(rng, 1, 4)
    return f"1/(x + {a})", lambda x: 1 / (x + a)


def _swing(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    k = integer(rng, 1, 3)
    return f"x*sin({_times(k)})", lambda x: x * math.sin(k * x)


def _damped(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    k, m = integer(rng, 1, 3), integer(rng, 2, 4)
    return f"exp(-x/{m})*cos({_times(k)})", lambda x: math.exp(-x / m) * math.cos(k * x)


def _bell(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    a = integer(rng, 1, 4)
    return f"x/(x^2 + {a})", lambda x: x / (x * x + a)


def _chirp(rng: np.random.Generator) -> tuple[str, Callable[[float], float]]:
    a = integer(rng, 2, 4)
    return f"sin(x^2/{a})", lambda x: math.sin(x * x / a)


def _times(k: int) -> str:
    return "x" if k == 1 else f"{k}*x"


Maker = Callable[[np.random.Generator], tuple[str, Callable[[float], float]]]
_SIMPLE: tuple[Maker, ...] = (_power, _wave, _root, _reciprocal)
_USUAL: tuple[Maker, ...] = (_power, _wave, _cosine, _root, _logarithm, _decay, _reciprocal)
_COMPOUND: tuple[Maker, ...] = (_swing, _damped, _bell, _chirp, _cosine, _logarithm)


@register("rlvr/SymbolicRegression-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class SymbolicRegression(Problem):
    """Find the formula behind a table; it is evaluated at other points, some of them outside of the table's range.

    Difficulty 1 has one term and a constant and 10 has five terms and a constant: powers, roots, waves, logarithms,
    exponentials and fractions with small whole numbers, from difficulty 5 also products and compositions. Any formula
    with the same values is correct; one that is only close earns at most 0.3. The hardness is the number of nodes of
    the formula's tree.
    """

    verifier: ClassVar[str] = "symbolic_regression"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a formula, the points that are shown and those that are held out."""
        terms, constant = _terms(rng, difficulty), nonzero(rng, 9)
        formula = _formula(terms, constant)

        def value(x: float) -> float:
            return math.fsum([constant, *(term.at(x) for term in terms)])

        hundredths = 100 * SHOWN_TO
        step = hundredths // (10 + 2 * len(terms))
        shown = [x / 100 for x in range(0, hundredths + 1, step)]
        hidden = [x for x in rng.permutation(hundredths).tolist() if x % step][:HELD_OUT]
        beyond = (rng.permutation(100 * (HELD_OUT_TO - SHOWN_TO))[:HELD_OUT] + hundredths + 1).tolist()
        inside, outside = ([[x / 100, value(x / 100)] for x in sorted(xs)] for xs in (hidden, beyond))
        table = "\n".join(f"{x:g}: {value(x):.6f}" for x in shown)
        node = parse(formula)
        assert not isinstance(node, ParseFailure), formula
        return Task(
            prompt=ask(
                f"A formula in x has these values, rounded to six decimals, in the form x: value\n\n{table}\n\nFind the "
                "formula. It is a sum of a few terms with whole numbers in it, and may use + - * / ^, sqrt, exp, ln, sin "
                f"and cos (of radians).\n\nYour formula (of at most {MAX_CHARS} characters) is evaluated at other points: "
                f"some between 0 and {SHOWN_TO} and some between {SHOWN_TO} and {HELD_OUT_TO}. For both groups e is the "
                "root mean square error, divided by the standard deviation of the true values. With the larger of the two "
                "e, your score is 1 if e is at most 0.000001, else 0.3 (1 - e)^3, and 0 if e is 1 or more.",
                "the formula",
                _example([*inside, *outside]),
            ),
            answer={"formula": formula, "inside": inside, "outside": outside},
            metadata={"terms": len(terms), "hardness": leaf_count(node)},
            solution="\n".join([*_reasoning(terms, constant, shown), f"So: {formula}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The hidden formula."""
        return str(task.answer["formula"])


def _terms(rng: np.random.Generator, difficulty: int) -> list[_Term]:
    """Different terms of a difficulty."""
    count = level(difficulty, 1, 5)
    makers = _SIMPLE if difficulty <= 2 else _USUAL if difficulty <= 4 else (*_USUAL, *_COMPOUND)
    chosen = shuffled(rng, makers)
    if difficulty > 4 and not set(chosen[:count]) & set(_COMPOUND[:4]):
        chosen.insert(0, _COMPOUND[integer(rng, 0, 3)])
    found: dict[str, _Term] = {}
    for maker in chosen:
        text, value = maker(rng)
        found.setdefault(text, _Term(nonzero(rng, 9), text, value))
    return list(found.values())[:count]


def _formula(terms: Sequence[_Term], constant: int) -> str:
    parts = []
    for term in terms:
        sign, size = "-" if term.factor < 0 else "+", abs(term.factor)
        # 3*1/(x + 2) is written 3/(x + 2)
        body = term.text.replace("1/", f"{size}/", 1) if term.text.startswith("1/") else f"{size}*{term.text}"
        parts.append(f"{sign} {term.text if size == 1 else body}")
    parts.append(f"{'-' if constant < 0 else '+'} {abs(constant)}")
    text = " ".join(parts)
    return text.removeprefix("+ ") if text.startswith("+") else "-" + text.removeprefix("- ")


def _example(pairs: Pairs) -> str:
    """A formula that shows the form and earns nothing here."""
    values = [900 * math.cos(7 * x) for x, _ in pairs]
    truth = [y for _, y in pairs]
    # not both of two opposite functions of that size are near the truth
    return (
        "900*cos(7*x)"
        if math.dist(values, truth) > math.dist([-v for v in values], truth)
        else "-900*cos(7*x)"
    )


def _reasoning(terms: Sequence[_Term], constant: int, shown: Sequence[float]) -> list[str]:
    """The terms taken away one by one, and what is left."""
    rest = [math.fsum([constant, *(term.at(x) for term in terms)]) for x in shown]
    lines = [f"The values lie between {min(rest):.4f} and {max(rest):.4f}."]
    for term in sorted(terms, key=lambda t: -max(abs(t.at(x)) for x in shown)):
        rest = [y - term.at(x) for x, y in zip(shown, rest, strict=True)]
        name = _formula([term], 1).removesuffix(" + 1")
        lines.append(f"Without {name}, what is left lies between {min(rest):.4f} and {max(rest):.4f}.")
    lines.append(f"That is the constant {constant}: nothing is left over.")
    return lines
