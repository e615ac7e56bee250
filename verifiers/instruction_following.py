"""The verifier of texts that have to keep a list of constraints."""

from __future__ import annotations

import json
from functools import lru_cache

from rlvr_gym.errors import DataError
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers import instruction_content, instruction_counts, instruction_layout  # noqa: F401
from rlvr_gym.verifiers.instruction_constraint import Constraint, parse_constraint
from rlvr_gym.verifiers.instruction_text import Text, TextVerifier, copied_run, words_of

__all__ = ["COPY_LIMIT", "InstructionVerifier"]

COPY_LIMIT = 9
"""So many words in a row out of the rules are no text of one's own."""


@register_verifier("instruction_constraints")
class InstructionVerifier(TextVerifier):
    """Every constraint has to hold.

    ``task.answer`` is ``{"constraints": [{"kind": ..., ...}, ...], "rules": text, "graded": bool}``. ``rules`` is what
    the text must not copy, because an echo of the rules has all the words that they ask for. With ``graded``, the
    score is the share of the constraints that hold, but 0 unless all ``keywords`` are there: otherwise a text about
    nothing would be paid for what it leaves out.
    """

    def check(self, text: str, task: Task) -> Verdict:
        """Checks each constraint; ``details`` says of each what was found."""
        constraints = _parse(json.dumps(task.answer["constraints"]))
        view = Text(text)
        findings = [constraint.check(view) for constraint in constraints]
        results = [
            {"kind": c.kind, "rule": c.state(), "held": f.held, "found": f.note}
            for c, f in zip(constraints, findings, strict=True)
        ]
        shown = text[:200]
        copied = copied_run(view.words, words_of(str(task.answer.get("rules", ""))), COPY_LIMIT)
        if copied is not None:
            return Verdict.wrong(Reason.RULE_BROKEN, shown, copied=copied, constraints=results)
        share = sum(finding.held for finding in findings) / len(findings)
        anchored = all(f.held for c, f in zip(constraints, findings, strict=True) if c.kind == "keywords")
        if share == 1.0:
            return Verdict.right(shown, constraints=results)
        if task.answer.get("graded") and anchored:
            return Verdict.graded(share, shown, constraints=results)
        return Verdict.wrong(Reason.RULE_BROKEN, shown, constraints=results)


@lru_cache(maxsize=256)
def _parse(rows: str) -> tuple[Constraint, ...]:
    constraints = tuple(parse_constraint(row) for row in json.loads(rows))
    if not constraints:
        raise DataError("A task of instructions needs at least one constraint; its answer has none.")
    return constraints
