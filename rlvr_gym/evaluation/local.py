"""Policies that run here: checkpoints of training runs and Hugging Face models."""

from __future__ import annotations

from collections.abc import Sequence

from rlvr_gym.errors import MissingExtraError
from rlvr_gym.evaluation.model import Completion, Model, ModelSettings, Query

__all__ = ["LocalPolicy"]


class LocalPolicy(Model):
    """A policy of :mod:`rlvr_gym.agents`, on a GPU where there is one.

    Args:
        name: what ``load_policy`` takes: ``smollm2``, ``hf:PATH`` or ``ckpt:DIR``.
        settings: sampling.

    Raises:
        MissingExtraError: without torch (or, for the Hugging Face models, transformers).
        RLVRError: if there is no such policy.
    """

    def __init__(self, name: str, settings: ModelSettings) -> None:
        try:
            from rlvr_gym.agents.policy import load_policy, resolve_device
            from rlvr_gym.agents.rollout import RolloutEngine
            from rlvr_gym.agents.sampling import SamplingParams
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "train", "Evaluating a local model") from error
        self._engine = RolloutEngine(load_policy(name, device=resolve_device()))
        self._params = SamplingParams(max_tokens=settings.max_tokens, temperature=settings.temperature)
        # few at a time where each takes long, so that progress shows
        self.wave = 64 if self._engine.policy.num_parameters > 20_000_000 else 512

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """Samples all completions in one batch.

        A conversation that has outgrown the policy's context gets an empty, cut-off completion.

        Raises:
            ConfigError: if a task's first prompt does not fit.
        """
        policy = self._engine.policy
        prompts = [policy.tokenizer.encode_prompt(query.messages) for query in queries]
        room = policy.max_context - self._params.max_tokens
        fitting = [i for i, query in enumerate(queries) if len(prompts[i]) <= room or query.address[3] == 0]
        completions = [Completion(finished=False)] * len(queries)
        if not fitting:
            return completions
        seed, _, _, turn = queries[0].address
        written = self._engine.generate(
            [prompts[i] for i in fitting],
            self._params,
            seed=seed,
            rows=[queries[i].seed for i in fitting],
            turn=turn,
        )
        for i, one in zip(fitting, written, strict=True):
            completions[i] = Completion(one.text, len(one.tokens), one.finished)
        return completions
