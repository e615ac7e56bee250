"""Judges: models that are asked how good an answer is, where no program can tell; and the reward terms they give.

A judge that cannot be asked says nan, which is no value: such a sample has no reward, and never a reward of 0.
"""

from rlvr_gym.judges.base import Judge, JudgeSettings, get_judge
from rlvr_gym.judges.budget import Budget
from rlvr_gym.judges.cache import ScoreCache
from rlvr_gym.judges.questions import Question, harmless, quality_question, same_question

__all__ = [
    "Budget",
    "Judge",
    "JudgeSettings",
    "Question",
    "ScoreCache",
    "get_judge",
    "harmless",
    "quality_question",
    "same_question",
]
