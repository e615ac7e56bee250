"""Numbers in many notations, units that may follow, and what must not be read as a number."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym import Reason, Task, get_verifier
from rlvr_gym.testing import HOSTILE_TEXTS
from rlvr_gym.verifiers.rational import parse_rational

VERIFIER = get_verifier("rational")
QUESTION = "How many eggs per day, in dollars? A dozen costs half. What percent?"


def verdict(answer, gold="18", prompt=QUESTION):
    return VERIFIER.verify(f"<answer>{answer}</answer>", Task(prompt=prompt, answer=gold))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3", "-3"), ("- 3", "-3"), ("\u22123", "-3"), ("+7", "7"), ("007", "7"), ("5.", "5"), (".5", "1/2"),
        ("1,234.50", "2469/2"), ("1 234 567", "1234567"), ("1_000", "1000"), ("1{,}000", "1000"), ("1\u202f000", "1000"),
        ("3/4", "3/4"), ("-3 / 4", "-3/4"), ("0.5/0.25", "2"), ("1 1/2", "3/2"), ("-1 1/2", "-3/2"),
        (r"\frac{3}{4}", "3/4"), (r"-\dfrac{3}{4}", "-3/4"), (r"\frac34", "3/4"), (r"\frac{-3}{4}", "-3/4"),
        ("1e3", "1000"), ("2.5E-1", "1/4"), ("$5", "5"), ("-$5", "-5"), (r"\$1,000", "1000"), ("5€", "5"),
        ("\uff11\uff12", "12"), (r"\text{42}", "42"),
    ],
)  # fmt: skip
def test_notations(text, value):
    assert parse_rational(text) == Fraction(value)


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "-", "banana", "1,23", "0,500", "1,2345", "1 2", "1.2.3", "1/0", r"\frac{1}{0}", "1/2/3", "1 3/2", "--5",
        "+-5", "1e", "e5", "1e99999", "1e1001", "nan", "inf", "Infinity", "0x10", "1j", "\u0664\u0662", "\U0001d7d8", "2²",
        "2^3", "2*3", "(5)", "5!", "9" * 1001, "1 234/5",
    ],
)  # fmt: skip
def test_no_numbers(text):
    assert parse_rational(text) is None


@given(st.fractions(max_denominator=10**6))
def test_every_fraction_is_read_back(value):
    assert parse_rational(str(value)) == value
    assert parse_rational(f"\\frac{{{value.numerator}}}{{{value.denominator}}}") == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_every_decimal_is_read_back(value):
    assert parse_rational(f"{value:,}") == Fraction(value)


@given(st.text(max_size=200) | st.text("0123456789.,/ -+eE{}\\frac$%", max_size=60))
def test_any_text_is_a_number_or_none(text):
    assert parse_rational(text) is None or isinstance(parse_rational(text), Fraction)


@pytest.mark.parametrize(
    "answer",
    ["18", "18.0", "$18", "18 dollars", "$18.00 dollars", "18 eggs per day", "18%", "18 percent", "36/2", "12 + 6 = 18",
     r"18\text{ dollars}", "**18**", "$18$", "18 = 18.0"],
)  # fmt: skip
def test_right_answers(answer):
    assert verdict(answer).correct, verdict(answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("18.0000001", Reason.WRONG), ("-18", Reason.WRONG), ("17 dollars", Reason.WRONG),
        ("18 bananas", Reason.UNPARSEABLE), ("18 dozen", Reason.UNPARSEABLE), ("18 half", Reason.UNPARSEABLE),
        ("18 or 20", Reason.UNPARSEABLE), ("18 and 20", Reason.UNPARSEABLE), ("eighteen", Reason.UNPARSEABLE),
        ("not 18", Reason.UNPARSEABLE), ("18 =", Reason.UNPARSEABLE), ("20 = 18", Reason.AMBIGUOUS),
        ("18</answer><answer>20", Reason.AMBIGUOUS), ("", Reason.NO_ANSWER), ("1=" * 20 + "18", Reason.UNPARSEABLE),
    ],
)  # fmt: skip
def test_wrong_answers_say_why(answer, reason):
    result = verdict(answer)
    assert (result.score, result.valid, result.reason) == (0.0, True, reason)


def test_units_have_to_stand_in_the_question():
    assert verdict("18 dollars", prompt="It costs $2. How much?").correct
    assert not verdict("18 dollars", prompt="How many?").correct
    assert not verdict("18%", prompt="How many?").correct


def test_units_that_could_change_the_number_are_refused():
    assert verdict("18 cents", prompt="How many cents?").correct
    assert not verdict("18 cents", prompt="Each costs 50 cents. How many dollars?").correct
    assert not verdict("18 cents", prompt="Each costs 50 cents, he has $5. What is left?").correct
    assert verdict("18 feet", prompt="A rope of 20 feet is cut. How long is it?").correct
    assert not verdict("18 feet", prompt="A rope of 20 feet is cut. How many inches?").correct
    assert not verdict("18 dozens", prompt="How many dozens?").correct


def test_a_reference_that_is_no_number_is_a_failure_of_ours():
    assert not verdict("18", gold="many").valid


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_texts(text):
    for form in ("{}", "<answer>{}</answer>", "<answer>1={}</answer>"):
        result = VERIFIER.verify(form.replace("{}", text), Task(prompt=QUESTION, answer="18"))
        assert result.valid
        assert not result.correct
