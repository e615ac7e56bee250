"""StringRewriting: a derivation from one string to another by given rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick
from rlvr_gym.envs.algorithmic._reading import scan
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["DerivationVerifier", "StringRewriting"]

LETTERS = "abc"
LONGEST = 16
_ARROW = re.compile(r"-+>|=+>|\u2192|\\(?:to|rightarrow)\b")
_STRING = re.compile(r"[a-z]+", re.IGNORECASE | re.ASCII)

Rule = tuple[str, str]


@register_verifier("derivation")
class DerivationVerifier(RuleVerifier[list[str]]):
    """Any derivation within the allowed number of steps."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Strings in order."""
        found = scan(_ARROW.sub(" ", answer), _STRING)
        return [match.group().lower() for match in found] if found else None

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        puzzle = task.answer
        if value[0] != puzzle["start"] or value[-1] != puzzle["end"]:
            return "it does not lead from the first string to the last"
        if len(value) - 1 > puzzle["steps"]:
            return f"it has more than {puzzle['steps']} steps"
        for before, after in pairwise(value):
            if not any(after == result for result, _, _ in _successors(before, puzzle["rules"])):
                return f"no rule turns {before} into {after}"
        return None


@register("rlvr/StringRewriting-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class StringRewriting(Problem):
    """Derive a string from another by rules that replace parts; every derivation that is short enough counts.

    Difficulty 1 has 2 rules and 2 steps, 10 has 5 rules and 11 steps. The hardness is the number of steps times the
    average number of ways to go on.
    """

    verifier: ClassVar[str] = "derivation"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws rules and walks at random, without coming to the same string twice."""
        steps, count = level(difficulty, 2, 11), level(difficulty, 2, 5)
        while True:
            rules = _draw_rules(rng, count)
            path, lines, ways = _walk(rng, rules, _random_string(rng, level(difficulty, 4, 8)), steps)
            if len(path) == steps + 1:
                break
        reference = " -> ".join(path)
        listed = "\n".join(f"{left} -> {right}" for left, right in rules)
        return Task(
            prompt=ask(
                f"Each of these rules replaces one occurrence of its left side, anywhere in a string, by its right "
                f"side:\n\n{listed}\n\nTurn {path[0]} into {path[-1]} with at most {steps} steps, each of which applies "
                f"one rule once.",
                "all strings from the first to the last",
                "xyx -> xxy -> zy",
            ),
            answer={
                "rules": rules,
                "start": path[0],
                "end": path[-1],
                "steps": steps,
                "reference": reference,
            },
            metadata={"rules": count, "steps": steps, "hardness": ways},
            solution="\n".join([f"Start: {path[0]}", *lines]),
        )

    def answer_text(self, task: Task) -> str:
        """The walk that made the task."""
        return str(task.answer["reference"])


def _random_string(rng: np.random.Generator, length: int) -> str:
    return "".join(LETTERS[i] for i in rng.integers(len(LETTERS), size=length).tolist())


def _draw_rules(rng: np.random.Generator, count: int) -> list[list[str]]:
    rules: list[list[str]] = []
    while len(rules) < count:
        left, right = (_random_string(rng, pick(rng, sizes)) for sizes in ((1, 2, 2), (1, 2, 2, 3)))
        if left != right and left not in (rule[0] for rule in rules):
            rules.append([left, right])
    return rules


def _successors(text: str, rules: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """Every string that one step leads to, with the rule's sides."""
    for left, right in rules:
        at = text.find(left)
        while at >= 0:
            yield text[:at] + right + text[at + len(left) :], left, right
            at = text.find(left, at + 1)


def _walk(
    rng: np.random.Generator, rules: Sequence[Sequence[str]], start: str, steps: int
) -> tuple[list[str], list[str], int]:
    """The strings, what was done, and the number of ways to go on; shorter than asked for at a dead end."""
    path, lines, ways = [start], [], 0
    for _ in range(steps):
        options = sorted(
            o for o in set(_successors(path[-1], rules)) if o[0] not in path and len(o[0]) <= LONGEST
        )
        if not options:
            break
        text, left, right = pick(rng, options)
        ways += len(options)
        path.append(text)
        lines.append(f"{left} -> {right}: {text}")
    return path, lines, ways
