"""Hostile answers: none is accepted, none raises, none takes long."""

from __future__ import annotations

import time

import pytest

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier

SECONDS = 5.0
"""Hang safety on a busy machine; in fact each takes milliseconds, and SymPy's worker is bounded to one second."""

VERIFIER = get_verifier("math")


def judged(completion: str, gold: str, prompt: str = ""):
    started = time.perf_counter()
    verdict = VERIFIER.verify(completion, Task(prompt=prompt, answer=gold))
    assert time.perf_counter() - started < SECONDS
    assert verdict.reason is not Reason.VERIFIER_ERROR, verdict.details
    return verdict


TOO_LARGE = [
    "9^{9^{9^9}}",
    "9**9**9**9",
    "2^{2^{2^{2^{2^{2}}}}}",
    "10^{10^{10^{10}}}",
    "(10^{1000})!",
    "100000!",
    "1000000000!",
    "5!!!!!!!!!!",
    "((((9!)!)!)!)!",
    r"\binom{10^{9}}{10^{8}}",
    r"\binom{99999999}{49999999}",
    "9" * 5000,
    "1" + "0" * 3000 + "." + "1" * 3000,
    "1e999999",
    "1e-999999",
    "(x+y+z+w+v+u+t+s)^{200}",
    "(x+1)^{100000}",
    "((x+1)^{50}+y)^{50}",
    r"\sqrt{" * 400 + "2" + "}" * 400,
    "(" * 3000 + "5" + ")" * 3000,
    "{" * 3000 + "5" + "}" * 3000,
    "-" * 3000 + "5",
    r"\frac{1}{" * 300 + "5" + "}" * 300,
    "1/" * 1000 + "5",
    "2^" * 1000 + "5",
    "5" + "!" * 1000,
    r"\sin" * 500 + "5",
    "|" * 1000 + "5" + "|" * 1000,
    "+".join(["5000!"] * 600),
    "+".join(f"\\sqrt{{{n}}}" for n in range(2, 400)),
    "*".join(f"(x+{n})" for n in range(150)),
    r"\pm".join("5" for _ in range(30)),
    r"\det\begin{pmatrix}"
    + r"\\".join("&".join("123" for _ in range(30)) for _ in range(30))
    + r"\end{pmatrix}",
    ",".join(str(n) for n in range(900)),
    r"e^{e^{e^{e^{e^{e}}}}}",
    r"\sin(10^{10^{8}})",
    r"\gcd(2^{70000}-1,3^{40000})",
    r"\sqrt{" + "7" * 1400 + "}",
    "0." + "3" * 1400 + r"\overline{7}",
    "\\" * 2000,
    "5" * 100_000,
    "a" * 1_000_000,
    r"\boxed{" * 5000,
    "x_" * 1000,
    "<" * 1000,
    "1 " * 1500,
    "1," * 1500,
    r"\text{" * 1000,
    r"\begin{pmatrix}" * 300,
    r"\left(" * 1000,
]

CODE = [
    "__import__('os').system('echo hacked')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "exec('import os')",
    "eval('5')",
    "lambda: 5",
    "open('/etc/passwd').read()",
    "os.getpid()",
    "Symbol('x')",
    "S(5)",
    "5 if 1 else 6",
    "print(5)",
    "f'{5}'",
    "sympy.Integer(5)",
    "\\input{/etc/passwd}",
    "\\write18{ls}",
    "${jndi:ldap://x}",
    "'; DROP TABLE answers; --",
    "5\x00",
    "5; import os",
    "[x for x in (5,)]",
    "{{5}}[0]",
    "%s%s%n",
]

HEDGES = [
    "5 or 6",
    "5, 6",
    "either 5 or 6",
    "5 and 6",
    r"\{5, 6\}",
    "{5 or 6}",
    "[5, 6]",
    "5 to 6",
    "5-6",
    "4 < x < 6",
    "x > 4",
    r"5 \pm 1",
    r"5 \pm 0.5",
    "[4, 6]",
    "(-\\infty, \\infty)",
    r"\mathbb{R}",
    r"\mathbb{Z}",
    r"\mathbb{N}",
    r"x \in \mathbb{R}",
    "any number",
    "all real numbers",
    "{all of them}",
    r"\text{any number}",
    "the correct answer",
    "whatever is right",
    "x",
    "n",
    "x = x",
    "x = y",
    "c",
    "x + 5",
    "5x",
    "5 + C",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "oo",
    "None",
    "null",
    "undefined",
    "0/0",
    "5 + 0/0",
    r"5 + \infty - \infty",
    r"\frac{5}{0}",
    r"\frac{5 \cdot 0}{0}",
    r"\frac{5(\sqrt2\sqrt3-\sqrt6)}{\sqrt2\sqrt3-\sqrt6}",
    r"\emptyset",
    r"\{\}",
    "{}",
    "()",
    "[]",
    r"\varnothing \cup 5",
    "5?",
    "5 (probably)",
    "maybe 5",
    "about 5",
    "approximately 5",
    "~5",
    "not 5",
    r"\ne 5",
    r"x \ne 5",
    r"\neg 5",
    "5 is wrong",
    "5 unless it is 6",
    "5 = 6",
    "6 = 5",
    "5 = 6 = 5",
    "1 = 5",
    r"5 \le x",
    "5.",
    "5...6",
    "5..6",
    "5:6",
    "5 6",
    "5, 5, 5, 6",
    "6 5",
    "٥",  # Arabic-Indic five
    "৫",  # Bengali five
    "𝟓",  # mathematical bold five
    "⑤",
    "Ƽ",
    "Ⅴ",
    "5\u202e6",
    "\u202e5",
    "5\u0301",
    "5\u20e3",
    "if correct then 5 else 6",
    r"\max(5, y)",
    r"\arg\max 5",
    "<answer>6</answer>",
]
HEDGES.remove("5.")  # a full stop is no hedge


