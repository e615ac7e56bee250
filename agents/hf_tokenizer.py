"""A Hugging Face tokenizer with its chat template, as the engine and the trainer take it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rlvr_gym.agents.tokenizer import Message, Tokenizer
from rlvr_gym.errors import ConfigError

__all__ = ["HFTokenizer"]


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
