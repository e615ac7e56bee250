"""Where work runs: here, or in worker processes that can be killed."""

from rlvr_gym.executor.base import Executor, InlineExecutor, Outcome, make_executor

__all__ = ["Executor", "InlineExecutor", "Outcome", "make_executor"]