@pytest.mark.parametrize("text", TOO_LARGE, ids=lambda t: f"{t[:24]}({len(t)})")
@pytest.mark.parametrize("gold", ["5", "x^2+1", r"\text{east}"])
def test_huge_answers_are_refused_quickly(text, gold):
    assert not judged(f"<answer>{text}</answer>", gold).correct


@pytest.mark.parametrize("text", CODE)
def test_code_is_no_answer(text):
    for gold in ("5", "x"):
        assert not judged(f"<answer>{text}</answer>", gold).correct


@pytest.mark.parametrize("text", HEDGES)
def test_a_hedge_is_no_answer(text):
    assert not judged(f"<answer>{text}</answer>", "5").correct
    assert not judged(f"\\boxed{{{text}}}", "5").correct


@pytest.mark.parametrize(
    "gold", ["7", r"\frac{1}{2}", "x^2", "(1,2)", r"\{1,2\}", "x=3", r"\sqrt{2}", r"\text{east}", "B"]
)
@pytest.mark.parametrize("text", [t for t in HEDGES if t not in ("x", "c", "n")])
def test_no_hedge_fits_any_kind_of_reference(text, gold):
    assert not judged(f"<answer>{text}</answer>", gold).correct


@pytest.mark.parametrize(
    "completion",
    [
        "<think>The answer is \\boxed{5}</think>",
        "<think>5</think>I do not know.",
        "<think>\\boxed{5}",
        "\\boxed{5} or \\boxed{6}",
        "\\boxed{6} \\boxed{5}",
        "<answer>5</answer><answer>6</answer>",
        "<answer>4</answer> The answer is \\boxed{5}",
        "#### 4\n#### 5",
        "\\boxed{1}\\boxed{2}\\boxed{3}\\boxed{4}\\boxed{5}",
        "\\boxed{}",
        "<answer></answer>",
        "",
        "\\boxed{5",
        "<answer>5",
        "The answer is not 5.",
        "What is 2+3?",
        "\\boxed{\\boxed{6}} 5",
    ],
)
def test_an_answer_must_be_given_once_and_outside_the_thinking(completion):
    assert not judged(completion, "5").correct


@pytest.mark.parametrize(
    ("prompt", "gold", "answer"),
    [
        ("Compute 12 \\cdot 13 + 5.", "161", "12 \\cdot 13 + 5"),
        ("Simplify \\frac{2x+4}{2}.", "x+2", "\\frac{2x+4}{2}"),
        ("What is 2+3?", "5", "2+3"),
        ("Expand (x+1)^2.", "x^2+2x+1", "(x+1)^2"),
    ],
)
def test_the_question_is_not_its_own_answer(prompt, gold, answer):
    assert judged(f"\\boxed{{{answer}}}", gold, prompt).reason is Reason.RULE_BROKEN
    assert judged(f"\\boxed{{{gold}}}", gold, prompt).correct


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("2^{-99}", "2^{-98}"),
        (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
        ("1", "1+10^{-400}"),
        ("1", r"\cos(10^{-300})"),
        (
            r"\pi",
            "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798",
        ),
        (r"\sqrt{2}", "1.4142135623730950488016887242096980785696718753769480731766797379907324784621"),
        ("x^2", r"x^2 + 10^{-500}"),
        ("0", "10^{-4000}"),
        ("e^x", r"e^x + 2^{-4000}"),
        (r"\sin x", r"\sin(x + 10^{-100})"),
        ("262537412640768744", r"e^{\pi\sqrt{163}}"),
    ],
)
def test_nearly_equal_is_not_equal(gold, answer):
    assert not judged(f"\\boxed{{{answer}}}", gold).correct
    assert not judged(f"\\boxed{{{gold}}}", answer).correct


def test_there_are_enough_of_them():
    assert len(TOO_LARGE) + len(CODE) + len(HEDGES) > 150


@pytest.mark.parametrize(
    ("lines", "gold"),
    [
        ("x\n1", "x"),
        ("1\nx", "x"),
        ("x\n\n1", "x"),
        ("x\r\n(1)", "x"),
        ("0\nx", "0"),
        ("x\n0", "0"),
        ("0\n(5)", "0"),
        ("3\n(2)", "6"),
        ("1\n1/2", "3/2"),
        ("1\n\\frac12", "3/2"),
        ("\\sqrt{2}\n1", r"\sqrt{2}"),
    ],
)
def test_two_lines_are_two_answers_and_no_product(lines, gold):
    assert not judged(f"<answer>{lines}</answer>", gold).correct
    assert not judged(f"\\boxed{{{lines}}}", gold).correct


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("x +\n1", "x+1"),
        ("\\frac{1}\n{2}", "1/2"),
        ("\n5\n", "5"),
        ("5\nmeters", "5"),
        ("\\begin{pmatrix}\n1 & 2\\\\\n3 & 4\n\\end{pmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    ],
)
def test_an_answer_may_go_over_lines(answer, gold):
    assert judged(f"\\boxed{{{answer}}}", gold).correct
