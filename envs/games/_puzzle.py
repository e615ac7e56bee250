"""Puzzles of moves: what their environments share, whether a plan is asked for or the puzzle is played.

A puzzle is a :class:`Puzzle` (rules, a solver, a generator). From it follow a single-turn environment, in which the
whole plan is the answer (:class:`PlanProblem`), and a conversation, in which moves are made and answered with the new
position (:class:`PuzzleDialogue`). Both are judged by the same verifier: a conversation that ends well hands the moves
that were made to it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from rlvr_gym.envs._authoring import ask
from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Problem, Reply
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifiers.moves import Illegal, MoveRules

__all__ = ["IMPOSSIBLE", "Drawn", "PlanProblem", "Play", "Puzzle", "PuzzleDialogue"]

P = TypeVar("P")
M = TypeVar("M")

IMPOSSIBLE = "impossible"
"""The answer to a puzzle without a solution; a verifier has to have it as its ``impossible``, too."""


@dataclass(frozen=True, slots=True)
class Drawn(Generic[M]):
    """What a generator draws.

    Attributes:
        board: JSON, which the rules make the first position of.
        plan: a solution; None if it is proved that there is none.
        limit: the most moves that a plan may have.
        facts: metadata, ``"hardness"`` among them.
        proof: lines that show that there is no solution, where ``plan`` is None.
    """

    board: dict[str, Any]
    plan: list[M] | None
    limit: int
    facts: Mapping[str, Any]
    proof: tuple[str, ...] = ()


class Puzzle(MoveRules[P, M]):
    """A puzzle that can be drawn, shown and solved."""

    form: ClassVar[str]
    """What an answer is, as in "give <form> in <answer> tags"."""
    examples: ClassVar[tuple[str, ...]]
    """Answers of the right form; the first that is no solution is shown."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[M]:
        """A puzzle that can be solved."""

    @abstractmethod
    def describe(self, position: P) -> str:
        """The rules in words, and the position."""

    @abstractmethod
    def show(self, position: P) -> str:
        """The position for a player."""

    @abstractmethod
    def write(self, move: M) -> str:
        """A move as a player writes it."""

    @abstractmethod
    def solve(self, position: P) -> list[M] | None:
        """Moves to the goal; None if none are found."""

    def write_all(self, moves: list[M]) -> str:
        """Moves as a player writes them."""
        return ", ".join(map(self.write, moves))

    def work(self, position: P, plan: list[M]) -> list[str]:
        """The lines of a worked solution: every position on the way."""
        lines = [f"Start:\n{self.show(position)}"]
        for number, move in enumerate(plan, 1):
            position = self.follow(position, move)
            lines.append(f"Move {number}, {self.write(move)}:\n{self.show(position)}")
        return lines

    def follow(self, position: P, move: M) -> P:
        """The position after a move that is known to be legal."""
        after = self.make(position, move)
        if isinstance(after, Illegal):
            raise AssertionError(f"The puzzle's own move {move!r} is illegal: {after.why}.")
        return after

    def example(self, board: Mapping[str, Any]) -> str:
        """An answer of the right form that does not solve this."""
        return next(text for text, moves in self._read_examples if not self._solves(board, moves))

    @cached_property
    def _read_examples(self) -> list[tuple[str, list[M]]]:
        return [(text, self.parse(text) or []) for text in self.examples]

    def _solves(self, board: Mapping[str, Any], moves: list[M]) -> bool:
        position = self.position(board)
        for move in moves:
            after = self.make(position, move)
            if isinstance(after, Illegal):
                return False
            position = after
        return self.solved(position)

    def answer(self, drawn: Drawn[M]) -> dict[str, Any]:
        """What a verifier needs, and the reference."""
        reference = None if drawn.plan is None else self.write_all(drawn.plan)
        return {**drawn.board, "limit": drawn.limit, "reference": reference}


@dataclass(frozen=True, kw_only=True)
class PlanProblem(Problem):
    """A puzzle whose whole plan is asked for, at once."""

    puzzle: ClassVar[Puzzle[Any, Any]]
    impossible_share: ClassVar[float] = 0.0
    """How many tasks have no solution; above 0 "impossible" is an answer."""

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a puzzle."""
        puzzle = self.puzzle
        infeasible = self.impossible_share > 0 and bool(rng.random() < self.impossible_share)
        drawn = (self.draw_impossible if infeasible else puzzle.draw)(rng, difficulty)
        position = puzzle.position(drawn.board)
        form = puzzle.form
        if self.impossible_share:
            form += f", or the word {IMPOSSIBLE} if no moves lead to the goal,"
        answer = puzzle.answer(drawn)
        if drawn.plan is None:
            lines = [*drawn.proof, f"So: {IMPOSSIBLE}"]
        else:
            lines = [*puzzle.work(position, drawn.plan), f"So: {answer['reference']}"]
        return Task(
            prompt=ask(
                f"{puzzle.describe(position)}\n\nFind moves after the last of which the goal is reached. Any such moves "
                f"count, if there are at most {drawn.limit} of them.",
                form,
                puzzle.example(drawn.board),
            ),
            answer=answer,
            metadata={**drawn.facts, "limit": drawn.limit},
            solution="\n".join(lines),
        )

    def draw_impossible(self, rng: np.random.Generator, difficulty: int) -> Drawn[Any]:
        """A puzzle that is proved to have no solution, or an ordinary one where there are none."""
        return self.puzzle.draw(rng, difficulty)

    def answer_text(self, task: Task) -> str:
        """The generator's own plan."""
        return task.answer["reference"] or IMPOSSIBLE


