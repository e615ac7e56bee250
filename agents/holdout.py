"""Held-out evaluation in the course of a run: what was measured, which was best, whether to go on."""

from __future__ import annotations

from typing import Any

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.evaluate import Evaluation, evaluate
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.run import TrainState
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.tasks import held_out_tasks, make_settings
from rlvr_gym.rewards import RewardDesign

__all__ = ["HeldOut"]


class HeldOut:
    """The held-out tasks, and the evaluations on them; these are kept in ``TrainState.evaluations``.

    Attributes:
        settings: the environment of evaluation.
        tasks: the tasks that training never sees.
        designs: the reward designs of ``eval.rewards``, which are measured and never trained on.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.settings = make_settings(config, held_out=True)
        self.tasks = held_out_tasks(self.settings, config.eval.seed, config.eval.tasks)
        self.designs = {name: RewardDesign.parse(spec) for name, spec in config.eval.rewards.items()}

    def measure(self, engine: RolloutEngine) -> Evaluation:
        """The policy as it is, with the same random streams each time, so that changes stand out."""
        config = self.config.eval
        return evaluate(
            engine,
            self.settings,
            self.tasks,
            self.config.sampling.params(config.temperature),
            seed=derive_seed(self.config.seed, "evaluation"),
            samples=config.samples,
            designs=self.designs,
        )

    def newest_is_best(self, state: TrainState) -> bool:
        """Whether the last evaluation is better than all before it."""
        rates = _rates(state)
        return bool(rates) and rates[-1] > max(rates[:-1], default=-1.0)

    def enough(self, state: TrainState) -> str | None:
        """Why training should stop early, if it should."""
        config, rates = self.config.eval, _rates(state)
        if not rates:
            return None
        if config.target is not None and rates[-1] >= config.target:
            return f"held-out accuracy has reached {config.target:g}"
        since = len(rates) - 1 - rates.index(max(rates))
        if config.patience is not None and since >= config.patience:
            return f"held-out accuracy has not improved for {since} evaluations"
        return None


def _rates(state: TrainState) -> list[float]:
    """pass@1 of each evaluation, oldest first."""
    rows: list[dict[str, Any]] = state.evaluations
    return [row["pass@1"] for row in rows]
