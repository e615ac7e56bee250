"""Reward terms and their compositions."""

from rlvr_gym.rewards.code_terms import (
    CodeLength,
    CodeLint,
    CodeRuns,
    CodeSpeed,
    CodeSyntax,
    CodeTests,
    CodeTestsAll,
)
from rlvr_gym.rewards.design import DESIGNS, Reward, RewardDesign, get_design
from rlvr_gym.rewards.group_terms import SolveRate, SometimesSolved
from rlvr_gym.rewards.length_terms import (
    AnswerLength,
    CosineLength,
    KimiLength,
    LCPOExact,
    LCPOMax,
    LCPOMaxCode,
    SoftOverlong,
    ThinkingLength,
)
from rlvr_gym.rewards.noise import corrupt
from rlvr_gym.rewards.term import GroupTerm, RewardTerm, Term, make_term, register_term, term_names
from rlvr_gym.rewards.terms import Correct, FormatR1, FormatStrict, Length, LogicRLAnswer, Score
from rlvr_gym.rewards.text_terms import Brier, ExactMatch, Repetition, TokenF1
from rlvr_gym.rewards.tool_terms import Metric, RetrievalFormat, ToolCalls, ToolCost

__all__ = [
    "DESIGNS",
    "AnswerLength",
    "Brier",
    "CodeLength",
    "CodeLint",
    "CodeRuns",
    "CodeSpeed",
    "CodeSyntax",
    "CodeTests",
    "CodeTestsAll",
    "Correct",
    "CosineLength",
    "ExactMatch",
    "FormatR1",
    "FormatStrict",
    "GroupTerm",
    "KimiLength",
    "LCPOExact",
    "LCPOMax",
    "LCPOMaxCode",
    "Length",
    "LogicRLAnswer",
    "Metric",
    "Repetition",
    "RetrievalFormat",
    "Reward",
    "RewardDesign",
    "RewardTerm",
    "Score",
    "SoftOverlong",
    "SolveRate",
    "SometimesSolved",
    "Term",
    "ThinkingLength",
    "TokenF1",
    "ToolCalls",
    "ToolCost",
    "corrupt",
    "get_design",
    "make_term",
    "register_term",
    "term_names",
]
