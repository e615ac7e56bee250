"""Any OpenAI-compatible endpoint: requests side by side, retried with backoff, failures kept apart from wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from rlvr_gym.episode import Message
from rlvr_gym.errors import ConfigError, MissingExtraError
from rlvr_gym.evaluation.model import Completion, Model, ModelSettings, Query

__all__ = ["Endpoint"]

RETRIES = 5


class Endpoint(Model):
    """Chat completions of a server that speaks OpenAI's HTTP interface.

    The client retries 408, 409, 429, 5xx and lost connections with exponential backoff. What fails even so is a
    completion with an error; only where the first request fails or the key or the model is refused does it raise.

    Args:
        url: the base, such as ``http://127.0.0.1:8000/v1``.
        model: the model's name there.
        settings: sampling, concurrency and time limits.
        retries: tries after the first.

    Raises:
        MissingExtraError: without the package ``openai``.
    """

    def __init__(self, url: str, model: str, settings: ModelSettings, retries: int = RETRIES) -> None:
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "eval", "Evaluating an endpoint") from error
        self._openai = openai
        self._url = url
        self._model = model
        self._settings = settings
        self._works = False
        self._limit_name = "max_tokens"
        self.wave = 8 * settings.concurrency
        # a local server wants no key, but the client insists on one
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self._client = openai.OpenAI(base_url=url, api_key=key, max_retries=retries, timeout=settings.timeout)

    @classmethod
    def parse(cls, address: str, settings: ModelSettings) -> Endpoint:
        """An endpoint out of ``URL#MODEL``.

        Raises:
            ConfigError: if it has another form.
        """
        url, _, model = address.partition("#")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc or not model:
            raise ConfigError(
                f"An endpoint is written openai:URL#MODEL, such as openai:http://127.0.0.1:8000/v1#smollm2; "
                f"got openai:{address}."
            )
        return cls(url, model, settings)

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """One request a query, at most ``concurrency`` at a time.

        Raises:
            ConfigError: if the endpoint refuses the key or the model, or the first request fails.
        """
        # the very first goes alone: a wrong address is then told once, not after the retries of all
        first = [] if self._works or not queries else [self._one(queries[0])]
        if first and first[0].error is not None:
            raise ConfigError(f"The endpoint {self._url} does not answer: {first[0].error}")
        self._works = True
        pool = ThreadPoolExecutor(self._settings.concurrency)
        try:
            return [*first, *pool.map(self._one, queries[len(first) :])]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, query: Query) -> Completion:
        errors = self._openai
        try:
            answer = self._request(query)
        except (errors.AuthenticationError, errors.PermissionDeniedError) as error:
            raise ConfigError(
                f"The endpoint {self._url} refuses the key; set OPENAI_API_KEY. {_short(error)}"
            ) from error
        except errors.NotFoundError as error:
            raise ConfigError(
                f"The endpoint {self._url} knows no model {self._model!r} (or the URL lacks /v1). {_short(error)}"
            ) from error
        except errors.OpenAIError as error:
            return Completion(error=_short(error))
        if not answer.choices:
            return Completion(error="The endpoint's answer has no choices.")
        choice = answer.choices[0]
        text = choice.message.content or ""
        length = answer.usage.completion_tokens if answer.usage is not None else len(text.split())
        return Completion(text, length, finished=choice.finish_reason != "length")

    def _request(self, query: Query) -> Any:
        try:
            return self._send(query)
        except self._openai.BadRequestError as error:
            # newer models of OpenAI renamed the limit; most other servers know the old name alone
            if self._limit_name == "max_completion_tokens" or "max_completion_tokens" not in str(error):
                raise
            self._limit_name = "max_completion_tokens"
            return self._send(query)

    def _send(self, query: Query) -> Any:
        return self._client.chat.completions.create(
            model=self._model,
            messages=[_as_chat(message) for message in query.messages],  # type: ignore[misc]
            temperature=self._settings.temperature,
            seed=query.seed,
            extra_body={self._limit_name: self._settings.max_tokens},
        )


def _as_chat(message: Message) -> Message:
    # the role "tool" belongs to the protocol's own tool calls; a server refuses it outside of them
    return {**message, "role": "user"} if message["role"] == "tool" else message


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
