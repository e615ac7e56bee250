"""A judge behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from rlvr_gym.errors import ConfigError, MissingExtraError, describe
from rlvr_gym.judges.base import Judge, JudgeSettings
from rlvr_gym.judges.questions import Question

__all__ = ["EndpointJudge", "word_probability", "yes_probability"]

logger = logging.getLogger(__name__)

_WORD = re.compile(r"\W{0,8}(yes|no)\b", re.IGNORECASE)
_TOP = 20


class EndpointJudge(Judge):
    """Asks a server that speaks OpenAI's HTTP interface.

    The client tries lost connections, 408, 409, 429 and 5xx again with exponential backoff. What fails even so is
    nan. If the very first request fails, or the server refuses the key or the model, that is an error of its own.

    Args:
        settings: whose ``model`` is ``openai:URL#MODEL``; the key is taken from ``OPENAI_API_KEY``.

    Raises:
        ConfigError: if ``model`` has another form.
        MissingExtraError: without the package ``openai``.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self._url, _, self._model = settings.model.removeprefix("openai:").partition("#")
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.netloc or not self._model:
            raise ConfigError(
                f"A judge's endpoint is written openai:URL#MODEL, such as openai:http://127.0.0.1:8000/v1#judge; "
                f"got {settings.model!r}."
            )
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "eval", "A judge behind an endpoint") from error
        super().__init__(settings)
        self._openai = openai
        self._works = False
        self._limit_name = "max_tokens"
        # a local server wants no key, but the client insists on one
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self._client = openai.OpenAI(
            base_url=self._url, api_key=key, max_retries=settings.retries, timeout=settings.timeout
        )

    def _answer(self, questions: list[Question]) -> list[float]:
        """The first one alone, so that a wrong address is told once; then several at a time."""
        first = [] if self._works else [self._one(questions[0])]
        self._works = True
        pool = ThreadPoolExecutor(self.settings.concurrency)
        try:
            return [*first, *pool.map(self._one, questions[len(first) :])]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, question: Question) -> float:
        if not self.budget.take():
            return math.nan
        errors = self._openai
        try:
            answer = self._request(question)
        except (errors.AuthenticationError, errors.PermissionDeniedError) as error:
            raise ConfigError(
                f"The judge's endpoint {self._url} refuses the key; set OPENAI_API_KEY. {describe(error, 200)}"
            ) from error
        except errors.NotFoundError as error:
            raise ConfigError(
                f"The judge's endpoint {self._url} knows no model {self._model!r} (or the URL lacks /v1). "
                f"{describe(error, 200)}"
            ) from error
        except errors.OpenAIError as error:
            if not self._works:
                raise ConfigError(
                    f"The judge's endpoint {self._url} does not answer: {describe(error, 300)}. If it cannot give "
                    "log-probabilities, set probabilities to false."
                ) from error
            logger.warning("The judge could not be asked: %s", describe(error, 300))
            return math.nan
        if answer.usage is not None:
            self.budget.spend(answer.usage.total_tokens)
        return self._read(answer)

    def _request(self, question: Question) -> Any:
        try:
            return self._send(question)
        except self._openai.BadRequestError as error:
            # newer models of OpenAI renamed the limit; most other servers know the old name alone
            if self._limit_name == "max_completion_tokens" or "max_completion_tokens" not in str(error):
                raise
            self._limit_name = "max_completion_tokens"
            return self._send(question)

    def _send(self, question: Question) -> Any:
        likely = self.settings.probabilities
        extra = {"logprobs": True, "top_logprobs": _TOP} if likely else {}
        return self._client.chat.completions.create(
            model=self._model,
            messages=question.messages(),  # type: ignore[arg-type]
            temperature=0.0,
            extra_body={self._limit_name: 1 if likely else 4, **extra},
        )

    def _read(self, answer: Any) -> float:
        if not answer.choices:
            return math.nan
        choice = answer.choices[0]
        if not self.settings.probabilities:
            return word_probability(choice.message.content or "")
        if choice.logprobs is None or not choice.logprobs.content:
            raise ConfigError(
                f"The judge's endpoint {self._url} gives no log-probabilities; set probabilities to false."
            )
        return yes_probability((top.token, top.logprob) for top in choice.logprobs.content[0].top_logprobs)


def yes_probability(likely: Iterable[tuple[str, float]]) -> float:
    """``P(yes) / (P(yes) + P(no))`` out of the likeliest tokens and their log-probabilities; nan if it is neither."""
    mass = {"yes": 0.0, "no": 0.0}
    for token, logprob in likely:
        word = token.strip(" \u2581\u0120*\"'`\n").lower()
        if word in mass:
            mass[word] += math.exp(logprob)
    total = mass["yes"] + mass["no"]
    return mass["yes"] / total if total > 0 else math.nan


def word_probability(text: str) -> float:
    """1 for a text that begins with "yes", 0 for "no", nan for anything else."""
    match = _WORD.match(text)
    return math.nan if match is None else float(match[1].lower() == "yes")
