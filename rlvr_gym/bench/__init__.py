"""The benchmark of reward designs: designs x algorithms x environments x seeds, and what follows from it."""

from rlvr_gym.bench.cells import Arm, Cell, Plan, make_plan
from rlvr_gym.bench.config import BenchConfig, Claim, Design, Experiment
from rlvr_gym.bench.results import ExperimentResult, collect, to_json
from rlvr_gym.bench.runner import Outcome, run_plan
from rlvr_gym.bench.view import make_view

__all__ = [
    "Arm",
    "BenchConfig",
    "Cell",
    "Claim",
    "Design",
    "Experiment",
    "ExperimentResult",
    "Outcome",
    "Plan",
    "collect",
    "make_plan",
    "make_view",
    "run_plan",
    "to_json",
]
