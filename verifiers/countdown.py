"""Countdown: any expression over the given numbers that has the target as its value."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.expression import Expression, ExpressionError, parse_expression
from rlvr_gym.verifiers.rational import parse_rational

__all__ = ["CountdownVerifier"]


@register_verifier("countdown")
class CountdownVerifier(AnswerVerifier):
    """Evaluates the answer exactly and counts the numbers that it uses.

    ``task.answer`` is ``{"numbers": [int], "target": int, "rule": "exactly_once" | "at_most_once"}``.
    ``expression = target`` is read too, as long as the other side is the target.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Right if the rule is kept and the value is the target."""
        shown = answer[:200]
        target = Fraction(task.answer["target"])
        try:
            expression = parse_expression(_drop_target(answer, target))
        except ExpressionError as error:
            return Verdict.wrong(error.reason, shown, message=str(error))
        broken = _broken_rule(expression, task)
        if broken is not None:
            return Verdict.wrong(Reason.RULE_BROKEN, shown, message=broken)
        if expression.value != target:
            return Verdict.wrong(extracted=shown, value=str(expression.value), target=int(target))
        return Verdict.right(shown)


def _drop_target(answer: str, target: Fraction) -> str:
    """The expression without ``= target`` after it or ``target =`` before it.

    Raises:
        ExpressionError: if there are further sides, or the other side is not the target.
    """
    left, equals, right = answer.partition("=")
    if not equals:
        return answer
    for expression, other in ((left, right), (right, left)):
        if parse_rational(other) == target:
            return expression
    raise ExpressionError(Reason.UNPARSEABLE, "one side of the equation has to be the target")


def _broken_rule(expression: Expression, task: Task) -> str | None:
    used = Counter(expression.numbers)
    given = Counter(map(Fraction, task.answer["numbers"]))
    if used - given:
        return "a number is used that is not there, or more often than it is there"
    if task.answer["rule"] == "exactly_once" and given - used:
        return "a number is left out"
    return "it divides by zero" if expression.value is None else None
