"""The training loop: sample, verify, reward, advantages, epochs of minibatches, log, checkpoint.

Where it differs from textbook GRPO:

* rows whose advantage is 0 add nothing to the gradient (without a KL term) and are left out of the forward pass;
  they still count in the normaliser, so the gradient is the same;
* a step in which every advantage is 0 moves no weight, not even by momentum;
* a sample whose verification failed is in no group statistic and in no loss;
* ``old`` log-probabilities are those of the sampler; they are not computed a second time.

All randomness is addressed by counters (task cursor, row counter, step), so a run that was killed and resumed
gives the numbers of one that was not.
"""

from __future__ import annotations

import copy
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from rlvr_gym.agents.advantages import ADVANTAGES
from rlvr_gym.agents.checkpoint import (
    CHECKPOINTS,
    find_checkpoint,
    load_trainer_state,
    read_weights,
    save_checkpoint,
    save_policy,
)
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.evaluate import Evaluation, evaluate
from rlvr_gym.agents.groups import Group, Sampler, reward_matrix, rollout_row, sample_metrics
from rlvr_gym.agents.guards import CollapseGuard, TrainingError
from rlvr_gym.agents.learner import Batch, Learner, pad_batch
from rlvr_gym.agents.logging import RunLog
from rlvr_gym.agents.policy import Policy, load_policy, resolve_device
from rlvr_gym.agents.progress import TrainingProgress
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.run import Summary, TrainState, prepare_folder
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.sft import warm_start
from rlvr_gym.agents.tasks import TaskFeed, held_out_tasks, make_settings
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.task import Task

__all__ = ["Summary", "Trainer", "train"]


