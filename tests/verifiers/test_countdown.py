"""Expressions: random trees in several styles evaluate exactly; rules, near misses and hostile texts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym import Reason, Task, get_verifier
from rlvr_gym.testing import HOSTILE_TEXTS
from rlvr_gym.verifiers.expression import ExpressionError, parse_expression

VERIFIER = get_verifier("countdown")

# --- the parser ---

NUMBERS = st.integers(0, 99)
TREES = st.recursive(
    NUMBERS,
    lambda part: st.tuples(st.sampled_from("+-*/"), part, part) | st.tuples(st.just("neg"), part),
    max_leaves=12,
)
STYLES = {
    "plain": dict(zip("+-*/", "+-*/", strict=True)),
    "typeset": dict(zip("+-*/", "+−×÷", strict=True)),
    "dots": dict(zip("+-*/", ["+", "–", "·", "∕"], strict=True)),
    "latex": {"+": "+", "-": "-", "*": r"\times", "/": r"\div"},
    "tight latex": {"+": "+", "-": "-", "*": r"\cdot ", "/": r"\div "},
}
BRACKETS = [("(", ")"), ("[", "]"), ("{", "}"), ("（", "）"), (r"\left(", r"\right)"), (r"\{", r"\}")]


def evaluate(tree):
    """None where it divides by zero."""
    if isinstance(tree, int):
        return Fraction(tree)
    values = [evaluate(part) for part in tree[1:]]
    if None in values:
        return None
    if tree[0] == "neg":
        return -values[0]
    left, right = values
    if tree[0] == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[tree[0]]


def leaves(tree):
    return [tree] if isinstance(tree, int) else [leaf for part in tree[1:] for leaf in leaves(part)]


def bracketed(tree, style, bracket, fractions):
    """Every compound part in brackets."""
    if isinstance(tree, int):
        return str(tree)
    parts = [bracketed(part, style, bracket, fractions) for part in tree[1:]]
    if tree[0] == "neg":
        text = f"{style['-']}{parts[0]}"
    elif tree[0] == "/" and fractions:
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    else:
        text = f"{parts[0]} {style[tree[0]]} {parts[1]}"
    return f"{bracket[0]}{text}{bracket[1]}"


def minimal(tree, level=0):
    """Brackets only where precedence and left association need them."""
    if isinstance(tree, int):
        return str(tree)
    if tree[0] == "neg":
        return f"-{minimal(tree[1], 3)}"
    own = 1 if tree[0] in "+-" else 2
    text = f"{minimal(tree[1], own)}{tree[0]}{minimal(tree[2], own + 1)}"
    return f"({text})" if own < level else text


@given(TREES, st.sampled_from(sorted(STYLES)), st.sampled_from(BRACKETS), st.booleans())
def test_random_trees_in_every_style(tree, style, bracket, fractions):
    expression = parse_expression(bracketed(tree, STYLES[style], bracket, fractions))
    assert expression.value == evaluate(tree)
    assert list(expression.numbers) == leaves(tree)


@given(TREES)
def test_precedence_and_association(tree):
    assert parse_expression(minimal(tree)).value == evaluate(tree)


@given(st.text(max_size=80) | st.text("0123456789+-*/()[]{}.= x×÷\\", max_size=60))
def test_any_text_parses_or_says_why(text):
    assert reason_against(text) in (None, Reason.UNPARSEABLE, Reason.TOO_COMPLEX, Reason.RULE_BROKEN)


def reason_against(text):
    try:
        parse_expression(text)
    except ExpressionError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unparseable"), ("1 2", "unparseable"), ("1 +", "unparseable"), ("* 2", "unparseable"),
        ("(1 + 2", "unparseable"), ("1 + 2)", "unparseable"), ("(1 + 2]", "unparseable"), ("2(3)", "unparseable"),
        ("abs(1)", "unparseable"), ("1,000", "unparseable"), ("٣", "unparseable"), (r"\frac12", "unparseable"),
        ("__import__('os')", "unparseable"), ("2 ** 3", "rule_broken"), ("2^3", "rule_broken"), ("3!", "rule_broken"),
        ("7 // 2", "rule_broken"), ("7 % 2", "rule_broken"), (r"\sqrt{4}", "rule_broken"),
        ("1" * 21, "too_complex"), ("(" * 60 + "1" + ")" * 60, "too_complex"), ("-" * 60 + "1", "too_complex"),
        ("1+" * 600 + "1", "too_complex"),
    ],
)  # fmt: skip
def test_what_is_no_expression(text, reason):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert caught.value.reason == reason


# --- the verifier ---


def verdict(answer, numbers=(25, 3, 4, 4), target=96, rule="exactly_once", form="<answer>{}</answer>"):
    task = Task(prompt="?", answer={"numbers": list(numbers), "target": target, "rule": rule})
    return VERIFIER.verify(form.replace("{}", answer), task)


@pytest.mark.parametrize(
    "form", ["{}", "<answer>{}</answer>", r"So it is \boxed{{}}.", "The answer is {}.", "#### {}"]
)
@pytest.mark.parametrize(
    "answer",
    ["(25 + 3 - 4) * 4", "4*(3-4+25)", "4 × (3 + 25 − 4)", "[25 - (4 - 3)] * 4", "(-4 + 25 + 3) * 4",
     r"\left(25 + 3 - 4\right) \times 4", "(25 + 3 - 4) * 4 = 96", "96 = (25 + 3 - 4) * 4", "(25+3-4)*4=96.0"],
)  # fmt: skip
def test_whatever_uses_the_numbers_and_hits_the_target(answer, form):
    assert verdict(answer, form=form).correct, verdict(answer, form=form)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("(25 + 3 - 4) * 5", Reason.RULE_BROKEN), ("25 * 4 - 4", Reason.RULE_BROKEN), ("96", Reason.RULE_BROKEN),
        ("(25 + 3 - 4) * 4 * 1", Reason.RULE_BROKEN), ("25 + 3 + 4 + 4", Reason.WRONG), ("25*3/(4-4)", Reason.RULE_BROKEN),
        ("0 * 25 / (4 - 4) + 3", Reason.RULE_BROKEN), ("(25 + 3 - 4) * 4 = 97", Reason.UNPARSEABLE),
        ("(25 + 3 - 4) * 4 = 24 * 4 = 96", Reason.UNPARSEABLE), ("25 + 3 - 4) * 4", Reason.UNPARSEABLE),
        ("(25 + 3 - 4) * 4 or 4 * 24", Reason.UNPARSEABLE), ("", Reason.NO_ANSWER), ("2 5 + 3 - 4 * 4", Reason.UNPARSEABLE),
        ("253 - 4 * 4", Reason.RULE_BROKEN), ("=96", Reason.UNPARSEABLE), ("96=96", Reason.RULE_BROKEN),
    ],
)  # fmt: skip
def test_near_misses_say_why(answer, reason):
    result = verdict(answer)
    assert (result.score, result.valid, result.reason) == (0.0, True, reason), result


def test_the_rule_decides_whether_numbers_may_be_left_out():
    assert not verdict("25 * 4", target=100).correct
    assert verdict("25 * 4", target=100, rule="at_most_once").correct
    assert not verdict("25 * 4 + 4 - 4", target=100, numbers=(25, 4, 4), rule="at_most_once").correct


def test_values_are_exact():
    assert verdict("8 / (3 - 8 / 3)", numbers=(3, 3, 8, 8), target=24).correct
    assert verdict("1 / 3 * 3", numbers=(1, 3, 3), target=1).correct


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_texts(text):
    for form in ("{}", "<answer>{}</answer>", "<answer>{} = 96</answer>"):
        result = verdict(text, form=form)
        assert result.valid
        assert not result.correct
