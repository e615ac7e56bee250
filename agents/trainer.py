"""The training loop: sample, verify, reward, advantages, epochs of minibatches, log, checkpoint.

Where it differs from textbook GRPO:

* rows whose advantage is 0 add nothing to the gradient (without a KL term) and are left out of the forward pass;
  they still count in the normaliser, so the gradient is the same;
* a step in which every advantage is 0 moves no weight, not even by momentum;
* a sample whose verification failed is in no group statistic and in no loss;
* ``old`` log-probabilities are those of the sampler; they are not computed a second time unless
  ``algorithm.recompute_old`` says so.

All randomness is addressed by counters (task cursor, row counter, step), so a run that was killed and resumed
gives the numbers of one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rlvr_gym.agents.checkpoint import (
    BEST,
    CHECKPOINTS,
    find_checkpoint,
    load_trainer_state,
    read_weights,
    save_checkpoint,
    save_policy,
)
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.credit import Credit
from rlvr_gym.agents.evaluate import evaluate
from rlvr_gym.agents.groups import Group, Sampler, rollout_rows, sample_metrics
from rlvr_gym.agents.guards import Alarms, CollapseGuard, OutOfMemory, TrainingError, memory_advice
from rlvr_gym.agents.holdout import HeldOut
from rlvr_gym.agents.learner import Learner
from rlvr_gym.agents.logging import RunLog
from rlvr_gym.agents.policy import load_policy, resolve_device
from rlvr_gym.agents.progress import TrainingProgress
from rlvr_gym.agents.rollout import make_engine
from rlvr_gym.agents.run import Summary, TrainState, make_policy, prepare_folder
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.sft import warm_start
from rlvr_gym.agents.sharding import load_weights
from rlvr_gym.agents.tasks import TaskFeed, make_settings
from rlvr_gym.agents.world import World
from rlvr_gym.cluster import ray_is_installed
from rlvr_gym.errors import ConfigError
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
        device = resolve_device(config.device)
        self.world = World.join(device, config.optimiser.sharding)
        self._birthplace = self.world.birthplace(device)
        checkpoint = prepare_folder(config, run_dir, resume)
        self.world.barrier()  # nobody writes before all have looked
        self._fresh = checkpoint is None
        self.progress = TrainingProgress(quiet=quiet or not self.world.main)
        self.settings = make_settings(config)
        self.held_out = HeldOut(config)
        curriculum = config.env.curriculum.settings() if config.env.curriculum else None
        self.feed = TaskFeed(self.settings.problem, config.seed, self.held_out.tasks, curriculum=curriculum)
        self.policy = make_policy(config, self.settings, self._birthplace)
        self.engine = make_engine(
            config.sampling.engine,
            self.policy,
            config.sampling.max_rows,
            self.world,
            self.policy.autocast,
            config.sampling.compile,
        )
        self.sampler = self._make_sampler()
        self.learner = Learner(self.policy, config, world=self.world)
        self.credit = Credit(config, self.learner, self.settings.design)
        self.guard, self.alarms = CollapseGuard(), Alarms(config.guard)
        self.state = TrainState()
        if checkpoint is not None:
            self._restore(checkpoint)
        self.log = RunLog(
            run_dir if self.world.main else run_dir / "ranks" / str(self.world.rank),
            resumed_step=None if checkpoint is None else self.state.step,
            config=config.logging,
            about=config.to_dict(),
        )
        self.log.write_json("config.json", config.to_dict())
        self._began = time.monotonic() - self.state.seconds

    def _make_sampler(self) -> Sampler:
        """Rollouts from this process, or from workers on a Ray cluster."""
        parts = self.engine, self.settings, self.feed, self.config
        if self.config.ray is None:
            return Sampler(*parts)
        if self.world.size > 1:
            raise ConfigError("The section ray brings its own workers: start the run without torchrun.")
        if not ray_is_installed():
            self.progress.say(
                "Ray is not installed, so rollouts are sampled here: pip install 'rlvr-gym[ray]'."
            )
            return Sampler(*parts)
        from rlvr_gym.agents.distributed import RaySampler

        return RaySampler(*parts, say=self.progress.say)

    def run(self) -> Summary:
        """Every stage that is still to be done."""
        if self._fresh:
            self._warm_start()
        self._hold_reference()
        self.progress.begin("train", self.config.steps, self.state.step)
        while self.state.step < self.config.steps and not self._stops_early():
            self._step()
        self.progress.end()
        self._finish()
        summary = Summary.of(self.run_dir, self.state, self._seconds())
        self.log.write_json("summary.json", summary.to_dict())
        return summary

    def _step(self) -> None:
        """One step of reinforcement learning."""
        began = time.monotonic()
        with self._stopping():
            with memory_advice("sampling", "Lower sampling.max_rows or sampling.max_tokens"):
                groups, sampled = self.sampler.sample(self.state.step + 1)
            metrics = sample_metrics(sampled)
            sampling = time.monotonic() - began
            with memory_advice("training", "Lower optimiser.micro_batch"):
                learnt = self._learn(groups)
            if self.config.guard.collapse:
                self.guard.check(metrics["accuracy"], self.config.optimiser.lr)
            alarms = self.alarms.check({**metrics, **learnt})
        seconds = time.monotonic() - began
        self.state.step += 1
        self.state.tokens += int(metrics["tokens"])
        clock = {
            "step_time": seconds,
            "tokens_per_second": metrics["tokens"] / seconds,
            "time/sampling": sampling,
            "time/training": seconds - sampling,
            "time/elapsed": self._seconds(),
        }
        row = {**metrics, "groups": float(len(groups)), **self.sampler.metrics(), **self.feed.metrics()}
        row |= {**learnt, **clock}
        self._record(row, sampled)
        for alarm in alarms:
            self.progress.say(f"alarm in step {self.state.step}: {alarm}")
        if self.config.eval.every and self.state.step % self.config.eval.every == 0:
            self._evaluate("train")
        if self.state.step % self.config.checkpoint.every == 0:
            self._checkpoint()

    def _learn(self, groups: list[Group]) -> dict[str, float]:
        """Advantages, and the optimiser steps on them; ``groups`` is empty if dynamic sampling found none."""
        if not groups:
            return {}
        batch, metrics = self.credit.assign(groups)
        return {**metrics, **self.learner.update(batch, self.state.step + 1)}

    def _record(self, row: dict[str, float], sampled: list[Group]) -> None:
        """Metrics, sample rollouts and progress of the step that was just made."""
        step = self.state.step
        self.log.step(row, step)
        if step % self.config.logging.rollouts_every == 0 or step == 1:
            for group in sampled[: self.config.logging.rollouts]:
                for attempt in rollout_rows(group)[: self.config.logging.attempts]:
                    self.log.rollouts.write({"step": step, **attempt})
        shown = {"reward": "reward", "accuracy": "accuracy", "kl": "kl", "tokens_per_second": "tokens/s"}
        self.progress.update(step, {name: row[key] for key, name in shown.items() if key in row})

    def _warm_start(self) -> None:
        """Base evaluation, supervised warm start, and what came of it."""
        sft = self.config.sft
        self._evaluate("base")
        if sft.steps:
            self.progress.begin("warm start", sft.steps)
            warm_start(
                self.policy, self.settings, self.feed, self.config, self._accuracy, self._log_sft, self.world
            )
            self.progress.end()
            self._evaluate("warm_start")
        if self.learner.value is not None:
            self.learner.value.follow(self.policy)
        self._checkpoint()

    def _log_sft(self, row: dict[str, float]) -> None:
        self.log.sft.write(row)
        shown = {key: value for key, value in row.items() if key in ("loss", "accuracy")}
        self.progress.update(int(row["step"]) + 1, shown)

    def _accuracy(self, tasks: list[Task]) -> float:
        """Sampled accuracy on some training tasks."""
        seed = derive_seed(self.config.seed, "warm start check")
        return evaluate(
            self.engine, self.settings, tasks, self.config.sampling.params(1.0), seed=seed
        ).pass_at_1

    def _evaluate(self, stage: str) -> None:
        """Held-out evaluation; the best policy so far is kept beside the checkpoints."""
        if not self.held_out.tasks:
            return
        result = self.held_out.measure(self.engine)
        step = -1 if stage == "base" else self.state.step
        self.state.evaluations.append({**result.to_dict(), "step": step, "stage": stage})
        self.log.evaluation(result.to_dict(), step, stage)
        self.progress.say(f"held-out accuracy, {stage.replace('_', ' ')} (step {max(step, 0)}): {result}")
        if self.config.checkpoint.best and self.held_out.newest_is_best(self.state):
            save_policy(self.policy, self.run_dir / BEST, main=self.world.main)

    def _hold_reference(self) -> None:
        """The policy as it is before the first step, which the KL is measured to; on disk, for resumed runs."""
        if self.config.algorithm.beta == 0 and not self.config.algorithm.track_kl:
            return
        folder = self.run_dir / "reference"
        if self.state.step == 0:
            save_policy(self.policy, folder, main=self.world.main)
        self.world.barrier()
        reference = load_policy(f"ckpt:{folder}", device=self._birthplace).requires_grad_(False)
        reference.autocast = self.policy.autocast
        self.learner.spread(reference)
        self.learner.reference = reference

    def _checkpoint(self) -> None:
        self.state.task_cursor, self.state.rows = self.feed.cursor, self.sampler.rows
        if self.feed.curriculum is not None:
            self.state.curriculum = self.feed.curriculum.state_dict()
        self.state.seconds = self._seconds()
        saved = self._state_dict()
        keep, main = self.config.checkpoint.keep, self.world.main
        save_checkpoint(self.run_dir, self.state.step, self.policy, saved, keep, main=main)
        self.world.barrier()

    def _state_dict(self) -> dict[str, Any]:
        return {
            "state": asdict(self.state),
            "learner": self.learner.state_dict(),
            "sampler": self.sampler.state_dict(),
            "guard": self.guard.state_dict(),
            "alarms": self.alarms.state_dict(),
            "config": self.config.to_dict(),
        }

    def _restore(self, checkpoint: Path) -> None:
        saved = load_trainer_state(checkpoint)
        load_weights(self.policy, read_weights(checkpoint))
        self.state = TrainState(**saved["state"])
        self.learner.load_state_dict(saved["learner"])
        self.guard.load_state_dict(saved["guard"])
        self.alarms.load_state_dict(saved["alarms"])
        self.feed.cursor, self.sampler.rows = self.state.task_cursor, self.state.rows
        self.sampler.load_state_dict(saved.get("sampler", {}))
        if self.feed.curriculum is not None:
            self.feed.curriculum.load_state_dict(self.state.curriculum)
        self.progress.say(f"resumed after step {self.state.step} from {checkpoint}")

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Says where to look when training cannot go on; the weights at hand are kept beside the checkpoints."""
        try:
            yield
        except TrainingError as error:
            step = self.state.step + 1
            told = f"Step {step}: {error}. The newest good checkpoint is {find_checkpoint(self.run_dir)}"
            if isinstance(error, OutOfMemory) and self.world.sharding == "full":
                # processes that have memory left do not come to gather weights
                raise TrainingError(f"{told}.") from error
            folder = self.run_dir / CHECKPOINTS / f"failed-{step:06d}"
            save_policy(self.policy, folder, main=self.world.main)
            raise TrainingError(f"{told}; the policy as it is now is in {folder}.") from error

    def _stops_early(self) -> bool:
        """Whether the time is up, or the last evaluation says that it is enough."""
        limit = self.config.max_minutes
        if limit is not None and self.world.agree(lambda: self._seconds() >= 60 * limit):
            return True
        reason = self.held_out.enough(self.state)
        if reason is not None:
            self.progress.say(f"stopped after step {self.state.step}: {reason}")
        return reason is not None

    def _seconds(self) -> float:
        """Wall time of this run so far, over all its sessions."""
        return time.monotonic() - self._began

    def _finish(self) -> None:
        """The last evaluation and checkpoint, unless the last step made them."""
        evaluated = self.state.evaluations[-1]["step"] if self.state.evaluations else None
        if self.state.step and evaluated != self.state.step:
            self._evaluate("train")
            self._checkpoint()
        elif find_checkpoint(self.run_dir).name != f"step-{self.state.step:06d}":
            self._checkpoint()

    def close(self) -> None:
        """Closes files and executors."""
        self.progress.end()
        self.log.close()
        self.sampler.close()
        self.settings.close()
        self.held_out.settings.close()
