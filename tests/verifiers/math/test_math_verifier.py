"""The math verifier as a whole: reasons, policies, references, data sets."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from rlvr_gym.errors import ConfigError
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.math import MathVerifier, Policy, equivalent, parse
from rlvr_gym.verifiers.math.policy import DEFAULT

VERIFIER = get_verifier("math")
DATA = Path(os.environ.get("RLVR_GYM_DATA") or Path(__file__).resolve().parents[3] / ".." / "shared" / "data")


def judged(gold, answer, prompt="", **options):
    metadata = {"math": options} if options else {}
    return VERIFIER.check(answer, Task(prompt=prompt, answer=gold, metadata=metadata))


@pytest.mark.parametrize(
    ("gold", "completion", "reason"),
    [
        ("5", "<answer>5</answer>", Reason.CORRECT),
        ("5", "<answer>6</answer>", Reason.WRONG),
        ("5", "<answer>no solution</answer>", Reason.WRONG),
        ("5", "<answer>a lovely day</answer>", Reason.UNPARSEABLE),
        ("5", r"<answer>\frac{1}{</answer>", Reason.UNPARSEABLE),
        ("5", "<answer>9^{9^{9^9}}</answer>", Reason.TOO_COMPLEX),
        ("5", "<answer>" + "(" * 999 + "</answer>", Reason.TOO_COMPLEX),
        ("5", "<think>5</think>", Reason.NO_ANSWER),
        ("5", r"\boxed{5} \boxed{6}", Reason.AMBIGUOUS),
        (r"\text{east}", "<answer>west</answer>", Reason.WRONG),
        ("(B)", r"\boxed{C}", Reason.WRONG),
    ],
)
def test_reasons_are_told_apart(gold, completion, reason):
    verdict = VERIFIER.verify(completion, Task(prompt="", answer=gold))
    assert verdict.reason is reason
    assert verdict.valid


def test_several_boxes_are_one_answer_only_together():
    task = Task(prompt="", answer="1, -2")
    assert VERIFIER.verify(r"The roots are \boxed{1} and \boxed{-2}.", task).correct
    assert not VERIFIER.verify(r"\boxed{1} \boxed{-2} \boxed{3}", task).correct
    assert not VERIFIER.verify(r"\boxed{1} \boxed{-2}", Task(prompt="", answer="1")).correct
    assert not VERIFIER.verify(r"\boxed{1} \boxed{-2}", Task(prompt="", answer="(1,-2)")).correct


def test_candidates_that_mean_the_same_are_one_answer():
    task = Task(prompt="", answer=r"\frac12")
    assert VERIFIER.verify(r"\boxed{\frac{1}{2}}, that is \boxed{0.5}", task).correct


# -- policies: each row of the table in docs/math-verifier.md ----------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "answer", "options", "same"),
    [
        ("3.14", r"\pi", {}, True),
        (r"\pi", "3.14", {}, False),
        ("0.5", "0.51", {}, False),
        ("3.14", r"\pi", {"tolerance": "exact"}, False),
        ("1/3", "0.33", {"tolerance": "rounded(2)"}, True),
        ("1/3", "0.34", {"tolerance": "rounded(2)"}, False),
        (r"\sqrt2", "1.414", {"tolerance": "rel(1e-3)"}, True),
        (r"\sqrt2", "1.4", {"tolerance": "rel(1e-3)"}, False),
        ("0", "0.0001", {"tolerance": "rel(0.1)"}, False),
        (r"5\text{ cm}", "5", {}, True),
        (r"5\text{ cm}", "5 m", {}, False),
        (r"5\text{ cm}", "5", {"units": "required"}, False),
        (r"5\text{ cm}", "0.05 m", {"units": "required"}, True),
        (r"5\text{ cm}", "5 m", {"units": "ignored"}, True),
        ("1, 2", "2, 1", {}, True),
        ("(1, 2)", "(2, 1)", {}, False),
        ("1, 2", "2, 1", {"order": "strict"}, False),
        (r"\{1, 2\}", r"\{2, 1\}", {"order": "strict"}, True),
        ("(1, 2)", "(2, 1)", {"order": "free"}, True),
        (r"25\%", "25", {}, True),
        (r"25\%", "0.25", {}, True),
        (r"25\%", "25", {"percent": False}, False),
        (r"25\%", "0.25", {"percent": False}, True),
        ("3/4", "6/8", {}, True),
        ("3/4", "3/4", {"simplified": True}, True),
        ("3/4", "6/8", {"simplified": True}, False),
        ("3/4", "0.75", {"simplified": True}, True),
        ("3/4", "1/2+1/4", {"simplified": True}, False),
        (r"2\sqrt2", r"\sqrt8", {"simplified": True}, False),
        ("x+1", r"\frac{x^2-1}{x-1}", {"simplified": True}, False),
        ("x+1", "1+x", {"simplified": True}, True),
        ("52_8", "52", {}, False),
        ("52_8", "52", {"base": True}, True),
        ("52_8", "42", {"base": True}, False),
        ("7", "3+4", {}, True),
        ("7", "3+4", {"numeric_only": True}, False),
        ("7", "7.0", {"numeric_only": True}, True),
        ("7", "x=7", {"numeric_only": True}, True),
    ],
)
def test_policies(gold, answer, options, same):
    assert judged(gold, answer, **options).correct is same


def test_what_breaks_a_rule_is_not_called_wrong():
    assert judged("3/4", "6/8", simplified=True).reason is Reason.RULE_BROKEN
    assert judged("3/4", "5/8", simplified=True).reason is Reason.WRONG


@pytest.mark.parametrize(
    "options",
    [
        {"tolerance": "loose"},
        {"units": "never"},
        {"order": "random"},
        {"tolerence": "exact"},
        {"tolerance": "rounded(-1)"},
    ],
)
def test_a_policy_that_does_not_exist_is_refused(options):
    with pytest.raises(ConfigError):
        DEFAULT.with_options(options)
    verdict = VERIFIER.verify("5", Task(prompt="", answer="5", metadata={"math": options}))
    assert not verdict.valid
    assert verdict.reason is Reason.VERIFIER_ERROR


def test_a_verifier_can_have_its_own_policy_and_a_task_goes_over_it():
    strict = MathVerifier(Policy(tolerance="exact"))
    assert not strict.check(r"\pi", Task(prompt="", answer="3.14")).correct
    assert strict.check(
        r"\pi", Task(prompt="", answer="3.14", metadata={"math": {"tolerance": "gold"}})
    ).correct


# -- references --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gold", [r"\int_0^1 x\,dx", r"\text{Row 3, then left}", r"\sum_{k=1}^n k", "((", "a & b"]
)
def test_a_reference_that_is_no_mathematics_is_still_equal_to_itself(gold):
    assert judged(gold, gold).correct
    assert judged(gold, gold.replace(" ", "  ")).correct
    assert not judged(gold, "5").correct
    assert not judged(gold, gold + "1").correct


def test_a_reference_beyond_the_budgets_is_no_wrong_answer():
    gold = "(" * 500 + "1" + ")" * 500
    assert judged(gold, gold).correct
    verdict = judged(gold, "1")
    assert not verdict.valid
    assert verdict.reason is Reason.TOO_COMPLEX


def test_references_may_be_numbers():
    assert judged(5, "5.0").correct
    assert judged(0.5, "1/2").correct
    assert not VERIFIER.verify("5", Task(prompt="", answer=[5])).valid


def test_equivalent():
    assert equivalent("1/2", "0.5") is True
    assert equivalent(parse("1/2"), "0.6") is False
    assert equivalent("1/2", "(") is None


# -- data sets ---------------------------------------------------------------------------------------------------


def _answers(name: str, path: Path) -> list[str]:
    if not path.exists():
        pytest.skip(f"{name} is not at {path}")
    rows = [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]
    return [row.rpartition("####")[2].strip() for row in rows]


@pytest.mark.parametrize("file", ["math500/test.jsonl", "gsm8k/test.jsonl", "gsm8k/train.jsonl"])
@pytest.mark.parametrize(
    "form",
    [
        "So it is \\boxed{%s}.",
        "<think>hm</think><answer>%s</answer>",
        "%s",
        "The answer is $%s$.",
        "Thus\n#### %s",
    ],
)
def test_every_reference_of_a_data_set_is_equal_to_itself(file, form):
    golds = _answers(file, DATA / file)
    wrong = [
        g for g in golds if not VERIFIER.verify(form.replace("%s", g), Task(prompt="", answer=g)).correct
    ]
    assert wrong == []


def test_every_mathematical_reference_of_math_500_is_parsed():
    golds = set(_answers("MATH-500", DATA / "math500/test.jsonl"))
    unread = {g for g in golds if not g.startswith("\\text{") and isinstance(parse(g), type(parse("(")))}
    assert unread == set()


def test_different_references_of_math_500_are_different():
    golds = sorted(set(_answers("MATH-500", DATA / "math500/test.jsonl")))
    same = [(a, b) for a, b in itertools.pairwise(golds) if judged(a, b).correct]
    # spelling variants and units apart, neighbours in alphabetical order differ
    assert all(judged(b, a).correct for a, b in same)
    assert len(same) < 25, same
