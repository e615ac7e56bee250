"""vLLM as the sampler, for models and machines that are large enough for it; the trainer stays the same.

Written for vLLM 0.33, in the trainer's own process and on its device. Weights go over whenever the policy has changed.
vLLM computes with kernels and often in a precision of its own, so its log-probabilities are not quite the trainer's:
use ``algorithm.recompute_old``, and ``importance_cap`` against what is left. Completions are not reproducible to the
bit, as those of our own engine are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams, stream_seed
from rlvr_gym.agents.world import World
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["VllmEngine"]


class VllmEngine(RolloutEngine):
    """A rollout engine that lets vLLM decode.

    Args:
        policy: a Hugging Face policy.
        max_rows: completions decoded side by side.
        world: processes that each decode a share of the rows.
        memory: share of the device's memory that vLLM may take; the trainer needs the rest.

    Raises:
        MissingExtraError: without vLLM.
        ConfigError: if the policy is no Hugging Face model.
    """

    def __init__(
        self, policy: Policy, *, max_rows: int = 512, world: World | None = None, memory: float = 0.4
    ) -> None:
        super().__init__(policy, max_rows=max_rows, world=world)
        if not isinstance(policy, HFPolicy):
            raise ConfigError("vLLM runs Hugging Face policies (smollm2, hf:PATH); use sampling.engine: own.")
        if policy.adapters is not None:
            raise ConfigError("vLLM gets whole weights here, no LoRA adapters; use sampling.engine: own.")
        os.environ.setdefault(
            "VLLM_ENABLE_V1_MULTIPROCESSING", "0"
        )  # so that weights are handed over in memory
        try:
            import vllm
        except ImportError as error:
            raise MissingExtraError("vllm", "vllm", "sampling.engine: vllm") from error
        self._vllm: Any = vllm
        self._hf = policy
        with tempfile.TemporaryDirectory() as folder:
            policy.save_assets(Path(folder))
            self._llm = vllm.LLM(
                model=str(Path(folder) / "hf"),
                load_format="dummy",  # the weights come from the policy
                skip_tokenizer_init=True,
                max_num_seqs=max_rows,
                max_model_len=policy.max_context,
                gpu_memory_utilization=memory,
                logprobs_mode="processed_logprobs",  # of the tempered distribution
                enable_prefix_caching=True,
            )
        self._synchronised: int | None = None

    def _synchronise(self) -> None:
        """Hands the weights over if an optimiser has changed them since the last time."""
        version = sum(weight._version for weight in self.policy.parameters())
        if version != self._synchronised:
            state = self._hf.model.state_dict()
            self._llm.apply_model(lambda model: model.load_weights(state.items()))
            self._llm.reset_prefix_cache()
            self._synchronised = version

    def _decode(
        self,
        prompts: Sequence[Sequence[int]],
        rows: Sequence[int],
        params: SamplingParams,
        seed: int,
        turn: int,
        chunk: int = 0,
        on_finished: Callable[[dict[int, Completion]], None] | None = None,
    ) -> list[Completion]:
        if not prompts:
            return []
        self._synchronise()
        outputs = self._llm.generate(
            [{"prompt_token_ids": list(prompt)} for prompt in prompts],
            [
                self._vllm.SamplingParams(
                    temperature=params.temperature,
                    top_p=params.top_p,
                    top_k=params.top_k,
                    max_tokens=params.max_tokens,
                    stop_token_ids=list(self.policy.tokenizer.stop_ids),
                    seed=stream_seed(seed, row, turn, chunk),
                    logprobs=0,  # of the sampled token only
                    detokenize=False,
                )
                for row in rows
            ],
            use_tqdm=False,
        )
        return [self._completion(output.outputs[0]) for output in outputs]

    def _completion(self, output: Any) -> Completion:
        tokens = list(output.token_ids)
        logprobs = [position[token].logprob for token, position in zip(tokens, output.logprobs, strict=True)]
        finished = output.finish_reason == "stop"
        return Completion(tokens, logprobs, finished, self.policy.tokenizer.decode(tokens))
