"""Evaluation of any model on any environment: oracle, guesses, local policies and remote endpoints."""

from rlvr_gym.evaluation.model import Completion, Model, ModelSettings, Query, load_model
from rlvr_gym.evaluation.run import Sample, evaluate
from rlvr_gym.evaluation.summary import Summary, summarise

__all__ = [
    "Completion",
    "Model",
    "ModelSettings",
    "Query",
    "Sample",
    "Summary",
    "evaluate",
    "load_model",
    "summarise",
]
