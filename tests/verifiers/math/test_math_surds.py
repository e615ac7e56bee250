"""The short way of the math verifier decides as the long way does, or not at all."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import Task, Verdict
from rlvr_gym.verifiers.math import MathVerifier, Policy, verifier
from rlvr_gym.verifiers.math.surds import read_surds

MATH = MathVerifier()


def both_ways(gold: str, answer: str, prompt: str = "") -> tuple[Verdict | None, Verdict]:
    """The verdict of the short way, which may be None, and that of the long way."""
    short = verifier._judge_short(gold, answer, answer[:200], prompt, MATH.policy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifier, "_judge_short", lambda *_: None)
        return short, MATH.check(answer, Task(prompt=prompt, answer=gold))


# -- texts -------------------------------------------------------------------------------------------------------

WHOLE = st.sampled_from(["0", "1", "2", "3", "4", "5", "7", "8", "12", "18", "007", "86"])
RATIONAL = st.one_of(WHOLE, st.builds("{}/{}".format, WHOLE, WHOLE), st.builds("{}.{}".format, WHOLE, WHOLE))
FACTOR = st.sampled_from(
    ["", "2", "2*", "3 * ", "2 ", "(1/2)*", "(1/2)", "1/2*", "3/2 ", "\\frac{1}{2}", "0*"]
)
ROOT = st.builds(
    str.replace,
    st.sampled_from(
        ["sqrt(N)", "\\sqrt{N}", "sqrt(N)*i", "sqrt(N)i", "i*sqrt(N)", "i\\sqrt{N}", "isqrt(N)", "i", "i"]
    ),
    st.just("N"),
    WHOLE,
)
SURD = st.builds("{}{}{}".format, FACTOR, ROOT, st.sampled_from(["", "", "/2", "/3", "/0"]))
SIGN = st.sampled_from(["", "", "-", "- ", "+"])
JOIN = st.sampled_from([" + ", " - ", "+", "-", " -", " \\pm ", "\\pm"])
SUM = st.builds("{}{}{}{}".format, SIGN, RATIONAL, JOIN, SURD)
NUMBER = st.one_of(
    st.builds("{}{}".format, SIGN, RATIONAL),
    st.builds("{}{}".format, SIGN, SURD),
    SUM,
    st.builds("({})/{}".format, SUM, WHOLE),
    st.builds("{}\\frac{{{}}}{{{}}}".format, SIGN, st.one_of(SUM, SURD, RATIONAL), WHOLE),
)
NAMED = st.builds("{}{}".format, st.sampled_from(["", "", "x = ", "x=", "y = "]), NUMBER)
ANSWER = st.builds(
    str.join,
    st.sampled_from([", ", ", ", " or ", " and ", ",", " ,", ";"]),
    st.lists(NAMED, min_size=1, max_size=3),
)
CLOSE = [
    "1",
    "-1",
    "1/2",
    "0.5",
    "sqrt(2)",
    "-sqrt(2)",
    "1 + sqrt(2)",
    "1 - sqrt(2)",
    "sqrt(8)/2",
    "(1/2)*sqrt(8)",
    "i",
    "-i",
]
CLOSE += [
    "2*i/2",
    "1 \\pm i",
    "1 - i",
    "1+i",
    "sqrt(4)",
    "2",
    "-2",
    "sqrt(2)*i",
    "i*sqrt(8)/2",
    "2/2",
    "3 - 2",
    "(2 + sqrt(8))/2",
]
CLOSE_LIST = st.builds(
    str.join, st.sampled_from([", ", " or "]), st.lists(st.sampled_from(CLOSE), min_size=1, max_size=3)
)
NOISE = st.sampled_from(" 1i/(),-{}*x.\\=±√−\n２٣!%_^e\t±:|&~") | st.sampled_from(
    ["  ", "sqrt", "_2", "^2", "e3", "\\text{"]
)


@st.composite
def broken(draw: st.DrawFn) -> str:
    text = draw(ANSWER)
    at = draw(st.integers(0, len(text)))
    return (text[:at] + draw(NOISE) + text[at + draw(st.integers(0, 1)) :]).strip() or "1"


@settings(max_examples=400, deadline=None)
@given(gold=ANSWER, answer=st.one_of(ANSWER, broken()))
def test_where_the_short_way_decides_the_long_way_agrees(gold, answer):
    for reference, given_ in ((gold, answer), (answer, gold), (answer, answer)):
        short, long = both_ways(reference, given_)
        assert short is None or short == long


@settings(max_examples=400, deadline=None)
@given(gold=CLOSE_LIST, answer=CLOSE_LIST)
def test_equal_and_nearly_equal_numbers(gold, answer):
    short, long = both_ways(gold, answer)
    assert short is None or short == long


@settings(max_examples=150, deadline=None)
@given(answer=st.one_of(ANSWER, st.text(max_size=20)))
def test_every_text_is_the_same_as_itself_on_both_ways(answer):
    short, long = both_ways(answer, answer)
    assert short is None or short == long


@settings(max_examples=200, deadline=None)
@given(answer=NUMBER, gold=NUMBER)
def test_what_is_copied_from_the_question_is_no_matter_of_the_short_way(answer, gold):
    short, long = both_ways(gold, answer, prompt=f"Work out {answer} now.")
    assert short is None or short == long


# -- examples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "-7 + (1/2)*sqrt(86), -7 - (1/2)*sqrt(86)",
        "-7 - (1/2)*sqrt(86), -7 + (1/2)*sqrt(86)",
        "x = -7 - sqrt(86)/2 or x = -7 + sqrt(86)/2",
        "(-14 + sqrt(86))/2 and (-14 - sqrt(86))/2",
        r"\frac{-14 \pm \sqrt{86}}{2}",
        r"x = -7 \pm \frac{\sqrt{86}}{2}",
        r"-7 + \frac{1}{2}\sqrt{86}, -7 - \frac{1}{2}\sqrt{86}",
        "-7 + (1/4)*sqrt(344), -7 - (1/4)*sqrt(344)",
    ],
)
def test_usual_answers_take_the_short_way(answer):
    gold = "-7 + (1/2)*sqrt(86), -7 - (1/2)*sqrt(86)"
    short, long = both_ways(gold, answer)
    assert short == long
    assert long.correct
    wrong, long = both_ways(gold.replace("86", "85"), answer)
    assert wrong == long
    assert long.valid
    assert not long.correct


@pytest.mark.parametrize(
    "text",
    ["3 3", "1,000", "1 000", "1,000.5", "1.234,5", "2x", "x", "3=4", "x=3=4", "y = 3", "--3", "- 3", "−3", "３", "٣", "1/0", "1e400", "1e3",
     "9" * 19, "sqrt(1234567)", "50%", "1 1/2", "1\\frac{1}{2}", "2\\frac12", "1\n2", "3\n", "1, 2 or 3", "1 or 2 and 3", "(1, 2)", "{1, 2}",
     "1,", ",1", "1,,2", "1, ", "sqrt(-3)", "sqrt(2", "sqrt2", "(1/2", "1/2)", "1/2/3", "i*", "i*i", "2i3", "3 + ", "x = ", "", " ", "±", "1±2", "\\pm",
     "3 + 5", "3 5i", "\\frac{1}{2}3", "\\frac{1}{2}/3", "\\frac12", "\\pmi", "(1 + i)/0", "(1/2)/0", "1.", ".5", "0.1(3)", "1, 2, 3, 4, 5, 6, 7, 8, 9"],
)  # fmt: skip
def test_what_is_not_read(text):
    assert read_surds(text) is None


@pytest.mark.parametrize("gold", ["0.5", "x = 3", "0.50, 1", "3.14"])
def test_decimals_and_names_of_a_reference_are_for_the_long_way(gold):
    assert both_ways(gold, "3")[0] is None
    assert both_ways(gold, "1/2")[0] is None


def test_repeated_roots_count():
    assert both_ways("3, 3", "3, 3")[0] == Verdict.right("3, 3", stage="text")
    for gold, answer in (("3, 3", "3"), ("3", "3, 3"), ("3, 3", "3, 3, 3"), ("1, 2, 2", "1, 1, 2")):
        short, long = both_ways(gold, answer)
        assert short == long == Verdict.wrong(extracted=answer)


def test_equality_is_exact():
    big = 10**17
    close = f"{big}/{big + 1}", f"{big + 1}/{big + 2}"
    assert float(Fraction(close[0])) == float(Fraction(close[1]))
    short, long = both_ways(*close)
    assert short == long == Verdict.wrong(extracted=close[1])
    near = "131836323 - 93222358*sqrt(2)"  # a convergent of sqrt(2): a billionth from 0, and not 0
    short, long = both_ways("0", near)
    assert short == long == Verdict.wrong(extracted=near)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(simplified=True),
        Policy(order="strict"),
        Policy(tolerance="rounded(2)"),
        Policy(numeric_only=True),
    ],
)
def test_every_other_policy_goes_the_long_way(policy):
    assert verifier._judge_short("1/2", "2/4", "2/4", "", policy) is None
    assert not MathVerifier(policy).check("sqrt(4)/2, 1", Task(prompt="", answer="1, 2")).correct


def test_a_policy_that_is_none_is_a_defect_and_not_passed_over():
    task = Task(prompt="", answer="1", metadata={"math": "exact"})
    assert not MATH.verify("<answer>1</answer>", task).valid
