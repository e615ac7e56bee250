"""Evaluation of any model on any environment or suite: oracle, guesses, local policies and remote endpoints."""

from rlvr_gym.evaluation.journal import Journal
from rlvr_gym.evaluation.model import (
    Completion,
    Model,
    ModelSettings,
    Query,
    StreamingModel,
    Usage,
    load_model,
)
from rlvr_gym.evaluation.plan import Plan, make_plan
from rlvr_gym.evaluation.run import Sample, evaluate
from rlvr_gym.evaluation.suite import Part, Suite, load_suite
from rlvr_gym.evaluation.suite_run import SuiteRun, run_suite
from rlvr_gym.evaluation.summary import Prices, Summary, summarise

__all__ = [
    "Completion",
    "Journal",
    "Model",
    "ModelSettings",
    "Part",
    "Plan",
    "Prices",
    "Query",
    "Sample",
    "StreamingModel",
    "Suite",
    "SuiteRun",
    "Summary",
    "Usage",
    "evaluate",
    "load_model",
    "load_suite",
    "make_plan",
    "run_suite",
    "summarise",
]
