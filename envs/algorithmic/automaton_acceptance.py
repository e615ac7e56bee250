"""AutomatonAcceptance: a word that a finite automaton accepts, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.algorithmic._reading import plain_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["AcceptedWordVerifier", "AutomatonAcceptance"]

LETTERS = "ab"
IMPOSSIBLE_SHARE = 0.25


@register_verifier("accepted_word")
class AcceptedWordVerifier(RuleVerifier[str]):
    """Any accepted word with the right numbers of letters; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> str | None:
        """A word, with or without spaces between its letters."""
        word = plain_text(answer).lower().replace(" ", "")
        return word if word and set(word) <= set(LETTERS) else None

    def fault(self, value: str, task: Task) -> str | None:
        """The first rule that is broken."""
        puzzle = task.answer
        if [value.count(letter) for letter in LETTERS] != puzzle["counts"]:
            return "it has other numbers of letters"
        state = 0
        for letter in value:
            state = puzzle["moves"][state][LETTERS.index(letter)]
        return None if state in puzzle["accepting"] else f"it ends in state {state}"


@register("rlvr/AutomatonAcceptance-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class AutomatonAcceptance(Problem):
    """Find a word with given numbers of letters that an automaton accepts; every such word counts.

    Difficulty 1 has 3 states and words of 3 to 5 letters, 10 has 10 states and words of 15 to 17. In about one task of
    four there is no such word, which the set of all reachable states shows. The hardness is the number of states plus
    the length of the word.
    """

    verifier: ClassVar[str] = "accepted_word"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws automata and numbers of letters until there is a word, or none."""
        states = level(difficulty, 3, 10)
        wanted = rng.random() >= IMPOSSIBLE_SHARE
        while True:
            moves = rng.integers(states, size=(states, 2)).tolist()
            accepting = np.sort(rng.permutation(states)[: 1 + (states > 6)]).tolist()
            length = level(difficulty, 3, 15) + integer(rng, 0, 2)
            counts = [integer(rng, 1, length - 1)]
            counts.append(length - counts[0])
            word, reached = _find(moves, accepting, counts)
            if (word is not None) == wanted:
                break
        listed = "\n".join(f"state {i}: a leads to {a}, b leads to {b}" for i, (a, b) in enumerate(moves))
        ends = ", ".join(map(str, accepting))
        lines = [f"Words with {counts[0]} a and {counts[1]} b can end in: {', '.join(map(str, reached))}."]
        return Task(
            prompt=ask(
                f"An automaton begins in state 0 and reads a word letter by letter:\n\n{listed}\n\nIt accepts a word that "
                f"ends in state {ends.replace(', ', ' or ')}. Find a word with exactly {counts[0]} letters a and "
                f"{counts[1]} letters b that it accepts.",
                "the word, or the word impossible if there is none,",
                "ab" * length,
            ),
            answer={"moves": moves, "accepting": accepting, "counts": counts, "reference": word},
            metadata={"states": states, "length": length, "hardness": states + length},
            solution="\n".join(
                [
                    *lines,
                    *(_trace(moves, word) if word else []),
                    f"So: {word or AcceptedWordVerifier.impossible}",
                ]
            ),
        )

    def answer_text(self, task: Task) -> str:
        """The word that the search found."""
        return task.answer["reference"] or AcceptedWordVerifier.impossible


def _find(
    moves: Sequence[Sequence[int]], accepting: Sequence[int], counts: Sequence[int]
) -> tuple[str | None, list[int]]:
    """A word, if there is one, and all states in which words with these numbers of letters end."""
    # a word that leads to each state, for every number of a (place in the list) and b (round of the loop)
    first: list[dict[int, str]] = [{} for _ in range(counts[0] + 1)]
    for used_b in range(counts[1] + 1):
        table = [{moves[state][1]: word + "b" for state, word in row.items()} for row in first]
        if used_b == 0:
            table[0] = {0: ""}
        for used_a in range(1, counts[0] + 1):
            for state, word in table[used_a - 1].items():
                table[used_a].setdefault(moves[state][0], word + "a")
        first = table
    found = first[-1]
    return next((found[state] for state in accepting if state in found), None), sorted(found)


def _trace(moves: Sequence[Sequence[int]], word: str) -> list[str]:
    states = [0]
    for letter in word:
        states.append(moves[states[-1]][LETTERS.index(letter)])
    return [f"{word} goes through {' '.join(map(str, states))}."]