@dataclass(slots=True)
class Play:
    """A puzzle that is being played.

    Attributes:
        position: where it stands.
        left: moves that may still be tried.
        made: the moves that were made.
        plan: moves from here to the goal, as far as the oracle knows some.
    """

    position: Any
    left: int
    made: list[Any] = field(default_factory=list)
    plan: list[Any] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class PuzzleDialogue(Dialogue):
    """A puzzle that is played: moves are made as they come, and the new position is the reply.

    A turn may hold several moves. A move that cannot be made is not made, ends its turn, and counts like any other;
    so does a turn without a readable move. The metrics are ``moves`` and ``illegal_moves``.
    """

    puzzle: ClassVar[Puzzle[Any, Any]]

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a puzzle."""
        drawn = self.puzzle.draw(rng, difficulty)
        return Task(
            prompt=(
                f"{self.puzzle.describe(self.puzzle.position(drawn.board))}\n\nPlay it: give one or more moves at a "
                f"time in <answer> tags ({self.puzzle.form}), for example "
                f"<answer>{self.puzzle.example(drawn.board)}</answer>. They are made in this order, and I tell what "
                f"came of them. You may try {drawn.limit} moves in all. A move that is not possible is not made, but "
                "counts, and the rest of its turn is dropped; a turn without a readable move counts as one, too. "
                "Reaching the goal scores 1 and ends the game; everything else scores 0."
            ),
            answer=self.puzzle.answer(drawn),
            metadata={**drawn.facts, "limit": drawn.limit},
        )

    def answer_text(self, task: Task) -> str:
        """The generator's own moves, all at once."""
        return str(task.answer["reference"])

    def turn_limit(self, task: Task) -> int:
        """Every turn tries a move."""
        return int(task.answer["limit"])

    def start(self, task: Task) -> Play:
        """The first position; the oracle knows the reference."""
        plan = self.puzzle.parse(task.answer["reference"]) or []
        return Play(self.puzzle.position(task.answer), task.answer["limit"], plan=plan)

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Makes the moves; the game ends when it is solved or lost, or no move is left."""
        candidates = extract_answer(action).candidates
        moves = self.puzzle.parse(candidates[0]) if len(candidates) == 1 else None
        before = len(state.made)
        refused = self._make_all(state, moves) if moves else None
        if not moves:
            state.left -= 1
            refused = f"That is no move: give {self.puzzle.form} in <answer> tags."
        metrics = {"moves": float(len(state.made) - before), "illegal_moves": float(refused is not None)}
        if self.puzzle.solved(state.position):
            made = self.puzzle.write_all(state.made)
            return Reply("Solved.", answer=f"<answer>{made}</answer>", metrics=metrics)
        told = " ".join(part for part in (self._made_text(state.made[before:]), refused) if part)
        if self.puzzle.lost(state.position):
            return Reply(f"{told} Lost.", verdict=self._lost(state, Reason.RULE_BROKEN), metrics=metrics)
        if state.left <= 0:
            return Reply(
                f"{told} No moves are left.", verdict=self._lost(state, Reason.MAX_TURNS), metrics=metrics
            )
        left = f"Moves left: {state.left}."
        return Reply(f"{told} {left}\n\n{self.puzzle.show(state.position)}", metrics=metrics)

    def _make_all(self, state: Play, moves: list[Any]) -> str | None:
        """Makes moves up to the first that cannot be made, and says why not."""
        for move in moves:
            if state.left <= 0 or self.puzzle.solved(state.position) or self.puzzle.lost(state.position):
                break
            state.left -= 1
            after = self.puzzle.make(state.position, move)
            if isinstance(after, Illegal):
                return f"{self.puzzle.write(move)} is not possible: {after.why}."
            state.position = after
            state.made.append(move)
            state.plan = state.plan[1:] if state.plan[:1] == [move] else []
        return None

    def _made_text(self, moves: list[Any]) -> str:
        return f"Made: {self.puzzle.write_all(moves)}." if moves else ""

    def _lost(self, state: Play, reason: Reason) -> Verdict:
        return Verdict.wrong(reason, self.puzzle.write_all(state.made)[:200], moves=len(state.made))

    def oracle(self, task: Task, state: Any) -> str:
        """The next move of a plan, which is made anew where the player went another way."""
        state.plan = state.plan or self.puzzle.solve(state.position) or []
        if not state.plan:
            return "No moves lead from here to the goal. <answer>none</answer>"
        move = self.puzzle.write(state.plan[0])
        return f"Moves from here to the goal: {len(state.plan)}. <answer>{move}</answer>"
