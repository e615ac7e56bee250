"""What each kind of stage does: a policy in, a policy (or a reward model) and some numbers out.

What was sampled is written before it is learnt from, fits write their state, and runs of the trainer resume themselves:
a stage that was killed goes on near where it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rlvr_gym.agents.best_of_n import Attempt, read_attempts, retell, sample_attempts, select, write_attempts
from rlvr_gym.agents.checkpoint import POLICY_FILE, save_policy
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.dpo import dpo_gradient, refer
from rlvr_gym.agents.fitting import FitConfig, fit
from rlvr_gym.agents.holdout import HeldOut
from rlvr_gym.agents.merging import merge_policies
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.preferences import Pair, pairs_by_length, pairs_by_verdict
from rlvr_gym.agents.progress import TrainingProgress
from rlvr_gym.agents.reward_model import RewardModel, pair_accuracy, reward_gradient
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.run import make_policy
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.sft import Demonstration, demonstrate, sft_gradient
from rlvr_gym.agents.stages import (
    CloneStage,
    DPOStage,
    EvaluateStage,
    Form,
    MergeStage,
    RewardModelStage,
    RLStage,
    SFTStage,
    Stage,
)
from rlvr_gym.agents.tasks import TaskFeed, make_settings
from rlvr_gym.agents.trainer import train
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Dialogue
from rlvr_gym.prompts import TEMPLATES
from rlvr_gym.task import Task

__all__ = ["POLICY", "StageRun", "write_down"]

POLICY = "policy"
"""A stage's policy: a folder in its own."""