def train(config: TrainConfig, run_dir: str | Path, resume: bool = False, quiet: bool = False) -> Summary:
    """Trains a policy: held-out evaluation, warm start, reinforcement learning, held-out evaluation.

    Args:
        config: determines the run.
        run_dir: where to write (see :mod:`rlvr_gym.agents.logging`).
        resume: go on after the newest checkpoint in ``run_dir``; begin anew if there is none yet.
        quiet: print nothing.

    Returns:
        Accuracy before and after, with intervals, and where everything is.

    Raises:
        ConfigError: if the folder holds another run, or a setting cannot be met.
        TrainingError: if the loss is no longer finite or the policy has collapsed; what was learnt until then is
            in the newest checkpoint.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    trainer = Trainer(config, Path(run_dir), resume=resume, quiet=quiet)
    try:
        return trainer.run()
    finally:
        trainer.close()


class Trainer:
    """One run. Use :func:`train`."""

    def __init__(self, config: TrainConfig, run_dir: Path, *, resume: bool, quiet: bool) -> None:
        self.config, self.run_dir = config, run_dir
        checkpoint = prepare_folder(config, run_dir, resume)
        self._fresh = checkpoint is None
        self.progress = TrainingProgress(quiet=quiet)
        self.settings = make_settings(config)
        self.held_out_settings = make_settings(config, held_out=True)
        self.held_out = held_out_tasks(self.held_out_settings, config.eval.seed, config.eval.tasks)
        self.feed = TaskFeed(self.settings.problem, config.seed, self.held_out)
        self.policy = self._make_policy()
        self.engine = RolloutEngine(self.policy, max_rows=config.sampling.max_rows)
        self.sampler = Sampler(self.engine, self.settings, self.feed, config)
        self.learner = Learner(self.policy, config)
        self.guard = CollapseGuard()
        self.state = TrainState()
        if checkpoint is not None:
            self._restore(checkpoint)
        self.log = RunLog(
            run_dir,
            resumed_step=None if checkpoint is None else self.state.step,
            tensorboard=config.logging.tensorboard,
        )
        self.log.write_json("config.json", config.to_dict())
        self._began = time.monotonic() - self.state.seconds

    def run(self) -> Summary:
        """Every stage that is still to be done."""
        if self._fresh:
            self._warm_start()
        self._hold_reference()
        self.progress.begin("train", self.config.steps, self.state.step)
        while self.state.step < self.config.steps and not self._out_of_time():
            self._step()
        self.progress.end()
        self._finish()
        return self._summarise()

    def _step(self) -> None:
        """One step of reinforcement learning."""
        began = time.monotonic()
        groups, sampled = self.sampler.sample()
        metrics = sample_metrics(sampled)
        sampling = time.monotonic() - began
        learnt = self._learn(groups, metrics["accuracy"])
        seconds = time.monotonic() - began
        self.state.step += 1
        self.state.tokens += int(metrics["tokens"])
        clock = {
            "step_time": seconds,
            "tokens_per_second": metrics["tokens"] / seconds,
            "time/sampling": sampling,
            "time/training": seconds - sampling,
            "time/elapsed": time.monotonic() - self._began,
        }
        self._record({**metrics, "groups": float(len(groups)), **learnt, **clock}, sampled)
        if self.config.eval.every and self.state.step % self.config.eval.every == 0:
            self._evaluate("train")
        if self.state.step % self.config.checkpoint.every == 0:
            self._checkpoint()

    def _learn(self, groups: list[Group], accuracy: float) -> dict[str, float]:
        """Advantages, and the optimiser steps on them; ``groups`` is empty if dynamic sampling found none."""
        step = self.state.step + 1
        try:
            learnt = {}
            if groups:
                advantages = ADVANTAGES[self.config.algorithm.advantage](reward_matrix(groups))
                learnt = self.learner.update(self._batch(groups, advantages), step)
            self.guard.check(accuracy, self.config.optimiser.lr)
        except TrainingError as error:
            raise self._post_mortem(error, step) from error
        return learnt

    def _record(self, row: dict[str, float], sampled: list[Group]) -> None:
        """Metrics, sample rollouts and progress of the step that was just made."""
        step = self.state.step
        self.log.step(row, step)
        if step % self.config.logging.rollouts_every == 0 or step == 1:
            for group in sampled[: self.config.logging.rollouts]:
                self.log.rollouts.write({"step": step, **rollout_row(group)})
        shown = {"reward": "reward", "accuracy": "accuracy", "kl": "kl", "tokens_per_second": "tokens/s"}
        self.progress.update(step, {name: row[key] for key, name in shown.items() if key in row})

    def _batch(self, groups: list[Group], advantages: torch.Tensor) -> Batch:
        """Groups as one padded batch; tokens of invalid samples are masked out."""
        trajectories = [t for group in groups for t in group.trajectories]
        return pad_batch(
            [t.tokens for t in trajectories],
            [t.mask if t.verdict.valid else [False] * len(t.tokens) for t in trajectories],
            [t.logprobs for t in trajectories],
            advantages.flatten().tolist(),
            self.policy.tokenizer.pad_id,
            self.policy.device,
        )

    def _warm_start(self) -> None:
        """Base evaluation, supervised warm start, and what came of it."""
        sft = self.config.sft
        self._evaluate("base")
        if sft.steps:
            self.progress.begin("warm start", sft.steps)
            warm_start(self.policy, self.settings, self.feed, self.config, self._accuracy, self._log_sft)
            self.progress.end()
            self._evaluate("warm_start")
        self._checkpoint()

    def _log_sft(self, row: dict[str, float]) -> None:
        self.log.sft.write(row)
        shown = {key: value for key, value in row.items() if key in ("loss", "accuracy")}
        self.progress.update(int(row["step"]) + 1, shown)

    def _accuracy(self, tasks: list[Task]) -> float:
        """Sampled accuracy on some training tasks."""
        seed = derive_seed(self.config.seed, "warm start check")
        return evaluate(self.engine, self.settings, tasks, self._params(1.0), seed=seed).pass_at_1

    def _evaluate(self, stage: str) -> None:
        """Held-out evaluation, with the same random streams each time, so that changes stand out."""
        if not self.held_out:
            return
        config = self.config.eval
        result: Evaluation = evaluate(
            self.engine,
            self.held_out_settings,
            self.held_out,
            self._params(config.temperature),
            seed=derive_seed(self.config.seed, "evaluation"),
            samples=config.samples,
        )
        step = -1 if stage == "base" else self.state.step
        row = {**result.to_dict(), "step": step, "stage": stage}
        self.state.evaluations.append(row)
        self.log.evaluation(result.to_dict(), step, stage)
        self.progress.say(f"held-out accuracy, {stage.replace('_', ' ')} (step {max(step, 0)}): {result}")

    def _params(self, temperature: float) -> SamplingParams:
        s = self.config.sampling
        return SamplingParams(s.max_tokens, temperature, s.top_p, s.top_k)

    def _hold_reference(self) -> None:
        """The policy as it is before the first step, which the KL is measured to; on disk, for resumed runs."""
        if self.config.algorithm.beta == 0 and not self.config.algorithm.track_kl:
            return
        folder = self.run_dir / "reference"
        if self.state.step == 0:
            shutil.rmtree(folder, ignore_errors=True)
            save_policy(self.policy, folder)
        reference = copy.deepcopy(self.policy)
        reference.load_state_dict(read_weights(folder))
        self.learner.reference = reference.requires_grad_(False)

    def _checkpoint(self) -> None:
        self.state.task_cursor, self.state.rows = self.feed.cursor, self.sampler.rows
        self.state.seconds = time.monotonic() - self._began
        save_checkpoint(
            self.run_dir, self.state.step, self.policy, self._state_dict(), self.config.checkpoint.keep
        )

    def _state_dict(self) -> dict[str, Any]:
        return {
            "state": vars(self.state),
            "optimiser": self.learner.optimiser.state_dict(),
            "optimiser_steps": self.learner.optimiser_steps,
            "guard": self.guard.state_dict(),
            "config": self.config.to_dict(),
        }

    def _restore(self, checkpoint: Path) -> None:
        saved = load_trainer_state(checkpoint)
        self.policy.load_state_dict(read_weights(checkpoint))
        self.state = TrainState(**saved["state"])
        self.learner.optimiser.load_state_dict(saved["optimiser"])
        self.learner.optimiser_steps = saved["optimiser_steps"]
        self.guard.load_state_dict(saved["guard"])
        self.feed.cursor, self.sampler.rows = self.state.task_cursor, self.state.rows
        self.progress.say(f"resumed after step {self.state.step} from {checkpoint}")

    def _post_mortem(self, error: TrainingError, step: int) -> TrainingError:
        """The error with where to look; the weights at hand are kept beside the checkpoints."""
        folder = self.run_dir / CHECKPOINTS / f"failed-{step:06d}"
        save_policy(self.policy, folder)
        return TrainingError(
            f"Step {step}: {error}. The newest good checkpoint is {find_checkpoint(self.run_dir)}; "
            f"the policy as it is now is in {folder}."
        )

    def _out_of_time(self) -> bool:
        limit = self.config.max_minutes
        return limit is not None and time.monotonic() - self._began >= 60 * limit

    def _finish(self) -> None:
        """The last evaluation and checkpoint, unless the last step made them."""
        evaluated = self.state.evaluations[-1]["step"] if self.state.evaluations else None
        if self.state.step and evaluated != self.state.step:
            self._evaluate("train")
            self._checkpoint()
        elif find_checkpoint(self.run_dir).name != f"step-{self.state.step:06d}":
            self._checkpoint()

    def _summarise(self) -> Summary:
        evaluations = self.state.evaluations
        before = [row for row in evaluations if row["stage"] != "train"]
        summary = Summary(
            run_dir=self.run_dir,
            steps=self.state.step,
            before=before[-1] if before else None,
            after=evaluations[-1] if evaluations else None,
            seconds=time.monotonic() - self._began,
            tokens=self.state.tokens,
        )
        self.log.write_json("summary.json", summary.to_dict())
        return summary

    def _make_policy(self) -> Policy:
        """The policy of the configuration; a fresh one knows every character of the first tasks."""
        texts = []
        preview = TaskFeed(self.settings.problem, self.config.seed)
        for task in preview.take(64):
            texts += [task.prompt, task.solution or "", self.settings.problem.answer_text(task)]
        return load_policy(
            self.config.policy,
            seed=derive_seed(self.config.seed, "weights"),
            tokenizer=CharTokenizer.from_texts([self.settings.template.system, *texts]),
            device=resolve_device(self.config.device),
        )

    def close(self) -> None:
        """Closes files and executors."""
        self.progress.end()
        self.log.close()
        self.settings.close()
        self.held_out_settings.close()
