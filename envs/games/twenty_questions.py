"""TwentyQuestions: find out which of some invented beings is meant, by questions about what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import level, shuffled
from rlvr_gym.envs.algorithmic._words import invented_word
from rlvr_gym.envs.games._interactive import Game, illegal, lost, read_move, say_turns, won
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["TwentyQuestions"]

_PROPERTIES = (
    "wings", "scales", "horns", "fur", "fangs", "hooves", "spots", "stripes", "feathers", "gills", "claws", "antlers",
    "whiskers", "tusks", "fins", "spines", "a tail", "a shell", "a crest", "a mane", "a beak", "a pouch", "a trunk",
    "a sting",
)  # fmt: skip

Table = dict[str, list[str]]
"""Each being -> what it has."""


@register("rlvr/TwentyQuestions-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class TwentyQuestions(Game):
    """Ask about the properties of a being that is meant, then name it; what is known of all beings is given.

    Beings and their properties are invented for each task. The one being that is meant is drawn evenly. Properties
    come in different frequencies, and some distract: all beings have them, or none, or exactly those that have another
    one. There are as many turns as the oracle needs at worst (it asks for the property that splits what is left most
    evenly), over all beings, and ``spare`` more. A wrong name ends the game. An action of another form costs its turn
    and is counted in the metric ``illegal_moves``; ``questions`` counts the questions.

    Difficulty 1 has 4 beings with 3 useful properties and no distractors, 10 has 48 with 15 and 8. The hardness is the
    mean number of turns of the oracle, over all beings.

    Attributes:
        spare: turns beyond those of the oracle.
    """

    spare: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spare < 0:
            raise ConfigError(f"spare is 0 or more; got {self.spare!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws beings that no two have the same properties, and one of them."""
        table, properties = _draw_table(rng, difficulty)
        worst, total = _play_out(table, list(table))
        turns = worst + self.spare
        facts = "\n".join(
            f"{name}: {', '.join(shuffled(rng, has)) or 'nothing'}" for name, has in table.items()
        )
        return Task(
            prompt=(
                f"I am thinking of one of {len(table)} beings. This is what each of them has, and it has nothing else of "
                f"this list ({', '.join(properties)}):\n\n{facts}\n\nFind out which one I mean. Either ask whether it has "
                "something, such as <answer>ask a halo</answer> (which is not in the list), and I answer yes or no; or name "
                "it, such as <answer>guess Nobody</answer>. A wrong name ends the game, and you lose. One question or "
                f"name in <answer> tags at a time. {say_turns(turns)}"
            ),
            answer={"table": table, "secret": list(table)[int(rng.integers(len(table)))]},
            metadata={"turns": turns, "hardness": round(total / len(table), 4), "properties": properties},
        )

    def start(self, task: Task) -> list[tuple[str, bool]]:
        """No question was asked."""
        return []

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Yes or no, or the end."""
        kind, _, what = read_move(action).partition(" ")
        what = what.removeprefix("a ").removeprefix("about ").removeprefix("a ")
        properties = {name.removeprefix("a "): name for name in task.metadata["properties"]}
        names = {name.lower(): name for name in task.answer["table"]}
        secret = task.answer["secret"]
        if kind == "ask" and what in properties:
            asked = properties[what]
            has = asked in task.answer["table"][secret]
            state.append((asked, has))
            return Reply(text=f"{asked.capitalize()}: {'yes' if has else 'no'}.", metrics={"questions": 1.0})
        if kind == "guess" and what in names:
            guess = names[what]
            return won(f"{guess} is right.") if guess == secret else lost(f"{guess} is wrong.", guess=guess)
        return illegal(
            "That is neither a question nor a name. Write 'ask' and a property of the list, or 'guess' and a name of the "
            "list, in <answer> tags."
        )

    def oracle(self, task: Task, state: Any) -> str:
        """The question that splits what is left most evenly; the name once one is left."""
        table = task.answer["table"]
        left = [name for name, has in table.items() if all((asked in has) == said for asked, said in state)]
        if len(left) == 1:
            return f"Only {left[0]} is left. <answer>guess {left[0]}</answer>"
        return f"{len(left)} are left. <answer>ask {_best_question(table, left)}</answer>"


def _draw_table(rng: np.random.Generator, difficulty: int) -> tuple[Table, list[str]]:
    """Beings with distinct sets of useful properties, then distractors; and all properties, shuffled."""
    beings, useful = (4, 6, 8, 11, 15, 19, 24, 30, 38, 48)[difficulty - 1], level(difficulty, 3, 15)
    distractors = level(difficulty, 0, 8)
    drawn = shuffled(rng, _PROPERTIES)[: useful + distractors]
    shares = rng.uniform(0.2, 0.6, size=useful)
    rows: dict[tuple[bool, ...], None] = {}
    while len(rows) < beings:
        rows[tuple((rng.random(useful) < shares).tolist())] = None
    names: dict[str, None] = {}
    while len(names) < beings:
        names[invented_word(rng, 5).capitalize()] = None
    table: Table = {
        name: [what for what, has in zip(drawn, row, strict=False) if has]
        for name, row in zip(names, rows, strict=True)
    }
    for place, what in enumerate(drawn[useful:]):
        like = drawn[int(rng.integers(useful))]  # a property that says what another one says
        for has in table.values():
            if place % 3 == 0 or (place % 3 == 1 and like in has):
                has.append(what)
    return table, shuffled(rng, drawn)


def _best_question(table: Table, left: list[str]) -> str:
    """The property that splits ``left`` most evenly; the first of equals."""
    counts: dict[str, int] = {}
    for name in left:
        for what in table[name]:
            counts[what] = counts.get(what, 0) + 1
    return min(sorted(counts), key=lambda what: abs(2 * counts[what] - len(left)))


def _play_out(table: Table, left: list[str]) -> tuple[int, int]:
    """The oracle's turns at worst, and their sum over all of ``left`` as the being that is meant."""
    if len(left) == 1:
        return 1, 1
    asked = _best_question(table, left)
    parts = ([n for n in left if asked in table[n]], [n for n in left if asked not in table[n]])
    worst, total = zip(*(_play_out(table, part) for part in parts), strict=True)
    return 1 + max(worst), len(left) + sum(total)
