"""Connect Four: a game, or one best move, on boards of 4 x 4 to 6 x 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym.envs.games._boards import Rules
from rlvr_gym.envs.games._duel import Duel, Level, MoveChoice
from rlvr_gym.registration import register

__all__ = ["Connect4", "Connect4Move"]

_TINY, _SMALL, _FIVE, _WIDE, _FULL = (
    Rules(rows, columns, line, gravity=True)
    for rows, columns, line in ((4, 4, 3), (4, 5, 4), (5, 5, 4), (5, 6, 4), (6, 7, 4))
)
_LEVELS = (
    Level(_TINY, 8, 3, 0.0),
    Level(_TINY, 9, 7, 0.25),
    Level(_SMALL, 7, 25, 0.5),
    Level(_SMALL, 8, 60, 0.6),
    Level(_FIVE, 9, 120, 0.7),
    Level(_FIVE, 10, 200, 0.8),
    Level(_WIDE, 11, 300, 0.9),
    Level(_WIDE, 11, 450, 1.0),
    Level(_FULL, 13, 600, 1.0),
    Level(_FULL, 14, 900, 1.0),
)
_OFF_BOARD = "0"


@register("rlvr/Connect4-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Connect4(Duel):
    """Play Connect Four, from a position in which the stated goal (to win, or not to lose) can be forced.

    Difficulty 1 has a 4 x 4 board (three in a line) with 8 empty cells and an opponent who moves at random; then boards
    grow to 6 x 7 with 14 empty cells, positions need a deeper search, and the opponent errs less, from 8 on never. An
    illegal move costs its turn and is counted in the metric ``illegal_moves``. The hardness is log2 of 1 + the
    positions that the solver looks at.
    """

    levels: ClassVar[Sequence[Level]] = _LEVELS
    wrong_name: ClassVar[str] = _OFF_BOARD


@register("rlvr/Connect4Move-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Connect4Move(MoveChoice):
    """Find a best move in a position of Connect Four; every best move counts.

    Positions and hardness as in ``rlvr/Connect4-v0``.
    """

    levels: ClassVar[Sequence[Level]] = _LEVELS
    wrong_name: ClassVar[str] = _OFF_BOARD
