"""Policies that run here: checkpoints of training runs and Hugging Face models, decoded by our engine or by vLLM."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from rlvr_gym.errors import MissingExtraError
from rlvr_gym.evaluation.model import Completion, Model, ModelSettings, Query

__all__ = ["LocalPolicy"]

_ROWS = 512


class LocalPolicy(Model):
    """A policy of :mod:`rlvr_gym.agents`, on a GPU where there is one.

    Args:
        name: what ``load_policy`` takes: ``smollm2``, ``hf:PATH`` or ``ckpt:DIR``; or ``vllm:PATH`` for a Hugging
            Face model that vLLM decodes (``vllm:smollm2`` for that one).
        settings: sampling.

    Raises:
        MissingExtraError: without torch (or, for the Hugging Face models, transformers; or vLLM).
        RLVRError: if there is no such policy.
    """

    def __init__(self, name: str, settings: ModelSettings) -> None:
        try:
            import torch

            from rlvr_gym.agents.policy import load_policy, resolve_device
            from rlvr_gym.agents.rollout import make_engine
            from rlvr_gym.agents.sampling import SamplingParams
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "train", "Evaluating a local model") from error
        engine, loaded = ("vllm", name[5:]) if name.startswith("vllm:") else ("own", name)
        if engine == "vllm" and loaded != "smollm2":
            loaded = f"hf:{loaded}"
        policy = load_policy(loaded, device=resolve_device())
        # vLLM's fast kernels for GPUs are for half precision, which is what it runs such models in by itself
        dtype = torch.bfloat16 if engine == "vllm" and policy.device.type == "cuda" else None
        self._engine = make_engine(engine, policy, _ROWS, dtype=dtype)
        self._params = SamplingParams(
            max_tokens=settings.max_tokens, temperature=settings.temperature, top_p=settings.top_p
        )
        self.identity = f"{name} {_fingerprint(name)} {json.dumps(settings.sampling, sort_keys=True)}"
        # few at a time where each takes long, so that progress shows
        self.wave = 64 if self._engine.policy.num_parameters > 20_000_000 else _ROWS

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """Samples all completions in one batch.

        A conversation that has outgrown the policy's context gets an empty, cut-off completion; a first prompt
        that does not fit cannot be asked, which is an error and no wrong answer.
        """
        policy = self._engine.policy
        prompts = [policy.tokenizer.encode_prompt(query.messages) for query in queries]
        room = policy.max_context - self._params.max_tokens
        fitting = [i for i in range(len(queries)) if len(prompts[i]) <= room]
        completions = [
            Completion(finish_reason="length")
            if query.address[3]
            else Completion(
                error=f"The prompt has {len(prompt)} tokens, and the context has room for {room}."
            )
            for query, prompt in zip(queries, prompts, strict=True)
        ]
        if not fitting:
            return completions
        seed, _, _, turn = queries[0].address[:4]
        written = self._engine.generate(
            [prompts[i] for i in fitting],
            self._params,
            seed=seed,
            rows=[queries[i].seed for i in fitting],
            turn=turn,
        )
        for i, one in zip(fitting, written, strict=True):
            completions[i] = Completion(one.text, len(one.tokens), "stop" if one.finished else "length")
        return completions


def _fingerprint(name: str) -> str:
    """Changes when the files of a local model do: answers of yesterday's weights are not those of today's."""
    folder = Path(name.partition(":")[2] or "/nowhere")
    if not folder.exists():
        return ""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.blake2b(json.dumps(stamps).encode(), digest_size=8).hexdigest()
