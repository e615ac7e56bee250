"""The ``math`` verifier: one extracted answer against one reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rlvr_gym.errors import ConfigError
from rlvr_gym.extraction import extract_answer
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.math.budgets import Fuel, TooComplex
from rlvr_gym.verifiers.math.compare import same_answer
from rlvr_gym.verifiers.math.nodes import Bracket, Listing, Node
from rlvr_gym.verifiers.math.policy import DEFAULT, Policy
from rlvr_gym.verifiers.math.reading import Reading, read
from rlvr_gym.verifiers.math.simplified import is_atomic, is_number, is_simplified
from rlvr_gym.verifiers.math.surds import read_surds
from rlvr_gym.verifiers.math.symbolic import TimedOut
from rlvr_gym.verifiers.math.words import spelled_number

__all__ = ["MathVerifier"]

_SHOWN = 200
_SEEN = re.compile("[0-9A-Za-z]")


@register_verifier("math")
class MathVerifier(AnswerVerifier):
    """Judges mathematical answers in LaTeX, plain text or words.

    ``task.answer`` is the reference as text (or a number); ``task.metadata["math"]`` may hold fields of
    :class:`Policy`. What is accepted by default, and which policy changes it: ``docs/math-verifier.md``.

    Args:
        policy: the defaults of the policies, as a Policy or its fields; a task's own options go over them.
    """

    def __init__(self, policy: Policy | Mapping[str, Any] = DEFAULT) -> None:
        self.policy = policy if isinstance(policy, Policy) else DEFAULT.with_options(policy)

    def judge(self, completion: str, task: Task) -> Verdict:
        """As for every answer; and several boxes that together are the reference's list are one answer."""
        verdict = super().judge(completion, task)
        if verdict.reason is not Reason.AMBIGUOUS:
            return verdict
        candidates = extract_answer(completion).candidates
        gold = read(_reference(task)).node
        if 2 <= len(candidates) <= 8 and _is_unordered(gold) and all(_is_single(c) for c in candidates):
            joined = self.check(", ".join(candidates), task)
            return joined if joined.correct else verdict
        return verdict

    def check(self, answer: str, task: Task) -> Verdict:
        """The verdict on one extracted answer.

        Raises:
            ConfigError: if ``task.metadata["math"]`` is not a policy (reported as a defect by ``verify``).
        """
        shown = answer[:_SHOWN]
        reference, policy = _reference(task), self._policy(task)
        verdict = _judge_short(reference, answer, shown, task.prompt, policy)
        if verdict is not None:
            return verdict
        gold, given = read(reference), read(answer)
        if given.compact == gold.compact and gold.compact:
            return Verdict.right(shown, stage="text")
        if gold.too_complex:
            return Verdict.failed(Reason.TOO_COMPLEX, shown, error="the reference is beyond the budgets")
        if _is_copied(given, gold, task.prompt):
            return Verdict.wrong(
                Reason.RULE_BROKEN, shown, rule="the answer is a part of the question, unworked"
            )
        verdict = _judge_words(gold, given, shown)
        return verdict if verdict is not None else self._judge_math(gold, given, shown, policy)

    def _policy(self, task: Task) -> Policy:
        options = task.metadata.get("math")
        if options is None:
            return self.policy
        if not isinstance(options, Mapping):
            raise ConfigError(f"metadata['math'] holds the fields of a Policy as a dict; got {options!r}.")
        return self.policy.with_options(options)

    @staticmethod
    def _judge_math(gold: Reading, given: Reading, shown: str, policy: Policy) -> Verdict:
        if given.too_complex:
            return Verdict.wrong(Reason.TOO_COMPLEX, shown)
        if given.node is None or gold.node is None:
            return Verdict.wrong(Reason.UNPARSEABLE, shown)
        try:
            same = same_answer(gold.node, given.node, policy, Fuel())
        except (TooComplex, RecursionError):
            return Verdict.wrong(Reason.TOO_COMPLEX, shown)
        except TimedOut as error:
            return Verdict.failed(Reason.TIMEOUT, shown, error=str(error))
        if not same:
            return Verdict.wrong(extracted=shown)
        if policy.numeric_only and not is_number(given.node):
            return Verdict.wrong(
                Reason.RULE_BROKEN, shown, rule="the answer is equal, but not a single number"
            )
        if policy.simplified and not is_simplified(given.node, gold.node):
            return Verdict.wrong(Reason.RULE_BROKEN, shown, rule="the answer is equal, but not simplified")
        return Verdict.right(shown, stage="math")


