"""TicTacToe: a game, or one best move, on boards of 3 x 3 to 5 x 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym.envs.games._boards import Rules
from rlvr_gym.envs.games._duel import Duel, Level, MoveChoice
from rlvr_gym.registration import register

__all__ = ["TicTacToe", "TicTacToeMove"]

_THREE, _WIDE, _FOUR, _FIVE = Rules(3, 3, 3), Rules(3, 4, 3), Rules(4, 4, 4), Rules(5, 5, 4)
_LEVELS = (
    Level(_THREE, 5, 2, 0.0),
    Level(_WIDE, 7, 12, 0.25),
    Level(_WIDE, 7, 30, 0.5),
    Level(_WIDE, 8, 80, 0.6),
    Level(_FOUR, 7, 110, 0.7),
    Level(_FOUR, 7, 170, 0.8),
    Level(_FIVE, 9, 250, 0.9),
    Level(_FIVE, 9, 400, 1.0),
    Level(_FIVE, 10, 600, 1.0),
    Level(_FIVE, 10, 1000, 1.0),
)
_OFF_BOARD = "z9"


@register("rlvr/TicTacToe-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class TicTacToe(Duel):
    """Play TicTacToe, from a position in which the stated goal (to win, or not to lose) can be forced.

    Difficulty 1 has a 3 x 3 board with 5 empty cells and an opponent who moves at random; then boards grow to 5 x 5
    (four in a line) with 10 empty cells, positions need a deeper search, and the opponent errs less, from 8 on never.
    ``empty=9`` at difficulty 1 is the whole game from the empty board. An illegal move costs its turn and is counted
    in the metric ``illegal_moves``. The hardness is log2 of 1 + the positions that the solver looks at.
    """

    levels: ClassVar[Sequence[Level]] = _LEVELS
    wrong_name: ClassVar[str] = _OFF_BOARD


@register("rlvr/TicTacToeMove-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class TicTacToeMove(MoveChoice):
    """Find a best move in a position of TicTacToe; every best move counts.

    Positions and hardness as in ``rlvr/TicTacToe-v0``.
    """

    levels: ClassVar[Sequence[Level]] = _LEVELS
    wrong_name: ClassVar[str] = _OFF_BOARD
