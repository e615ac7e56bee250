"""Warm start: supervised fine-tuning on what the oracle would have written. The loss is on completions only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.learner import pad_batch
from rlvr_gym.agents.optimiser import make_optimiser, set_lr
from rlvr_gym.agents.packing import Packed
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.scoring import score
from rlvr_gym.agents.sharding import clip_gradients
from rlvr_gym.agents.tasks import TaskFeed
from rlvr_gym.agents.tokenizer import Tokenizer
from rlvr_gym.agents.world import World
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import DataError
from rlvr_gym.problem import Dialogue
from rlvr_gym.task import Task

__all__ = ["Demonstration", "demonstrate", "sft_gradient", "warm_start"]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """An oracle's episode as tokens; ``mask`` is True where the oracle speaks."""

    tokens: list[int]
    mask: list[bool]


def demonstrate(settings: EnvSettings, task: Task, tokenizer: Tokenizer) -> Demonstration:
    """The oracle's way through a task: worked solution and answer, or in a dialogue its action in every turn."""
    episode = settings.begin(task)
    problem = episode.problem
    tokens = tokenizer.encode_prompt(episode.messages)
    mask = [False] * len(tokens)
    while not episode.done and episode.pending is None:
        if isinstance(problem, Dialogue):
            action = problem.oracle(task, episode.state)
        else:
            action = settings.template.demonstrate(task.solution, problem.answer_text(task))
        spoken = tokenizer.encode_completion(action)
        before = len(episode.messages) + 1
        episode.act(action)
        answered = (
            []
            if episode.done or episode.pending is not None
            else tokenizer.encode_reply(episode.messages[before:], finished=True)
        )
        tokens += spoken + answered
        mask += [True] * len(spoken) + [False] * len(answered)
    return Demonstration(tokens, mask)


def sft_gradient(
    policy: Policy,
    rows: Sequence[Demonstration],
    micro_batch: int,
    world: World | None = None,
    packing: int = 0,
) -> float:
    """Adds the gradient of the mean negative log-likelihood of the oracle's tokens; returns that mean.

    The mean is over all tokens of ``rows``, however they are cut into micro-batches and packed into rows.

    Args:
        policy: gathers the gradient.
        rows: what to learn from.
        micro_batch: demonstrations in one forward pass.
        world: processes that share the work.
        packing: tokens of a row that several demonstrations share; 0 for a row each.

    Raises:
        ConfigError: if a demonstration does not fit a packed row.
        DataError: if one does not fit the policy's context.
    """
    longest = max(len(row.tokens) for row in rows)
    if longest > policy.max_context:
        raise DataError(
            f"A demonstration has {longest} tokens; the policy's context is {policy.max_context}."
        )
    batch = pad_batch(
        [row.tokens for row in rows],
        [row.mask for row in rows],
        [[0.0] * len(row.tokens) for row in rows],
        [0.0] * len(rows),
        policy.tokenizer.pad_id,
        policy.device,
    )
    world = world or World()
    tokens, total = batch.mask.sum(), 0.0
    for index, counts in world.deal(range(len(rows)), micro_batch):
        part = batch.rows(index)
        layout = Packed(part.tokens, part.mask, part.lengths, packing) if packing else None
        loss = -score(policy, part.tokens, part.mask, layout=layout).logprobs.sum() / tokens
        loss = loss if counts else 0 * loss
        loss.backward()
        total += loss.item()
    world.sum_gradients(policy.parameters())
    return world.sum_number(total)


def warm_start(
    policy: Policy,
    settings: EnvSettings,
    feed: TaskFeed,
    config: TrainConfig,
    accuracy: Callable[[list[Task]], float],
    log: Callable[[dict[str, float]], None],
    world: World | None = None,
) -> int:
    """Trains on demonstrations of fresh tasks, to the target accuracy or the last step.

    Args:
        policy: trained in place.
        settings: the environment.
        feed: gives the tasks; its cursor moves on.
        config: its section ``sft``, and AdamW's settings out of ``optimiser``.
        accuracy: measures the policy on some tasks by sampling; called only if there is a target.
        log: takes one row a step.
        world: processes that share the work.

    Returns:
        Steps taken.

    Raises:
        TrainingError: if the loss is not finite.
        DataError: if a demonstration does not fit the policy's context.
    """
    sft, shared = config.sft, config.optimiser
    optimiser = make_optimiser(policy, shared)
    for step in range(sft.steps):
        rows = [demonstrate(settings, task, policy.tokenizer) for task in feed.take(sft.batch_size)]
        optimiser.zero_grad(set_to_none=True)
        loss = sft_gradient(policy, rows, shared.micro_batch, world, sft.packing)
        norm = clip_gradients(policy.parameters(), shared.max_grad_norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"The warm start's loss ({loss}) or gradient ({norm}) is not finite; lower sft.lr"
            )
        lr = set_lr(optimiser, sft.lr, step, warmup=sft.warmup_steps)
        optimiser.step()
        row = {"step": step, "loss": loss, "grad_norm": norm, "lr": lr}
        if sft.target_accuracy is not None and (step + 1) % sft.check_every == 0:
            row["accuracy"] = accuracy(feed.take(sft.check_tasks))
        log(row)
        if sft.target_accuracy is not None and row.get("accuracy", -1.0) >= sft.target_accuracy:
            return step + 1
    return sft.steps