def _reference(task: Task) -> str:
    answer: Any = task.answer
    if isinstance(answer, str):
        return answer
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        raise ConfigError(f"A math task's answer is text or a number; got {type(answer).__name__}.")
    return repr(answer)


def _judge_short(reference: str, answer: str, shown: str, prompt: str, policy: Policy) -> Verdict | None:
    """The verdict where it takes little to see it, the same as the long way's; None elsewhere."""
    if answer == reference and _SEEN.search(answer) is not None:
        return Verdict.right(shown, stage="text")
    # neither a decimal, which may be rounded, nor a name, which may be asked for
    if (policy is not DEFAULT and policy != DEFAULT) or "." in reference or "=" in reference:
        return None
    given = read_surds(answer)
    gold = None if given is None else read_surds(reference)
    if gold is None:
        return None
    written = answer.replace(" ", "")
    if written == reference.replace(" ", ""):
        return Verdict.right(shown, stage="text")
    if len(written) > 2 and written in "".join(prompt.split()):
        return None  # perhaps the question unworked
    return Verdict.right(shown, stage="math") if given == gold else Verdict.wrong(extracted=shown)


def _is_unordered(gold: Node | None) -> bool:
    return isinstance(gold, Listing) or (isinstance(gold, Bracket) and gold.left == "\\{")


def _is_single(text: str) -> bool:
    return not isinstance(read(text).node, Listing | None)


def _judge_words(gold: Reading, given: Reading, shown: str) -> Verdict | None:
    """The verdict where words decide; None where it is for mathematics."""
    letter = gold.choice(reference=True)
    if letter is not None:
        other = given.choice(reference=False)
        if other is not None:
            return Verdict.right(shown, stage="choice") if other == letter else Verdict.wrong(extracted=shown)
    if gold.clock is not None and given.clock is not None:
        same = _same_time(gold.clock, given.clock)
        return Verdict.right(shown, stage="time") if same else Verdict.wrong(extracted=shown)
    if gold.phrase is not None or given.phrase is not None:
        if gold.phrase == given.phrase:
            return Verdict.right(shown, stage="words")
        return Verdict.wrong(extracted=shown)
    if gold.node is None or given.node is None:
        if gold.plain == given.plain and gold.plain and gold.is_words and given.is_words:
            return Verdict.right(shown, stage="words")
        if gold.node is None:
            return Verdict.wrong(Reason.TOO_COMPLEX if given.too_complex else Reason.WRONG, shown)
    return None


def _same_time(gold: tuple[int, str | None], given: tuple[int, str | None]) -> bool:
    """The same time of day; where only one says am or pm, the other's hour may mean it."""
    if gold[1] is not None and given[1] is not None:
        return gold[0] == given[0]
    if gold[1] is None and given[1] is None:
        return gold[0] == given[0]
    return gold[0] % 43200 == given[0] % 43200


def _is_copied(given: Reading, gold: Reading, prompt: str) -> bool:
    """Whether an answer with work left in it stands word for word in the question."""
    if not prompt or len(given.compact) < 3 or spelled_number(given.plain) is not None:
        return False
    if not any(sign in given.compact[1:] for sign in "+-*/^(=") and "\\" not in given.compact:
        return False
    if not _is_operation(given.node):
        return False
    return given.compact in "".join(prompt.split())


def _is_operation(node: Node | None) -> bool:
    """Whether something is left to be worked out: more than a number, a name or a simple fraction."""
    return node is not None and not is_atomic(node)
