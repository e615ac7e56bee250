"""DiceGame: roll on or stop, judged by the expected points of the decisions and not by the luck of the dice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import integer, level
from rlvr_gym.envs.games._interactive import Game, illegal, read_move, say_turns
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict

__all__ = ["DiceGame"]

_SIZES = (4, 6, 8, 10, 12, 20)
_TIE = 1e-9
"""Expected points are sums of products of a few fractions with small denominators: a real difference is larger."""
_SPARE_TURNS = 2


@dataclass(frozen=True)
class Rules:
    """The game's numbers.

    Attributes:
        dice: the sides of the dice that may be chosen.
        most: with more points than this the game is lost.
        rolls: so many rolls are allowed.
        fee: points that each roll takes off the final points.
        bonus: points that are added for stopping at exactly ``most``.
    """

    dice: tuple[int, ...]
    most: int
    rolls: int
    fee: int
    bonus: int

    def paid(self, points: int, rolled: int) -> float:
        """What stopping earns."""
        return max(0, points + (self.bonus if points == self.most else 0) - self.fee * rolled)


@dataclass(slots=True)
class _Game:
    """Where the game stands, and the expected points that decisions have given away so far."""

    points: int = 0
    rolled: int = 0
    regret: float = 0.0


@register("rlvr/DiceGame-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class DiceGame(Game):
    """Collect points with dice and stop in time; every decision is judged by its expected points.

    The dice come from the task's own random numbers. The score does not depend on luck: it is 1 - R / V, not below 0,
    where V is the expected number of points under best play and R the sum, over the decisions, of the expected points
    that each gives away. But for the limit at 0 its mean is the share of V that a policy earns (a policy's loss is the
    sum of what its decisions give away: Kakade and Langford 2002, lemma 6.1). Correct is whoever gives away nothing;
    equally good choices all count.

    Difficulty 1 has one die and at most 3 rolls; later there are up to 3 dice to choose from, 10 rolls, a fee for each
    roll, and a bonus for the exact limit. What is no decision costs its turn and is counted in the metric
    ``illegal_moves``. The hardness is log2 of the number of outcomes that best play has to weigh.
    """

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the rules, and what the dice will show."""
        rules = _draw_rules(rng, difficulty)
        turns = rules.rolls + 1 + _SPARE_TURNS
        best, weighed = _solve(rules)
        return Task(
            prompt=f"{_say_rules(rules)} {say_turns(turns)}",
            answer={
                "dice": list(rules.dice),
                "most": rules.most,
                "rolls": rules.rolls,
                "fee": rules.fee,
                "bonus": rules.bonus,
                "luck": [int(word) for word in rng.integers(2**32, size=rules.rolls)],
            },
            metadata={
                "turns": turns,
                "expected": round(best[0, 0], 6),
                "hardness": round(float(np.log2(weighed)), 3),
            },
        )

    def start(self, task: Task) -> _Game:
        """No points, no rolls."""
        return _Game()

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """The die's face, or the end."""
        rules = _rules_of(task)
        move = read_move(action)
        sides = 0 if move == "stop" else _die(move, rules)
        if sides is None:
            return illegal(f"That is no decision. Give one of these in <answer> tags: {_choices(rules)}.")
        values = _values(rules, state.points, state.rolled)
        state.regret += max(values.values()) - values[sides]
        if sides == 0:
            paid = rules.paid(state.points, state.rolled)
            return _over(task, state, f"You stop at {state.points}, which earns {paid}.")
        face = (task.answer["luck"][state.rolled] * sides >> 32) + 1
        state.points, state.rolled = state.points + face, state.rolled + 1
        told = f"The die with {sides} sides shows {face}: you have {state.points} points"
        if state.points > rules.most:
            return _over(task, state, f"{told}, which is too many. You earn 0.")
        if state.rolled == rules.rolls:
            paid = rules.paid(state.points, state.rolled)
            return _over(task, state, f"{told}, and no roll is left. That earns {paid}.")
        return Reply(text=f"{told}; {rules.rolls - state.rolled} rolls left.")

    def oracle(self, task: Task, state: Any) -> str:
        """The decision with the most expected points."""
        rules = _rules_of(task)
        values = _values(rules, state.points, state.rolled)
        best = max(values, key=lambda sides: values[sides])
        told = ", ".join(f"{_name(sides)} {value:.3f}" for sides, value in values.items())
        return f"Expected points: {told}. <answer>{_name(best)}</answer>"


