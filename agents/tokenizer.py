"""Tokenizers: what a policy needs of one, and the character tokenizer of policies trained from scratch."""

from __future__ import annotations

import re
import string
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rlvr_gym.errors import ConfigError

__all__ = ["PRINTABLE", "TAGS", "CharTokenizer", "Message", "Tokenizer"]

Message = Mapping[str, str]

TAGS = ("<think>", "</think>", "<answer>", "</answer>")
PRINTABLE = "\n" + "".join(c for c in string.printable if c.isprintable())


class Tokenizer(ABC):
    """Text to token ids and back, and how a conversation becomes one sequence of tokens.

    Attributes:
        vocab_size: ids go from 0 to ``vocab_size - 1``.
        pad_id: fills up batches; differs from every id in ``stop_ids``.
        eos_id: ends a completion.
        stop_ids: every id that ends a completion when sampled; holds ``eos_id``.
    """

    vocab_size: int
    pad_id: int
    eos_id: int
    stop_ids: tuple[int, ...]

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of a text, without anything around it."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; BOS, EOS, PAD and the like have none."""

    @abstractmethod
    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """A conversation whose next words are the policy's, up to where its completion begins."""

    @abstractmethod
    def encode_reply(self, messages: Sequence[Message], *, finished: bool) -> list[int]:
        """What follows a completion: the environment's ``messages``, up to where the next completion begins.

        Args:
            messages: what the environment (or a tool) said.
            finished: whether the completion ended with a stop token, or was cut off.
        """

    def encode_completion(self, text: str) -> list[int]:
        """A completion as the policy should have written it, end included."""
        return [*self.encode(text), self.eos_id]


class CharTokenizer(Tokenizer):
    """One id a character; the tags ``<think> </think> <answer> </answer>``, and others if wanted, are single ids.

    A conversation is ``BOS message SEP completion EOS message SEP completion EOS ...``. PAD, BOS, EOS, SEP and
    UNK have no spelling, so no text can forge them; characters outside the alphabet become UNK and come back as
    U+FFFD.

    Args:
        alphabet: the characters; printable ASCII and the newline by default.
        tags: further texts that are single ids, such as ``<search>``.
    """

    pad_id, bos_id, eos_id, sep_id, unk_id = range(5)

    def __init__(self, alphabet: str = PRINTABLE, tags: Sequence[str] = ()) -> None:
        if len(set(alphabet)) != len(alphabet) or not alphabet:
            raise ConfigError(f"An alphabet has at least one character and none twice; got {alphabet!r}.")
        if len({*TAGS, *tags}) != len(TAGS) + len(tags) or not all(len(tag) > 1 for tag in tags):
            raise ConfigError(
                f"Tags have two characters at least, and none comes twice or is one of {', '.join(TAGS)}; got {tags!r}."
            )
        self.alphabet, self.tags = alphabet, tuple(tags)
        self._pieces = ["", "", "", "", "\ufffd", *TAGS, *alphabet, *tags]
        self._ids = {piece: i for i, piece in enumerate(self._pieces) if i > self.unk_id}
        self._split = re.compile("|".join(map(re.escape, (*TAGS, *tags))) + "|.", re.DOTALL)
        self.vocab_size = len(self._pieces)
        self.stop_ids = (self.eos_id,)

    @classmethod
    def from_texts(cls, texts: Iterable[str], tags: Sequence[str] = ()) -> CharTokenizer:
        """Printable ASCII and whatever else occurs in ``texts``; and these tags."""
        more = sorted(set().union(*texts) - set(PRINTABLE))
        return cls(PRINTABLE + "".join(more), tags)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; characters outside the alphabet become UNK."""
        return [self._ids.get(piece, self.unk_id) for piece in self._split.findall(text)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; UNK becomes U+FFFD, PAD, BOS, EOS and SEP become nothing."""
        pieces = self._pieces
        return "".join([pieces[i] for i in ids])

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """``BOS``, the messages with an EOS after each of the policy's own, ``SEP``."""
        ids = [self.bos_id]
        for i, message in enumerate(messages):
            own = message["role"] == "assistant"
            apart = i > 0 and messages[i - 1]["role"] != "assistant" and not own
            ids += [self.sep_id] if own else self.encode("\n\n") if apart else []
            ids += self.encode(message["content"]) + ([self.eos_id] if own else [])
        return [*ids, self.sep_id]

    def encode_reply(self, messages: Sequence[Message], *, finished: bool) -> list[int]:
        """The messages and ``SEP``, after an EOS if the completion lacked one."""
        text = "\n\n".join(message["content"] for message in messages)
        return [*([] if finished else [self.eos_id]), *self.encode(text), self.sep_id]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; :meth:`from_dict` is its inverse."""
        tags = {"tags": list(self.tags)} if self.tags else {}
        return {"kind": "char", "alphabet": self.alphabet, **tags}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CharTokenizer:
        """The inverse of :meth:`to_dict`."""
        if data.get("kind") != "char" or not isinstance(data.get("alphabet"), str):
            raise ConfigError(
                f"A character tokenizer is {{'kind': 'char', 'alphabet': ...}}; got {data!r:.200}."
            )
        return cls(data["alphabet"], data.get("tags", ()))
