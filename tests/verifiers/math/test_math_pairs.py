"""Every pair of the table, in the forms in which answers come."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier

TABLE = Path(__file__).parent / "pairs.txt"
READ = {Reason.WRONG, Reason.UNPARSEABLE, Reason.TOO_COMPLEX, Reason.AMBIGUOUS}


def _pairs():
    kind = gold = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line.startswith("= "):
            gold = line[2:]
        elif line.startswith(("+ ", "- ")) and kind:
            yield pytest.param(gold, line[2:], line[0] == "+", id=f"{kind}: {gold} {line}")


PAIRS = list(_pairs())
VERIFIER = get_verifier("math")


def _verdict(gold: str, answer: str, form: str = "\\boxed{%s}"):
    return VERIFIER.verify(form.replace("%s", answer), Task(prompt="", answer=gold))


@pytest.mark.parametrize(("gold", "answer", "same"), PAIRS)
def test_the_verdict_is_right(gold, answer, same):
    verdict = _verdict(gold, answer, "The solution.\n<answer>%s</answer>")
    assert verdict.valid
    assert verdict.correct is same, verdict
    if not same:
        assert verdict.reason in READ


def test_the_table_has_every_kind_with_both_signs():
    assert len(PAIRS) > 900
    assert sum(pair.values[2] for pair in PAIRS) > 450
    assert sum(not pair.values[2] for pair in PAIRS) > 300
