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
from rlvr_gym.rewards.length_terms import LCPOExact, LCPOMax, SoftOverlong
from rlvr_gym.rewards.term import GroupTerm, RewardTerm, Term, make_term, register_term, term_names
from rlvr_gym.rewards.terms import Correct, FormatR1, FormatStrict, Length, LogicRLAnswer, Score

__all__ = [
    "DESIGNS",
    "CodeLength",
    "CodeLint",
    "CodeRuns",
    "CodeSpeed",
    "CodeSyntax",
    "CodeTests",
    "CodeTestsAll",
    "Correct",
    "FormatR1",
    "FormatStrict",
    "GroupTerm",
    "LCPOExact",
    "LCPOMax",
    "Length",
    "LogicRLAnswer",
    "Reward",
    "RewardDesign",
    "RewardTerm",
    "Score",
    "SoftOverlong",
    "Term",
    "get_design",
    "make_term",
    "register_term",
    "term_names",
]
