"""Bandit: find the best of several machines by pulling their levers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import level
from rlvr_gym.envs.games._interactive import Game, illegal, lost, read_move, say_turns, won
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Bandit"]

_NAMES = "ABCDEFGHIJ"
_EACH = 10
"""Pulls in the budget for each machine."""


@dataclass
class _Record:
    """What every machine has paid so far."""

    paid: dict[str, list[int]] = field(default_factory=dict)

    @property
    def pulls(self) -> int:
        return sum(map(len, self.paid.values()))


@register("rlvr/Bandit-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Bandit(Game):
    """Find the machine with the highest average within a budget of pulls, then name it.

    A pull pays the machine's average plus noise that is evenly spread; the i-th pull of a machine pays the same whatever
    was pulled before. Correct is whoever names the machine with the highest *true* average. So that this can be asked,
    averages are far enough apart for the budget (the gap is 5 to 3 standard errors of a difference of two means of
    10 pulls, less at higher difficulty), and of the payments only those are kept under which the oracle's plan (10 pulls
    of each, then the highest mean) finds the best machine: about 1 in 1,000 to 1 in 50 is drawn again. Another
    plan of the same soundness can still be misled by rare payments.

    Difficulty 1 has 2 machines, 10 has 10. What is no legal action costs its turn and is counted in the metric
    ``illegal_moves``; ``pulls`` counts pulls. The hardness is the sum over the worse machines of (noise's standard
    deviation / gap to the best) squared, the H1 of Audibert, Bubeck and Munos (2010), times 100.
    """

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws averages and, until the oracle's plan is right, payments."""
        arms, spread = level(difficulty, 2, 10), level(difficulty, 5, 30)
        deviation = math.sqrt(((2 * spread + 1) ** 2 - 1) / 12)
        gap = math.ceil((5.0 - 2.0 * (difficulty - 1) / 9) * deviation * math.sqrt(2 / _EACH))
        best = int(rng.integers(arms))
        top = int(rng.integers(4 * gap, 8 * gap)) + spread
        behind = gap + rng.integers(0, gap, size=arms)
        averages = [top if arm == best else top - int(behind[arm]) for arm in range(arms)]
        while True:
            seed = int(rng.integers(2**32))
            sums = [sum(_payments(seed, arm, average, spread, _EACH)) for arm, average in enumerate(averages)]
            if sums[best] > max(total for arm, total in enumerate(sums) if arm != best):
                break
        turns, names = 2 * arms + 3, _NAMES[:arms]
        gaps = [top - average for arm, average in enumerate(averages) if arm != best]
        return Task(
            prompt=(
                f"There are {arms} machines, {', '.join(names)}. Each has its own average, a whole number. A pull pays this "
                f"average plus a whole number from -{spread} to {spread}, all equally likely. One machine has the highest "
                f"average, by at least {gap}. You may pull {arms * _EACH} times in all. Then name that machine: you win if "
                "you are right, and what was paid does not count. Write one action in <answer> tags at a time: 'pull', a "
                f"machine and how often (1 to {_EACH}), or 'name' and a machine, for example <answer>pull Z 3</answer> or "
                f"<answer>name Z</answer> (there is no machine Z). {say_turns(turns)}"
            ),
            answer={"best": names[best], "averages": averages, "spread": spread, "seed": seed},
            metadata={
                "turns": turns,
                "pulls": arms * _EACH,
                "hardness": round(100 * sum((deviation / g) ** 2 for g in gaps), 3),
            },
        )

    def start(self, task: Task) -> _Record:
        """No machine was pulled."""
        return _Record({name: [] for name in _NAMES[: len(task.answer["averages"])]})

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """What the pulls pay, or the end."""
        match read_move(action).upper().split():
            case ["NAME", "MACHINE", name] | ["NAME", name] if name in state.paid:
                right = name == task.answer["best"]
                return (won if right else lost)(
                    f"{name} is {'' if right else 'not '}the machine with the highest average."
                )
            case ["PULL", name] if name in state.paid:
                return _pull(task, state, name, 1)
            case ["PULL", name, times] | ["PULL", name, times, "TIMES"] if (
                name in state.paid and times.isascii() and times.isdigit()
            ):
                return _pull(task, state, name, int(times))
        return illegal(
            "That is no action. Write 'pull', a machine and how often, or 'name' and a machine, in <answer> tags."
        )

    def oracle(self, task: Task, state: Any) -> str:
        """The same number of pulls for each machine; then the one with the highest mean."""
        for name, paid in state.paid.items():
            if len(paid) < _EACH and state.pulls < task.metadata["pulls"]:
                times = min(_EACH - len(paid), task.metadata["pulls"] - state.pulls)
                return f"<answer>pull {name} {times}</answer>"
        means = {name: sum(paid) / max(1, len(paid)) for name, paid in state.paid.items()}
        best = max(means, key=lambda name: means[name])
        told = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())
        return f"The means are: {told}. <answer>name {best}</answer>"


def _payments(seed: int, arm: int, average: int, spread: int, count: int) -> list[int]:
    """The first ``count`` payments of a machine; a longer list begins with the same ones."""
    noise = np.random.default_rng([seed, arm]).integers(-spread, spread + 1, size=count)
    return [average + int(n) for n in noise]


def _pull(task: Task, state: _Record, name: str, times: int) -> Reply:
    left = task.metadata["pulls"] - state.pulls
    if not 1 <= times <= min(_EACH, left):
        return illegal(f"You have {left} pulls left, and may pull 1 to {_EACH} times in one turn.")
    arm, paid = _NAMES.index(name), state.paid[name]
    total = len(paid) + times
    payments = _payments(task.answer["seed"], arm, task.answer["averages"][arm], task.answer["spread"], total)
    new = payments[len(paid) :]
    state.paid[name] = payments
    return Reply(
        text=f"{name} pays {', '.join(map(str, new))}. You have {left - times} pulls left.",
        metrics={"pulls": float(times)},
    )
