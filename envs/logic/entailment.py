"""Entailment: does a conclusion follow, and if not, what is a countermodel?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.logic._formulas import (
    LEGEND,
    Formula,
    assignment_text,
    draw_formula,
    formula_text,
    holds,
    operators,
    row_text,
    truth,
)
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_bits

__all__ = ["Entailment"]

LEVELS = {
    1: (2, 2, 1), 2: (3, 2, 1), 3: (3, 3, 1), 4: (3, 3, 2), 5: (4, 3, 2), 6: (4, 4, 2), 7: (4, 5, 2), 8: (5, 4, 3),
    9: (5, 5, 3), 10: (5, 6, 3),
}  # fmt: skip
"""Difficulty: variables, premises, binary operators in each formula."""
ENTAILED_SHARE = 0.33
CONCLUSIONS = 40
"""Conclusions tried before the premises are drawn again."""
MOST_COUNTERMODELS = 4
NAMES = "ABCDE"
EXAMPLE = "X=0, Y=1"


@register_verifier("entailment")
class EntailmentVerifier(RuleVerifier[list[bool]]):
    """Any assignment that makes all premises true and the conclusion false; "entailed" only if there is none."""

    impossible = "entailed"

    def read(self, answer: str, task: Task) -> list[bool] | None:
        """A truth value for every variable."""
        return parse_bits(answer, NAMES[: task.answer["variables"]])

    def fault(self, value: list[bool], task: Task) -> str | None:
        """A premise that is false, or a conclusion that is true."""
        for number, premise in enumerate(task.answer["premises"], 1):
            if not holds(premise, value):
                return f"premise {number} is false"
        return "the conclusion is true" if holds(task.answer["conclusion"], value) else None


@register("rlvr/Entailment-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Entailment(Problem):
    """Decide whether a conclusion follows from premises, or give a countermodel; every countermodel counts.

    Difficulty 1 has 2 variables and 2 premises, 5 has 4 and 3, 10 has 5 and 6, with longer formulas. In one task of
    three the conclusion follows. Hardness is the number of operators to be worked out over the rows that are left
    after each premise.
    """

    verifier: ClassVar[str] = "entailment"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws premises and conclusions until the wanted case comes up."""
        count, size, binary = LEVELS[difficulty]
        names = NAMES[:count]
        premises, conclusion = _draw(rng, count, size, binary, wanted=bool(rng.random() < ENTAILED_SHARE))
        lines, rows, effort = [], list(range(1 << count)), 0
        for number, premise in enumerate(premises, 1):
            effort += len(rows) * (1 + operators(premise))
            table = truth(premise, count)
            rows = [row for row in rows if table >> row & 1]
            which = "Premise 1 holds in the rows" if number == 1 else f"Of these, premise {number} holds in"
            lines.append(f"{which} {' '.join(row_text(row, count) for row in rows)}.")
        table = truth(conclusion, count)
        against = [row for row in rows if not table >> row & 1]
        effort += len(rows) * (1 + operators(conclusion))
        reference = assignment_text(against[0], names) if against else None
        if reference is None:
            lines.append("The conclusion holds in all of these, so it is entailed.")
        else:
            lines.append(f"The conclusion fails in {row_text(against[0], count)}, which is {reference}.")
        listed = "\n".join(f"{i}. {formula_text(premise, names)}" for i, premise in enumerate(premises, 1))
        prompt = (
            f"Here {LEGEND}.\n\nPremises:\n{listed}\nConclusion: {formula_text(conclusion, names)}\n\nDoes the conclusion "
            f"follow from the premises? If it is true whenever all premises are true, the answer is the word entailed. "
            f"Otherwise give values for {', '.join(names)} (1 true, 0 false) that make all premises true and the "
            f"conclusion false, in the form {', '.join(f'{n}=?' for n in names)}. Give your answer in <answer> tags, for "
            f"example <answer>{EXAMPLE}</answer>"
        )
        return Task(
            prompt=prompt,
            answer={
                "variables": count,
                "premises": premises,
                "conclusion": conclusion,
                "reference": reference,
            },
            metadata={"premises": size, "entailed": reference is None, "hardness": effort},
            solution="\n".join([f"Rows are written as the values of {', '.join(names)}.", *lines]),
        )

    def answer_text(self, task: Task) -> str:
        """A countermodel, or the word for there being none."""
        return task.answer["reference"] or EntailmentVerifier.impossible


def _draw(
    rng: np.random.Generator, count: int, size: int, binary: int, *, wanted: bool
) -> tuple[list[Formula], Formula]:
    """Premises that can all be true, and a conclusion that follows or not, as ``wanted``.

    One premise alone is never enough for the conclusion, and there are few countermodels, so that neither answer
    is obvious.
    """
    everything = (1 << (1 << count)) - 1
    while True:
        premises = [draw_formula(rng, count, binary) for _ in range(size)]
        tables = [truth(premise, count) for premise in premises]
        together = reduce(int.__and__, tables)
        if not together or len(set(tables)) < size:
            continue
        for _ in range(CONCLUSIONS):
            conclusion = draw_formula(rng, count, binary)
            table = truth(conclusion, count)
            against = together & ~table
            if table == everything or any(single & ~table == 0 for single in tables):
                continue
            if (not against) == wanted and against.bit_count() <= MOST_COUNTERMODELS:
                return premises, conclusion