def _draw_rules(rng: np.random.Generator, difficulty: int) -> Rules:
    count = 1 if difficulty < 4 else 2 if difficulty < 8 else 3
    rolls = level(difficulty, 3, 10)
    sizes = _SIZES[: 4 + (difficulty > 5) + (difficulty > 8)]
    dice = tuple(sorted(sizes[i] for i in rng.choice(len(sizes), size=count, replace=False).tolist()))
    mean = (dice[-1] + 1) / 2
    return Rules(
        dice=dice,
        most=integer(rng, dice[-1], dice[-1] + round(mean * (rolls - 2))),
        rolls=rolls,
        fee=int(rng.integers(2)) if difficulty > 2 else 0,
        bonus=integer(rng, 0, 10) if difficulty > 4 else 0,
    )


def _rules_of(task: Task) -> Rules:
    answer = task.answer
    return Rules(tuple(answer["dice"]), answer["most"], answer["rolls"], answer["fee"], answer["bonus"])


def _name(sides: int) -> str:
    return f"roll {sides}" if sides else "stop"


def _choices(rules: Rules) -> str:
    return ", ".join(_name(sides) for sides in (*rules.dice, 0))


def _die(move: str, rules: Rules) -> int | None:
    """The sides of the die that a move names: ``roll 6``, ``roll d6``; ``roll`` is enough if there is one die."""
    if move == "roll" and len(rules.dice) == 1:
        return rules.dice[0]
    names = {f"roll {d}{sides}": sides for sides in rules.dice for d in ("", "d")}
    return names.get(move)


@lru_cache(maxsize=256)
def _solve(rules: Rules) -> tuple[dict[tuple[int, int], float], int]:
    """The expected points of best play by ``(points, rolled)``, and how many outcomes of rolls were weighed."""
    best: dict[tuple[int, int], float] = {}
    weighed = 0
    for rolled in range(rules.rolls, -1, -1):
        for points in range(rules.most + 1):
            values = [rules.paid(points, rolled)]
            if rolled < rules.rolls:
                values += [_roll_value(best, points, rolled, sides) for sides in rules.dice]
                weighed += sum(rules.dice)
            best[points, rolled] = max(values)
    return best, weighed


def _roll_value(best: dict[tuple[int, int], float], points: int, rolled: int, sides: int) -> float:
    after = (best.get((points + face, rolled + 1), 0.0) for face in range(1, sides + 1))
    return sum(after) / sides


def _values(rules: Rules, points: int, rolled: int) -> dict[int, float]:
    """The expected points of stopping (0) and of rolling each die, with best play afterwards."""
    best, _ = _solve(rules)
    return {0: float(rules.paid(points, rolled))} | {
        sides: _roll_value(best, points, rolled, sides) for sides in rules.dice
    }


def _over(task: Task, state: _Game, text: str) -> Reply:
    """The end, with the score that the decisions earn."""
    expected = _solve(_rules_of(task))[0][0, 0]
    score = 1.0 if state.regret < _TIE else max(0.0, 1.0 - state.regret / expected)
    verdict = Verdict.graded(min(score, 1.0), points=state.points, regret=round(state.regret, 6))
    return Reply(text=text, verdict=verdict)


def _say_rules(rules: Rules) -> str:
    dice = _say_list([f"one with {sides} sides" for sides in rules.dice])
    which = f"a die with {rules.dice[0]} sides" if len(rules.dice) == 1 else f"one of these dice: {dice}"
    fee = (
        f" Each roll costs a fee of {rules.fee} off what you earn (you never earn less than 0)."
        if rules.fee
        else ""
    )
    bonus = f" Stopping at exactly {rules.most} earns {rules.bonus} more." if rules.bonus else ""
    names = " or ".join(f"<answer>{_name(sides)}</answer>" for sides in rules.dice)
    return (
        f"You have 0 points and may roll {which}, up to {rules.rolls} times. The faces are numbered from 1 and equally "
        "likely, and what a roll shows is added to your points. You may stop at any time; then you earn your points. "
        f"With more than {rules.most} points the game ends at once and you earn 0. After {rules.rolls} rolls you stop "
        f"by force.{fee}{bonus}\nPlay so that you earn as much as possible in the mean. Your score is not the points, "
        "which are luck: it is 1 if each decision has the most expected points, and falls by the share of the expected "
        f"points that decisions give away. Give one decision in <answer> tags at a time: {names} to roll, or "
        "<answer>stop</answer> to stop."
    )


def _say_list(items: Sequence[str]) -> str:
    return f"{', '.join(items[:-1])} or {items[-1]}" if len(items) > 1 else items[0]
