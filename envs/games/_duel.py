"""What TicTacToe and Connect Four share, as games of several turns and as single moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any, ClassVar, Literal

import numpy as np

from rlvr_gym.envs._authoring import pick
from rlvr_gym.envs.games._boards import Position, Rules, Solver, draw_position, solver_of
from rlvr_gym.envs.games._interactive import Game, illegal, lost, move_words, read_move, say_turns, won
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem, Reply
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["BestMoveVerifier", "Duel", "Level", "MoveChoice", "read_name"]

_DRAWS = 400
"""Positions that are drawn at most until one is as hard as the level asks for."""
_FREE_DRAWS = 40
"""The same where no hardness is asked for: the solver may take long for each."""
_SPARE_TURNS = 2
_MOST_EMPTY = 12
"""With more empty cells the solver could take seconds."""
_RESULTS = {1: "wins", 0: "draws", -1: "loses"}


@dataclass(frozen=True)
class Level:
    """What a difficulty means.

    Attributes:
        rules: the board.
        empty: empty cells at the beginning.
        nodes: positions that the solver has to look at to find the value, at least.
        strength: the chance that the opponent's move is a best one; else it is any legal one.
    """

    rules: Rules
    empty: int
    nodes: int
    strength: float


def draw_level(rng: np.random.Generator, level: Level) -> tuple[Position, int]:
    """A position of this level in which the choice of the first move matters, and the nodes of its solution.

    At most half of the moves keep the value. After many draws in vain, the hardest position that was drawn.
    """
    hardest: tuple[int, Position] | None = None
    for _ in range(_DRAWS if level.nodes else _FREE_DRAWS):
        position = draw_position(rng, level.rules, level.empty)
        solver = Solver(level.rules)
        if solver.value(position) < 0:
            continue
        nodes = solver.nodes
        legal = len(level.rules.moves(position[0] | position[1]))
        if level.empty == level.rules.cells:
            return position, nodes  # there is only one
        if nodes >= level.nodes and 2 * len(solver.best_moves(position)) <= legal:
            return position, nodes
        if hardest is None or nodes > hardest[0]:
            hardest = (nodes, position)
    if hardest is None:
        raise ConfigError(
            "With this setting 'empty' no position was found that can be held; give another number."
        )
    return hardest[1], hardest[0]


def read_name(text: str, rules: Rules) -> int | None:
    """The cell or column that a text names, whether it is free or not, as a bit; None if it names none."""
    words = move_words(text).split()
    if rules.gravity:
        words = [word for word in words if word not in ("column", "col")]
        names = {rules.name(1 << column): 1 << column for column in range(rules.columns)}
    else:
        words = ["".join(words)] if len(words) == 2 else words
        names = {rules.name(1 << cell): 1 << cell for cell in range(rules.cells)}
        names |= {name[::-1]: cell for name, cell in names.items()}
    return names.get(words[0]) if len(words) == 1 else None


def legal_move(text: str, rules: Rules, taken: int) -> int | None:
    """The legal move that a text names, or None."""
    named = read_name(text, rules)
    if named is None:
        return None
    if not rules.gravity:
        return None if named & taken else named
    return next((move for move in rules.moves(taken) if rules.name(move) == rules.name(named)), None)


def say_rules(rules: Rules, mark: str, own: int, other: int) -> str:
    """The rules, the position, and who plays what."""
    marks = (own, other) if mark == "X" else (other, own)
    fall = (
        "A mark falls to the lowest free cell of the column in which it is dropped."
        if rules.gravity
        else "A cell is named by its column's letter and its row's number, such as b1."
    )
    return (
        f"Two players, X and O, put marks on a board of {rules.rows} rows and {rules.columns} columns in turns. Who first "
        f"has {rules.line} of their own marks in a line (in a row, a column or a diagonal, without gaps) wins; a full "
        f"board without that is a draw. {fall} You are {mark}, and it is your turn:\n\n{rules.draw(*marks)}\n"
    )


def own_mark(position: Position) -> str:
    """The mark of the player to move: X began."""
    return "X" if position[0].bit_count() == position[1].bit_count() else "O"


def _rules_of(task: Task) -> Rules:
    return Rules(*task.answer["rules"])


@dataclass(frozen=True, kw_only=True)
class Duel(Game):
    """A game against an opponent, from a position in which the stated goal can be forced.

    Attributes:
        strength: the chance that an opponent's move is a best one, 0 to 1; -1 leaves it to the difficulty.
        empty: empty cells at the beginning, 2 to 12; 0 leaves it to the difficulty.
        prompt: ``"full"`` states the rules in words; ``"terse"`` is for small policies that learn them from
            demonstrations: a prompt such as ``Xbc dOX gOi X win 5`` (rows from the top, own mark, goal, turns), and
            the board alone as the reply. A free cell shows the letter that is its name; with columns for moves it is
            a dot.
    """

    strength: float = -1.0
    empty: int = 0
    prompt: Literal["full", "terse"] = "full"

    levels: ClassVar[Sequence[Level]]
    wrong_name: ClassVar[str]
    """An example of the form of a move that is on no board."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strength != -1 and not 0 <= self.strength <= 1:
            raise ConfigError(f"strength is -1 or goes from 0 to 1; got {self.strength!r}.")
        if self.empty != 0 and not 2 <= self.empty <= _MOST_EMPTY:
            raise ConfigError(f"empty is 0 or goes from 2 to {_MOST_EMPTY}; got {self.empty!r}.")
        if self.prompt not in ("full", "terse"):
            raise ConfigError(f"prompt is 'full' or 'terse'; got {self.prompt!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a position and the opponent's own random numbers."""
        level = self.levels[difficulty - 1]
        rules = level.rules
        empty = min(self.empty or level.empty, rules.cells)
        nodes = level.nodes if empty == level.empty else 0
        (own, other), nodes = draw_level(rng, Level(rules, empty, nodes, 0.0))
        must_win = solver_of(rules).value((own, other)) == 1
        turns = (empty + 1) // 2 + _SPARE_TURNS
        return Task(
            prompt=self._say(rules, (own, other), must_win, turns),
            answer={
                "rules": [rules.rows, rules.columns, rules.line, rules.gravity],
                "position": [own, other],
                "must_win": must_win,
                "strength": level.strength if self.strength == -1 else float(self.strength),
                "seed": int(rng.integers(2**32)),
            },
            metadata={"turns": turns, "hardness": round(math.log2(1 + nodes), 3), "nodes": nodes},
        )

    def _say(self, rules: Rules, position: Position, must_win: bool, turns: int) -> str:
        """The prompt."""
        mark = own_mark(position)
        if self.prompt == "terse":
            board = _terse_board(rules, position if mark == "X" else position[::-1])
            return f"{board} {mark} {'win' if must_win else 'draw'} {turns}"
        goal = "Win the game; a draw is not enough" if must_win else "Do not lose: a win or a draw is enough"
        return (
            f"{say_rules(rules, mark, *position)}\n{goal}. Give one move in <answer> tags at a time "
            f"({'the number of a column' if rules.gravity else 'the name of a cell'}), for example "
            f"<answer>{self.wrong_name}</answer> (which is not on the board); I answer with mine. {say_turns(turns)}"
        )

    def start(self, task: Task) -> list[int]:
        """The marks of the policy, and those of the opponent."""
        return list(task.answer["position"])

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """The policy's move, then the opponent's, unless the game is over."""
        rules = _rules_of(task)
        own, other = state
        offer = read_move(action)
        move = legal_move(self._long_name(rules, offer), rules, own | other)
        if move is None:
            if self.prompt == "terse":
                return illegal("no")
            some = ", ".join(map(rules.name, rules.moves(own | other)))
            return illegal(f"That is no legal move. Give one of these in <answer> tags: {some}.")
        state[0] = own | move
        if rules.wins(own, move):
            return won("You win.", result="win")
        if _full(rules, state):
            return _drawn(task, "The board is full: a draw.")
        answer = _opponent_move(task, (other, state[0]))
        state[1] = other | answer
        told = f"I play {rules.name(answer)}"
        if rules.wins(other, answer):
            return lost(f"{told} and win.", result="loss")
        if _full(rules, state):
            return _drawn(task, f"{told}. The board is full: a draw.")
        marks = state if own_mark(tuple(task.answer["position"])) == "X" else state[::-1]
        if self.prompt == "terse":
            return Reply(text=_terse_board(rules, (marks[0], marks[1])))
        return Reply(text=f"{told}.\n\n{rules.draw(*marks)}")

    def oracle(self, task: Task, state: Any) -> str:
        """A move that keeps the value of the position."""
        rules = _rules_of(task)
        move = solver_of(rules).good_moves((state[0], state[1]))[0]
        terse = self.prompt == "terse" and not rules.gravity
        return f"<answer>{_letter(move) if terse else rules.name(move)}</answer>"

    def _long_name(self, rules: Rules, words: str) -> str:
        """The usual name of what an action names; in the terse form of free cells, letters count and nothing else."""
        if self.prompt != "terse" or rules.gravity:
            return words
        names = {_letter(1 << cell): rules.name(1 << cell) for cell in range(rules.cells)}
        return names.get(words, "")


def _letter(cell: int) -> str:
    """The terse name of a cell, which is a bit."""
    return ascii_lowercase[cell.bit_length() - 1]


def _terse_board(rules: Rules, marks: Position) -> str:
    """The rows from the top; the marks X come first in ``marks``."""
    free = "." * rules.cells if rules.gravity else ascii_lowercase
    cells = [
        "X" if marks[0] >> cell & 1 else "O" if marks[1] >> cell & 1 else free[cell]
        for cell in range(rules.cells)
    ]
    return " ".join("".join(cells[row : row + rules.columns]) for row in range(0, rules.cells, rules.columns))


def _full(rules: Rules, state: Sequence[int]) -> bool:
    return (state[0] | state[1]).bit_count() == rules.cells


def _drawn(task: Task, text: str) -> Reply:
    return (lost if task.answer["must_win"] else won)(text, result="draw")


def _opponent_move(task: Task, position: Position) -> int:
    """What the opponent does is a function of the task and the position alone, however the position came about."""
    rng = np.random.default_rng([task.answer["seed"], *position])
    solver = solver_of(_rules_of(task))
    if rng.random() < task.answer["strength"]:
        return pick(rng, solver.good_moves(position))
    return pick(rng, solver.rules.moves(position[0] | position[1]))


@register_verifier("best_move")
class BestMoveVerifier(RuleVerifier[int]):
    """Any legal move that keeps the value of the position; the solver says which do."""

    def read(self, answer: str, task: Task) -> int | None:
        """A cell or column of the board."""
        return read_name(answer, _rules_of(task))

    def fault(self, value: int, task: Task) -> str | None:
        """Taken, or worse than the best."""
        rules = _rules_of(task)
        own, other = task.answer["position"]
        move = legal_move(rules.name(value), rules, own | other)
        if move is None:
            return "that cell or column is full"
        return None if rules.name(move) in task.answer["best"] else "another move has a better result"


@dataclass(frozen=True, kw_only=True)
class MoveChoice(Problem):
    """Find a move that keeps the best result that can be forced; every such move counts."""

    verifier: ClassVar[str] = "best_move"
    levels: ClassVar[Sequence[Level]]
    wrong_name: ClassVar[str]

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a position in which at most half of the moves are best."""
        level = self.levels[difficulty - 1]
        rules = level.rules
        position, nodes = draw_level(rng, level)
        best = [rules.name(move) for move in solver_of(rules).best_moves(position)]
        mark = own_mark(position)
        return Task(
            prompt=(
                f"{say_rules(rules, mark, *position)}\nGive a best move for {mark}: one after which {mark} can still force "
                f"the best result (a win if any move leads to a forced win, else a draw).\nThink step by step, then give "
                f"{'the number of a column' if rules.gravity else 'the name of a cell'} in <answer> tags, for example "
                f"<answer>{self.wrong_name}</answer> (which is not on the board)."
            ),
            answer={
                "rules": [rules.rows, rules.columns, rules.line, rules.gravity],
                "position": list(position),
                "best": best,
                "reference": best[0],
            },
            metadata={"hardness": round(math.log2(1 + nodes), 3), "nodes": nodes},
            solution=_explain(rules, position, best),
        )

    def answer_text(self, task: Task) -> str:
        """The first best move."""
        return str(task.answer["reference"])


def _explain(rules: Rules, position: Position, best: Sequence[str]) -> str:
    """What each move leads to, by an example of best play."""
    solver, mark = solver_of(rules), own_mark(position)
    lines = []
    for move in rules.moves(position[0] | position[1]):
        value = solver.move_value(position, move)
        played = _best_play(solver, position, move)
        lines.append(f"{rules.name(move)}: {mark} {_RESULTS[value]} with best play ({', '.join(played)}).")
    return "\n".join(
        [
            *lines,
            f"The best {'moves are' if len(best) > 1 else 'move is'} {', '.join(best)}. I take {best[0]}.",
        ]
    )


def _best_play(solver: Solver, position: Position, move: int) -> list[str]:
    """The move, and good moves of both sides after it until the end."""
    rules, (own, other) = solver.rules, position
    played = [rules.name(move)]
    while not rules.wins(own, move) and (own | other | move).bit_count() < rules.cells:
        own, other = other, own | move
        move = solver.good_moves((own, other))[0]
        played.append(rules.name(move))
    return played
