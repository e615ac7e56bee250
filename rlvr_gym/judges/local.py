"""A judge that runs here: the probability of "yes" from a language model's logits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rlvr_gym.errors import ConfigError, MissingExtraError
from rlvr_gym.judges.base import Judge, JudgeSettings
from rlvr_gym.judges.questions import Question

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LocalJudge"]

_AT_ONCE = 2**14
"""Tokens in one forward pass."""
_FORMS = ("{}", " {}")


class LocalJudge(Judge):
    """A policy of :mod:`rlvr_gym.agents` (for judging: ``smollm2`` or ``hf:PATH``), on a GPU where there is one.

    One forward pass a question and no sampling: the logits after the prompt say how likely "Yes" and "No" are to
    come next.

    Args:
        settings: whose ``model`` is what ``load_policy`` takes.

    Raises:
        MissingExtraError: without torch (or transformers).
        ConfigError: if the model cannot be loaded, or its tokenizer cannot tell yes from no in one token.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        if not settings.probabilities:
            raise ConfigError(
                "A judge that runs here always tells probabilities; leave probabilities at true."
            )
        try:
            from rlvr_gym.agents.policy import load_policy, resolve_device
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingExtraError("torch", "train", "A judge that runs here") from error
        if not settings.probabilities:
            raise ConfigError(
                "A judge that runs here always tells probabilities; leave probabilities at true."
            )
        super().__init__(settings)
        self._policy = load_policy(settings.model, device=resolve_device())
        self._yes, self._no = self._first_tokens("yes"), self._first_tokens("no")
        if not self._yes or not self._no or set(self._yes) & set(self._no):
            raise ConfigError(
                f"The model {settings.model!r} does not tell 'yes' from 'no' by its first token."
            )

    def _first_tokens(self, word: str) -> list[int]:
        """The tokens that are this word whole, however it is capitalised."""
        words = [form.format(w) for form in _FORMS for w in (word, word.capitalize(), word.upper())]
        encoded = [self._policy.tokenizer.encode(text) for text in words]
        return sorted({ids[0] for ids in encoded if len(ids) == 1})

    def _answer(self, questions: list[Question]) -> list[float]:
        """Questions of alike length together, padded on the right; those beyond context or budget get nan."""
        rows = [self._policy.tokenizer.encode_prompt(question.messages()) for question in questions]
        scores = [math.nan] * len(rows)
        fitting = [
            i for i, row in enumerate(rows) if len(row) <= self._policy.max_context and self.budget.take()
        ]
        fitting.sort(key=lambda i: len(rows[i]))
        while fitting:
            count = max(1, min(len(fitting), _AT_ONCE // len(rows[fitting[-1]])))
            batch, fitting = fitting[-count:], fitting[:-count]
            self.budget.spend(sum(len(rows[i]) for i in batch))
            for i, score in zip(batch, self._probabilities([rows[i] for i in batch]), strict=True):
                scores[i] = score
        return scores

    def _probabilities(self, rows: list[list[int]]) -> list[float]:
        import torch

        ends = torch.tensor([len(row) - 1 for row in rows], device=self._policy.device)
        width = max(map(len, rows))
        pad = self._policy.tokenizer.pad_id
        tokens = torch.tensor(
            [[*row, *[pad] * (width - len(row))] for row in rows], device=self._policy.device
        )
        with torch.no_grad():
            hidden = self._policy.hidden(tokens)  # [B, T, D]; causal attention never looks at the padding
            last = hidden[torch.arange(len(rows), device=hidden.device), ends]
            logprobs = self._policy.logits(last).log_softmax(-1)  # [B, V]
        chances: Tensor = torch.sigmoid(
            logprobs[:, self._yes].logsumexp(-1) - logprobs[:, self._no].logsumexp(-1)
        )
        return [float(chance) for chance in chances]