@dataclass
class StageRun:
    """One stage at work.

    Attributes:
        config: its training config.
        folder: where it writes.
        stages: the folder that all stages' folders are in.
        progress: what is told meanwhile.
    """

    config: TrainConfig
    folder: Path
    stages: Path
    progress: TrainingProgress

    def __post_init__(self) -> None:
        self.settings = make_settings(self.config)

    def run(self, stage: Stage) -> dict[str, Any]:
        """Does the stage; returns numbers worth telling."""
        match stage:
            case RLStage():
                return self._rl(stage)
            case SFTStage():
                return self._sft(stage)
            case CloneStage():
                return self._clone(stage)
            case DPOStage():
                return self._dpo(stage)
            case RewardModelStage():
                return self._reward_model(stage)
            case MergeStage():
                return self._merge(stage)
            case EvaluateStage():
                return {}

    def close(self) -> None:
        """Frees the executor."""
        self.settings.close()

    def load(self, source: str) -> Policy:
        """The policy of an earlier stage, or of a name."""
        return make_policy(self.config.replace(policy=self._name(source)), self.settings)

    def _name(self, source: str) -> str:
        folder = self.stages / source / POLICY
        return f"ckpt:{folder}" if (folder / POLICY_FILE).exists() else source

    def _rl(self, stage: RLStage) -> dict[str, Any]:
        run = self.folder / "run"
        config = self.config.replace(policy=self._name(stage.start))
        summary = train(config, run, resume=True, quiet=self.progress.console.quiet)
        save_policy(load_policy(f"ckpt:{run}"), self.folder / POLICY)
        return {"steps": summary.steps, "tokens": summary.tokens}

    def _sft(self, stage: SFTStage) -> dict[str, Any]:
        policy = self.load(stage.start)
        tasks = self._feed().take(stage.examples)
        rng = np.random.default_rng(derive_seed(self.config.seed, "forms"))
        rows = [
            write_down(self.settings, task, policy, stage.forms, rng)
            if stage.forms
            else demonstrate(self.settings, task, policy.tokenizer)
            for task in tasks
        ]
        loss = self._learn(policy, rows, stage.fit, self.folder)
        save_policy(policy, self.folder / POLICY)
        return {"examples": len(rows), "loss": loss}

    def _clone(self, stage: CloneStage) -> dict[str, Any]:
        policy, feed = self.load(stage.start), self._feed()
        sampled = right = kept_in_all = 0
        loss: float | None = None
        for number in range(stage.rounds):
            folder = self.folder / f"round-{number + 1}"
            folder.mkdir(parents=True, exist_ok=True)
            teacher = policy if stage.teacher is None else self.load(stage.teacher)
            groups = self._attempts(teacher, feed.take(stage.prompts), stage.samples, folder)
            kept = select(groups, stage.keep)
            sampled += sum(map(len, groups))
            right += sum(attempt.right for group in groups for attempt in group)
            kept_in_all += len(kept)
            if not kept:
                raise ConfigError(
                    f"stages.{stage.name}: none of {sampled} completions was right, so there is nothing to learn; "
                    "begin from a better policy, sample more, or choose easier tasks."
                )
            if stage.teacher is None:
                rows = [attempt.demonstration() for attempt in kept]
            else:  # the student may have another tokenizer
                rows = [retell(attempt.messages, policy.tokenizer) for attempt in kept]
            loss = self._learn(policy, rows, stage.fit, folder)
        save_policy(policy, self.folder / POLICY)
        return {"sampled": sampled, "right": right, "kept": kept_in_all, "loss": loss}

    def _dpo(self, stage: DPOStage) -> dict[str, Any]:
        policy = self.load(stage.start)
        groups = self._attempts(policy, self._feed().take(stage.prompts), stage.samples, self.folder)
        pairs = self._pairs(stage, groups)
        micro_batch = self.config.optimiser.micro_batch
        gradient = partial(
            dpo_gradient,
            policy,
            micro_batch=micro_batch,
            beta=stage.beta,
            label_smoothing=stage.label_smoothing,
            nll_coef=stage.nll_coef,
        )
        row = self._fit(policy, refer(policy, pairs, micro_batch), gradient, stage.fit, self.folder)
        save_policy(policy, self.folder / POLICY)
        return {"pairs": len(pairs), **{key: row[key] for key in ("loss", "rewards/accuracy") if key in row}}

    def _reward_model(self, stage: RewardModelStage) -> dict[str, Any]:
        policy = self.load(stage.start)
        groups = self._attempts(policy, self._feed().take(stage.prompts), stage.samples, self.folder)
        cut = max(1, round(len(groups) * stage.held_out))
        learnt, held_out = self._pairs(stage, groups[cut:]), self._pairs(stage, groups[:cut])
        model = RewardModel(policy, derive_seed(self.config.seed, "reward head"))
        micro_batch = self.config.optimiser.micro_batch
        gradient = partial(reward_gradient, model, micro_batch=micro_batch, centre=stage.centre)
        row = self._fit(model, learnt, gradient, stage.fit, self.folder)
        model.save(self.folder / POLICY)
        rate = pair_accuracy(model, held_out, micro_batch)
        measured = {"held_out": rate.mean, "low": rate.low, "high": rate.high}
        return {"pairs": len(learnt), "held_out_pairs": len(held_out), **measured, "loss": row.get("loss")}

    def _merge(self, stage: MergeStage) -> dict[str, Any]:
        merged = merge_policies([self.load(source) for source in stage.policies], stage.shares)
        save_policy(merged, self.folder / POLICY)
        return {"policies": list(stage.policies)}

    def _feed(self) -> TaskFeed:
        """This stage's tasks, none of which is held out."""
        held_out = HeldOut(self.config)
        held_out.settings.close()
        return TaskFeed(self.settings.problem, self.config.seed, held_out.tasks)

    def _attempts(self, policy: Policy, tasks: list[Task], samples: int, folder: Path) -> list[list[Attempt]]:
        """Judged attempts; those that were written before a kill are not sampled again."""
        path = folder / "attempts.jsonl"
        if path.exists():
            return read_attempts(path)
        engine = RolloutEngine(
            policy, max_rows=self.config.sampling.max_rows, compile=self.config.sampling.compile
        )
        seed = derive_seed(self.config.seed, "attempts", folder.name)
        params = self.config.sampling.params()
        groups = sample_attempts(engine, self.settings, tasks, params, samples, seed=seed)
        write_attempts(path, groups)
        return groups

    def _pairs(self, stage: DPOStage | RewardModelStage, groups: list[list[Attempt]]) -> list[Pair]:
        if stage.pairs == "verdict":
            pairs = pairs_by_verdict(groups, stage.per_task, self.config.seed)
        else:
            pairs = pairs_by_length(groups, stage.per_task, self.config.seed, stage.ratio)
        if not pairs:
            raise ConfigError(
                f"stages.{stage.name}: among {sum(map(len, groups))} completions there is no pair of a better and a "
                "worse one; sample more, or choose tasks that the policy solves now and then."
            )
        return pairs

    def _learn(
        self, policy: Policy, rows: list[Demonstration], config: FitConfig, folder: Path
    ) -> float | None:
        """Fine-tunes on demonstrations; returns the last loss."""

        def gradient(part: list[Demonstration]) -> dict[str, float]:
            micro_batch, packing = self.config.optimiser.micro_batch, self.config.sft.packing
            return {"loss": sft_gradient(policy, part, micro_batch, packing=packing)}

        return self._fit(policy, rows, gradient, config, folder).get("loss")

    def _fit(
        self,
        model: Any,
        examples: list[Any],
        gradient: Callable[..., dict[str, float]],
        config: FitConfig,
        folder: Path,
    ) -> dict[str, float]:
        return fit(
            model,
            examples,
            gradient,
            config,
            self.config.optimiser,
            seed=derive_seed(self.config.seed, "fit", folder.name),
            folder=folder,
            save_every=self.config.checkpoint.every,
            progress=self.progress,
        )


def write_down(
    settings: EnvSettings, task: Task, policy: Policy, forms: list[Form], rng: np.random.Generator
) -> Demonstration:
    """A demonstration in one of some forms, drawn by their weights, with the form's noise.

    Raises:
        ConfigError: if the task is a conversation, which has one form only.
    """
    problem = settings.problem.owner(task)
    if isinstance(problem, Dialogue):
        raise ConfigError("forms are for tasks of a single turn; leave them out for conversations.")
    weights = np.array([form.weight for form in forms])
    form = forms[int(rng.choice(len(forms), p=weights / weights.sum()))]
    parts = {"solution": task.solution or "", "answer": problem.answer_text(task)}
    if form.text in TEMPLATES:
        words = TEMPLATES[form.text].demonstrate(task.solution, parts["answer"])
    else:  # in one pass: braces of a solution are its own
        words = re.sub(r"\{(solution|answer)\}", lambda place: parts[place[1]], form.text)
    if form.noise:
        flips = rng.random(len(words)) < form.noise
        digits = rng.integers(10, size=len(words)).tolist()
        words = "".join(
            str(digit) if flip and character in "0123456789" else character
            for character, flip, digit in zip(words, flips.tolist(), digits, strict=True)
        )
    episode = settings.begin(task)
    return retell([*episode.messages, {"role": "assistant", "content": words}], policy.tokenizer)
