"""Knights and knaves: who tells the truth?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rlvr_gym.envs.logic._case_analysis import CaseAnalysis, phrase, solutions, truth_table, world_sets
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.knights import Claim

__all__ = ["NAMES", "KnightsAndKnaves"]

# No name is a part of another one, or a word of the puzzle's language.
NAMES = (
    "Alice", "Boris", "Clara", "Dmitri", "Edith", "Felix", "Greta", "Hugo", "Ingrid", "Jasper", "Kenji", "Lucia",
    "Milan", "Nadia", "Oscar", "Petra", "Quentin", "Rosa", "Stefan", "Tamar", "Ulrich", "Vera", "Wanda", "Yusuf",
)  # fmt: skip
_BINARY = ("and", "or", "implies", "iff")


class _Level(NamedTuple):
    people: int
    depth: int


_LEVELS = (
    _Level(2, 1), _Level(3, 1), _Level(3, 2), _Level(4, 1), _Level(4, 2),
    _Level(5, 1), _Level(5, 2), _Level(6, 2), _Level(7, 2), _Level(8, 2),
)  # fmt: skip


@register("rlvr/KnightsAndKnaves-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class KnightsAndKnaves(Problem):
    """Find out who is a knight (always tells the truth) and who is a knave (always lies).

    Every puzzle has exactly one solution, proved over all ``2**people`` assignments. Difficulty 1 to 10 goes from
    two people with claims like "I am a knave or Boris is a knight" to eight people with nested claims.
    The hardness is the number of steps of the case analysis that is the worked solution.

    Attributes:
        people: 2 to 8; 0 leaves it to the difficulty.
        depth: how deep connectives (and, or, if, if and only if, not) nest, 1 to 3; 0 leaves it to the difficulty.
            (Bare claims "Boris is a knave" would never have a unique solution: turning everybody around fits too.)
    """

    verifier: ClassVar[str] = "knights"
    people: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.people != 0 and not 2 <= self.people <= 8:
            raise ConfigError(f"people is 0 or goes from 2 to 8; got {self.people!r}.")
        if not 0 <= self.depth <= 3:
            raise ConfigError(f"depth is 0 or goes from 1 to 3; got {self.depth!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws claims until exactly one assignment fits them all."""
        level = _LEVELS[difficulty - 1]
        count = self.people or level.people
        depth = self.depth or level.depth
        names = [NAMES[i] for i in rng.choice(len(NAMES), size=count, replace=False)]
        claims, solution = _draw_puzzle(rng, count, depth)
        analysis = CaseAnalysis(names, claims).shortest()
        return Task(
            prompt=_prompt(names, claims),
            answer={"names": names, "claims": claims, "knights": solution},
            metadata={"people": count, "hardness": analysis.steps},
            solution=analysis.text,
        )

    def answer_text(self, task: Task) -> str:
        """One sentence for each person."""
        pairs = zip(task.answer["names"], task.answer["knights"], strict=True)
        return ", ".join(f"{name} is a {'knight' if knight else 'knave'}" for name, knight in pairs)


def _draw_puzzle(rng: np.random.Generator, count: int, depth: int) -> tuple[list[Claim], list[bool]]:
    """Claims with exactly one fitting world, and who is a knight in it."""
    while True:
        claims = [_draw_informative(rng, speaker, count, depth) for speaker in range(count)]
        fitting = solutions([truth_table(claim, count) for claim in claims])
        if fitting.bit_count() == 1:
            world = fitting.bit_length() - 1
            return claims, [bool(world >> person & 1) for person in range(count)]


def _draw_informative(rng: np.random.Generator, speaker: int, count: int, depth: int) -> Claim:
    """A claim that is neither a tautology nor a contradiction, and that is no news by being said, nor a paradox."""
    everything, knights = world_sets(count)
    while True:
        claim = _draw_claim(rng, count, depth)
        table = truth_table(claim, count)
        trivial = (0, everything, knights[speaker], everything ^ knights[speaker])
        if table not in trivial:
            return claim


def _draw_claim(rng: np.random.Generator, count: int, depth: int) -> Claim:
    """A random claim with connectives nested at most ``depth`` deep; one part of each may be less deep."""
    if depth == 0:
        return ["knight" if rng.random() < 0.5 else "knave", int(rng.integers(count))]
    if depth > 1 and rng.random() < 0.2:
        return ["not", _draw_claim(rng, count, depth - 1)]
    kind = _BINARY[int(rng.integers(len(_BINARY)))]
    deep, shallow = _draw_claim(rng, count, depth - 1), _draw_claim(rng, count, int(rng.integers(depth)))
    while shallow[1] == deep[1]:  # the same person, or the same claim, on both sides
        shallow = _draw_claim(rng, count, 0)
    return [kind, deep, shallow] if rng.random() < 0.5 else [kind, shallow, deep]


def _prompt(names: list[str], claims: list[Claim]) -> str:
    said = "\n".join(f'{name} says: "{phrase(claims[i], names, i)}."' for i, name in enumerate(names))
    return (
        "On an island, knights always tell the truth and knaves always lie; everybody is one or the other. "
        f'("Or" includes both; "if" only fails if the first part is true and the second false.)\n\n{said}\n\n'
        f"Who is what? Think step by step, then say it of all {len(names)} people in <answer> tags, in this form: "
        "<answer>Zoe is a knight, Max is a knave</answer>."
    )
