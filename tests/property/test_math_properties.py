"""Properties of the math verifier over random expressions, their spellings, and random text."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlvr_gym.executor import make_executor
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.math import ParseFailure, equivalent, parse

SLOW_MACHINE = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
SECONDS = 5.0
VERIFIER = get_verifier("math")


def verdict(gold: str, answer: str):
    return VERIFIER.verify(f"<answer>{answer}</answer>", Task(prompt="", answer=gold))


# -- a small language of expressions with four spellings ---------------------------------------------------------


@dataclass(frozen=True)
class Expr:
    """A node: op with arguments; leaves are ``int`` (value), ``x`` and ``pi``."""

    op: str
    args: tuple = ()
    value: int = 0


LATEX, DISPLAY, PLAIN, PYTHON = range(4)


def spell(e: Expr, style: int) -> str:
    """The expression in one of four styles; every part is bracketed unless it is a leaf."""
    if e.op == "int":
        return str(e.value) if e.value >= 0 else f"({e.value})"
    if e.op == "x":
        return "x"
    if e.op == "pi":
        return "\\pi " if style in (LATEX, DISPLAY) else "pi" if style == PLAIN else "π"
    parts = [spell(arg, style) for arg in e.args]
    return _join(e.op, parts, style)


def _join(op: str, parts: list[str], style: int) -> str:
    tex = style in (LATEX, DISPLAY)
    if op == "add":
        return f"({parts[0]}+{parts[1]})" if style != DISPLAY else f"\\left({parts[1]} + {parts[0]}\\right)"
    if op == "sub":
        return (
            f"({parts[0]} - {parts[1]})" if style != DISPLAY else f"\\left(-{parts[1]} + {parts[0]}\\right)"
        )
    if op == "mul":
        sign = {LATEX: "", DISPLAY: " \\cdot ", PLAIN: "*", PYTHON: " * "}[style]
        return f"({parts[0]}){sign}({parts[1]})"
    if op == "div":
        return (
            (
                f"\\frac{{{parts[0]}}}{{{parts[1]}}}"
                if style == LATEX
                else f"\\dfrac{{{parts[0]}}}{{{parts[1]}}}"
            )
            if (tex)
            else f"(({parts[0]})/({parts[1]}))"
        )
    if op == "square":
        return (
            f"({parts[0]})^{{2}}"
            if style == LATEX
            else f"({parts[0]})^2"
            if style != PYTHON
            else f"({parts[0]})**2"
        )
    assert op == "sqrt"
    return f"\\sqrt{{{parts[0]}}}" if tex else f"sqrt({parts[0]})"


def _leaves(with_x: bool):
    leaves = [st.integers(-9, 12).map(lambda n: Expr("int", value=n)), st.just(Expr("pi"))]
    return st.one_of(*leaves, st.just(Expr("x"))) if with_x else st.one_of(*leaves)


def _grow(children):
    positive = st.integers(2, 30).map(lambda n: Expr("int", value=n))
    return st.one_of(
        st.tuples(st.sampled_from(["add", "sub", "mul"]), children, children).map(
            lambda t: Expr(t[0], t[1:])
        ),
        st.tuples(children, positive).map(lambda t: Expr("div", t)),
        children.map(lambda c: Expr("square", (c,))),
        positive.map(lambda c: Expr("sqrt", (c,))),
    )


def expressions(with_x: bool = True):
    return st.recursive(_leaves(with_x), _grow, max_leaves=5)


@SLOW_MACHINE
@given(expressions(), st.integers(0, 3), st.integers(0, 3))
def test_every_spelling_of_an_expression_is_equal_to_every_other(e, one, other):
    assert verdict(spell(e, one), spell(e, other)).correct


@SLOW_MACHINE
@given(
    expressions(),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([1, -1, 7, 1000]),
    st.integers(1, 10**6),
)
def test_a_perturbed_expression_is_not_equal(e, one, other, above, below):
    perturbed = Expr("add", (e, Expr("div", (Expr("int", value=above), Expr("int", value=below)))))
    judged = verdict(spell(e, one), spell(perturbed, other))
    assert not judged.correct
    assert judged.reason is Reason.WRONG


@SLOW_MACHINE
@given(expressions(), expressions(), st.integers(0, 3), st.integers(0, 3))
def test_equality_is_symmetric(a, b, one, other):
    assert verdict(spell(a, one), spell(b, other)).correct == verdict(spell(b, other), spell(a, one)).correct


@SLOW_MACHINE
@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_compared_as_fractions(a, b):
    assert verdict(str(a), f"\\frac{{{b.numerator}}}{{{b.denominator}}}").correct == (a == b)


@SLOW_MACHINE
@given(st.decimals(-(10**9), 10**9, places=4))
def test_a_decimal_is_equal_to_its_fraction_and_its_scientific_form(value):
    text = f"{value:f}"
    exact = Fraction(value)
    assert verdict(text, f"{exact.numerator}/{exact.denominator}").correct
    assert verdict(f"{exact.numerator}/{exact.denominator}", text).correct
    assert verdict(text, f"{value:.20E}").correct


@SLOW_MACHINE
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_order_matters_in_tuples_only(items, rng):
    shuffled = items.copy()
    rng.shuffle(shuffled)
    plain, mixed = ", ".join(map(str, items)), ", ".join(map(str, shuffled))
    assert verdict(plain, mixed).correct
    assert verdict(f"\\{{{plain}\\}}", f"\\{{{mixed}\\}}").correct
    assert verdict(f"({plain})", f"({mixed})").correct == (items == shuffled)


@SLOW_MACHINE
@given(st.integers(-50, 50), st.integers(1, 50), st.sampled_from("(["), st.sampled_from(")]"))
def test_intervals_are_inequalities(low, width, left, right):
    high = low + width
    below, above = ("<" if left == "(" else "\\le"), ("<" if right == ")" else "\\le")
    relation = f"{low} {below} x {above} {high}"
    assert verdict(f"{left}{low},{high}{right}", relation).correct
    assert verdict(relation, f"{left}{low},{high}{right}").correct
    wrong = f"{low} {'<' if below != '<' else '>='} x {above} {high}"
    assert not verdict(f"{left}{low},{high}{right}", wrong).correct


# -- any text ----------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        r"\frac",
        r"\sqrt",
        r"\sin",
        r"\ln",
        r"\log_",
        r"\pm",
        r"\infty",
        r"\cup",
        r"\in",
        r"\le",
        r"\text{",
        r"\begin{pmatrix}",
        r"\end{pmatrix}",
        r"\\",
        r"&",
        r"{",
        r"}",
        r"(",
        r")",
        r"[",
        r"]",
        r"|",
        r",",
        r";",
        r":",
        r"=",
        r"<",
        r">",
        r"!",
        r"^",
        r"_",
        r"%",
        r"$",
        r"\$",
        r"1",
        r"2",
        r"9",
        r"0.5",
        r"10^",
        r"x",
        r"e",
        r"i",
        r"pi",
        r"or",
        r"and",
        r"not",
        r"\{",
        r"\}",
        r"\left",
        r"\right",
        r"\binom",
        r"\lfloor",
        r"\rfloor",
        r"^\circ",
        r"...",
        r"\overline{3}",
        r"1,000",
        r"\pmod{5}",
        r"\mathbb{R}",
        r"\setminus",
        r"\emptyset",
        r"\det",
        r"f(x)",
        r"cm",
    ]
)
FRAGMENTS = st.lists(PIECES, max_size=25).map("".join) | st.lists(PIECES, max_size=25).map(" ".join)
GOLDS = st.sampled_from(
    [
        "5",
        r"\frac12",
        "x^2+1",
        "(1,2)",
        r"\{1,2\}",
        r"(2,\infty)",
        "x=5",
        r"\text{east}",
        "3.14",
        "B",
        r"5\text{ cm}",
    ]
)


@SLOW_MACHINE
@given(st.text(max_size=300) | FRAGMENTS, GOLDS)
def test_any_text_gets_a_verdict_in_bounded_time(text, gold):
    started = time.perf_counter()
    judged = verdict(gold, text)
    assert time.perf_counter() - started < SECONDS
    assert judged.reason is not Reason.VERIFIER_ERROR, judged.details
    assert judged.valid or judged.reason is Reason.TIMEOUT


@SLOW_MACHINE
@given(st.text(max_size=200) | FRAGMENTS)
def test_what_can_be_read_is_equal_to_itself(text):
    tree = parse(text)
    if not isinstance(tree, ParseFailure) and text.strip():
        assert VERIFIER.check(text, Task(prompt="", answer=text)).correct
    assert equivalent("5", text) in (True, False, None)


# -- anywhere ----------------------------------------------------------------------------------------------------

SAMPLE = [
    ("1/2", "0.5"), ("1/2", "0.51"), (r"\sqrt{3+2\sqrt2}", r"1+\sqrt2"), (r"\sin 2x", r"2\sin x\cos x"),
    (r"(2,\infty)", "x > 2"), ("5", "9^{9^{9^9}}"), ("5", "\\frac{"), (r"\arctan 1", r"\frac{\pi}{4}"),
    ("e^{x}", r"e^{x}+10^{-30}"), ("1, 2", "2, 1"), (r"|x|", r"\sqrt{x^2}"), (r"\text{east}", "West"),
]  # fmt: skip


def sample_verdicts(_: object = None) -> list[dict]:
    return [verdict(gold, answer).to_dict() for gold, answer in SAMPLE]


def test_threads_processes_and_event_loops_give_the_same_verdicts():
    here = sample_verdicts()
    assert [row["correct"] for row in here] == [
        True,
        False,
        True,
        True,
        True,
        False,
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    with ThreadPoolExecutor(8) as threads:
        for there in threads.map(sample_verdicts, range(32)):
            assert there == here
    with make_executor("process", workers=1) as processes:
        (outcome,) = processes.map(sample_verdicts, [None], timeout=60)
        assert outcome.value == here

    async def in_a_loop() -> list[list[dict]]:
        return await asyncio.gather(*(asyncio.to_thread(sample_verdicts) for _ in range(4)))

    assert all(there == here for there in asyncio.run(in_a_loop()))
