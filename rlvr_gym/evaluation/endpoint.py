"""Any OpenAI-compatible endpoint: requests side by side, tried again with backoff, failures kept apart from wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rlvr_gym.episode import Message
from rlvr_gym.errors import ConfigError, MissingExtraError, describe
from rlvr_gym.evaluation.model import Completion, ModelSettings, Query, StreamingModel, Usage
from rlvr_gym.evaluation.retrying import LONGEST_WAIT, RETRIED_STATUSES, Backoff, Window, retry_after

__all__ = ["Endpoint", "read_answer"]

_log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 2**20
FIRST_REFUSALS = 3
"""So many requests are refused before the first answer: then it is not the requests that are at fault."""
FIRST_TRIES = 3
"""Of a request that finds nobody, before the first answer: the address may be wrong."""
MOST_LOST = 20
"""So many requests in a row lose their connection in all their tries: then the server is gone."""


class Endpoint(StreamingModel):
    """Chat completions of a server that speaks OpenAI's HTTP interface.

    Tried again, with exponential backoff and jitter and never earlier than Retry-After says: 408, 409, 425, 429 and
    5xx, lost connections, answers that do not come in time, and answers that are none. What fails even so, or is
    refused, is a completion with an error. Until the first answer has come, requests go out one by one, so that a
    wrong address is told once and soon. When requests run out of time, half as many are on their way from then on.

    Args:
        url: the base, such as ``http://127.0.0.1:8000/v1``.
        model: the model's name there.
        settings: sampling, concurrency, time limits, retries.
        backoff: waits between tries.

    Raises:
        MissingExtraError: without the package ``httpx``.
    """

    def __init__(self, url: str, model: str, settings: ModelSettings, backoff: Backoff | None = None) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "eval", "Evaluating an endpoint") from error
        self._httpx: Any = httpx
        self._url, self._model, self._settings = url.rstrip("/"), model, settings
        self._backoff = backoff or Backoff()
        self.concurrency = settings.concurrency
        # without the address: a server that was started again on another port goes on where it stood
        self.identity = f"openai:{model} {json.dumps(settings.sampling, sort_keys=True)}"
        self._rng = np.random.default_rng()  # of waits alone
        self._limit_name = "max_tokens"
        self._works, self._refusals, self._lost = False, 0, 0
        self._quiet_until = 0.0

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

    async def __aenter__(self) -> Endpoint:
        """Opens the connections; they belong to the running event loop.

        Raises:
            ConfigError: if the key cannot be one.
        """
        httpx, most = self._httpx, self._settings.concurrency
        # a local server wants no key, and ignores one
        key = os.environ.get(self._settings.key_env, "").strip() or "none"
        if not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"The key in {self._settings.key_env} has characters that no key has; set it anew."
            )
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"},
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
            timeout=httpx.Timeout(self._settings.timeout),
        )
        self._first = asyncio.Lock()
        self._window = Window(self.concurrency)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def ask(self, query: Query) -> Completion:
        """One request, with its retries.

        Raises:
            ConfigError: if the endpoint refuses the key or the model, does not answer, or has gone away.
        """
        async with self._first:
            if not self._works:
                return await self._begin(query)
        completion, lost = await self._attempt(query)
        self._lost = self._lost + 1 if lost else 0
        if self._lost >= MOST_LOST:
            raise ConfigError(
                f"The endpoint {self._url} has gone away ({completion.error}); what is paid is kept: start the same "
                "command again when it is back."
            )
        return completion

    async def _begin(self, query: Query) -> Completion:
        """Before the first answer has come."""
        completion, lost = await self._attempt(query)
        refused = completion.error is not None
        self._works = not refused or (self.has_answered and not lost)
        self._refusals += refused
        if not self._works and (self._refusals >= FIRST_REFUSALS or completion.tries > 1):
            raise ConfigError(
                f"The endpoint {self._url} does not answer ({completion.error}); check the address, and that the server "
                "runs."
            )
        return completion

    async def _attempt(self, query: Query) -> tuple[Completion, bool]:
        """The completion, and whether all that failed is the connection."""
        most = 1 + self._settings.retries
        failure = _Failure("never asked")
        for number in range(1, most + 1):
            await self._keep_quiet()
            try:
                status, headers, body = await self._post(query)
            except TimeoutError:
                failure = _Failure(f"no answer within {self._settings.timeout:g} s", lost=True)
            except (self._httpx.HTTPError, self._httpx.InvalidURL, ValueError) as error:
                failure = _Failure(_short(error), lost=True)
            else:
                completion, failure = self._read(status, headers, body, number)
                if completion is not None:
                    return completion, False
            if (
                number == most
                or failure.final
                or (failure.lost and not self._works and number == FIRST_TRIES)
            ):
                break
            if failure.asked is not None and failure.asked > 1:
                self._quiet_until = max(self._quiet_until, time.monotonic() + failure.asked)
            await asyncio.sleep(self._backoff.wait(number, self._rng, failure.asked))
        return Completion(error=failure.text, tries=number), failure.lost

    def _read(
        self, status: int, headers: Any, body: bytes, number: int
    ) -> tuple[Completion | None, _Failure]:
        """The completion, or why there is none."""
        if status != 200:
            return None, self._refused(status, headers, body)
        completion = read_answer(body, number)
        if completion.error is None:
            return completion, _Failure("")
        return None, _Failure(completion.error)

    async def _keep_quiet(self) -> None:
        """A server that asks to wait is left alone by all requests, not only by the one that was told."""
        while (left := self._quiet_until - time.monotonic()) > 0:
            await asyncio.sleep(left + float(self._rng.uniform(0, 0.2)))

    async def _post(self, query: Query) -> tuple[int, Any, bytes]:
        """Status, headers and body; the whole exchange within the time limit, also if bytes drip in one by one.

        Raises:
            TimeoutError: if it does not end in time; then fewer requests are on their way from now on.
        """
        for _ in range(2):
            limit_name = self._limit_name
            status, headers, body = await self._within_limits(self._request(query, limit_name))
            # newer models of OpenAI renamed the limit; most other servers know the old name alone
            if status != 400 or b"max_completion_tokens" not in body or limit_name == "max_completion_tokens":
                break
            self._limit_name = "max_completion_tokens"
        return status, headers, body

    async def _within_limits(self, request: dict[str, Any]) -> tuple[int, Any, bytes]:
        async with self._window.place() as size:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    return await self._send(request)
            except (TimeoutError, self._httpx.TimeoutException) as error:
                if self._works and self._window.narrow(size):
                    self.concurrency = self._window.size
                    _log.warning(
                        "Of %d requests at a time some got no answer within %g s; from now on %d at a time. "
                        "(--concurrency and --timeout set both.)",
                        size,
                        self._settings.timeout,
                        self._window.size,
                    )
                raise TimeoutError from error

    async def _send(self, request: dict[str, Any]) -> tuple[int, Any, bytes]:
        content = json.dumps(request).encode()
        headers = {"Content-Type": "application/json"}
        url = f"{self._url}/chat/completions"
        async with self._client.stream("POST", url, content=content, headers=headers) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    raise ValueError(f"the answer has more than {MAX_ANSWER_BYTES:,} bytes")
            return answer.status_code, answer.headers, bytes(body)

    def _request(self, query: Query, limit_name: str) -> dict[str, Any]:
        sampling = dict(self._settings.sampling)
        limit = sampling.pop("max_tokens")
        return {
            **sampling,
            "model": self._model,
            "messages": [_as_chat(message) for message in query.messages],
            "seed": query.seed,
            limit_name: limit,
        }

    def _refused(self, status: int, headers: Any, body: bytes) -> _Failure:
        """What a status other than 200 means.

        Raises:
            ConfigError: if no other request will fare better.
        """
        said = f"{status} {_said(body)}".strip()
        if status in (401, 403):
            raise ConfigError(
                f"The endpoint {self._url} refuses the key; set {self._settings.key_env}. It says: {said}"
            )
        if status == 404:
            raise ConfigError(
                f"The endpoint {self._url} knows no model {self._model!r} (or the URL lacks /v1). It says: {said}"
            )
        if status == 429 and b"insufficient_quota" in body:
            raise ConfigError(
                f"The account at {self._url} has no credit left; what is paid is kept: start the same command again. "
                f"It says: {said}"
            )
        if status not in RETRIED_STATUSES:
            return _Failure(said, final=True)
        asked = retry_after(headers)
        if asked is not None and asked > LONGEST_WAIT:
            return _Failure(f"{said} (asks to wait for {asked:,.0f} s)", final=True)
        return _Failure(said, asked=asked)


class _Failure:
    """Why a try failed, whether another one makes sense (``final`` if not), and how long to wait before it."""

    def __init__(
        self, text: str, *, final: bool = False, asked: float | None = None, lost: bool = False
    ) -> None:
        self.text, self.final, self.asked, self.lost = text, final, asked, lost


def read_answer(body: bytes, tries: int = 1) -> Completion:
    """The completion in the body of an answer with status 200; its error says what is wrong, if something is.

    Without ``usage`` the length is a count of words, and nobody knows what was paid.
    """
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        text = choice["message"].get("content") or ""
        reason = choice.get("finish_reason") or "unknown"
        if not isinstance(text, str) or not isinstance(reason, str):
            raise TypeError("its text is none")
        usage = _usage(answer.get("usage"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        shown = body[:80].decode("utf-8", "replace")
        return Completion(
            error=f"The answer is no chat completion ({describe(error, 80)}): {shown!r}", tries=tries
        )
    # some servers name the limit as other interfaces do
    reason = "length" if reason in ("max_tokens", "MAX_TOKENS") else reason
    length = usage.output if usage is not None else len(text.split())
    return Completion(text, length, reason, usage, tries=tries)


def _usage(given: Any) -> Usage | None:
    if not isinstance(given, dict):
        return None
    read, written = given.get("prompt_tokens"), given.get("completion_tokens")
    if not (isinstance(read, int) and isinstance(written, int) and min(read, written) >= 0):
        return None
    return Usage(read, written)


def _as_chat(message: Message) -> Message:
    # the role "tool" belongs to the protocol's own tool calls; a server refuses it outside of them
    return {**message, "role": "user"} if message["role"] == "tool" else message


def _said(body: bytes) -> str:
    """The message in the body of an error, or its beginning."""
    try:
        error = json.loads(body)["error"]
        text = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError, RecursionError):
        text = body[:300].decode("utf-8", "replace")
    return " ".join(str(text).split())[:300]


def _short(error: BaseException) -> str:
    return " ".join(describe(error, 300).split()).rstrip(": ")
