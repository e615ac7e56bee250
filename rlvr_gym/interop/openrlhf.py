"""OpenRLHF (github.com/OpenRLHF/OpenRLHF, 0.11): rewards over HTTP.

    rlvr-gym export --format openrlhf Countdown -n 10000 -o train.jsonl
    python -m rlvr_gym.interop.openrlhf Countdown --port 5000
    ... --reward.remote_url http://127.0.0.1:5000/get_reward --data.input_key messages --data.label_key label

The trainer posts ``{"query": [...], "prompts": [...], "labels": [...]}``, where a query is a prompt and its completion
with special tokens and all, and takes ``{"rewards": [...], "scores": [...], "extra_logs": {...}}``. What fails gets an
HTTP error, upon which it asks again, and in the end leaves the sample without a reward.

A server judges for one environment: what clients send chooses neither environment nor settings nor reward.
"""

from __future__ import annotations

import json
from typing import Any

from rlvr_gym.errors import DataError, MissingExtraError, RLVRError
from rlvr_gym.executor import Executor
from rlvr_gym.interop.labels import (
    EnvLike,
    RewardLike,
    RewardSpec,
    examples,
    read_label,
    single_completions_only,
)
from rlvr_gym.interop.scoring import Scored, Scorer, VerificationFailedError, or_else

__all__ = ["END_TOKENS", "completion_of", "reward_app", "serve", "to_rows"]

MAX_BODY_BYTES = 64 * 2**20
MAX_ITEMS = 4096
END_TOKENS = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|end|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
    "<｜end▁of▁sentence｜>",
    "<pad>",
)
"""Special tokens that models end with; they are no part of a completion."""


def to_rows(
    env: EnvLike,
    n: int,
    seed: int = 0,
    *,
    start: int = 0,
    system_prompt: str = "plain",
    reward: RewardLike | None = None,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Rows for OpenRLHF: ``messages``, ``label`` and ``datasource``; arguments as of :func:`rlvr_gym.interop.examples`.

    Raises:
        ConfigError: if the environment has several turns, or the reward design compares a group's attempts.
    """
    spec = RewardSpec.of(env, reward=reward, **settings)
    single_completions_only(spec, "OpenRLHF")
    return [
        {"messages": example.messages, "label": example.label, "datasource": spec.env}
        for example in examples(spec, n, seed, start=start, system_prompt=system_prompt)
    ]


def completion_of(query: str, prompt: str, end_tokens: tuple[str, ...] = END_TOKENS) -> str:
    """What the model wrote: the query without the prompt and without the special tokens at its end.

    Raises:
        DataError: if the query does not begin with the prompt, as when a prompt was cut.
    """
    if not query.startswith(prompt):
        raise DataError(
            "A query begins with its prompt, and this one does not; it was cut, or decoded otherwise: raise the "
            f"trainer's max_len. Query {query[:80]!r}, prompt {prompt[:80]!r}."
        )
    start, end = len(prompt), len(query)
    while True:  # linear in the text: nothing is copied before the end
        words_end = end
        while words_end > start and query[words_end - 1].isspace():
            words_end -= 1
        token = next((t for t in end_tokens if query.endswith(t, start, words_end)), None)
        if token is None:
            return query[start:end]
        end = words_end - len(token)


def reward_app(
    env: EnvLike,
    *,
    reward: RewardLike | None = None,
    executor: str | Executor = "process",
    timeout: float = 10.0,
    invalid_score: float | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_items: int = MAX_ITEMS,
    end_tokens: tuple[str, ...] = END_TOKENS,
    **settings: Any,
) -> Any:
    """The server, a FastAPI application with ``POST /get_reward`` and ``GET /health``.

    Args:
        env: the environment; labels of another one are refused.
        reward: the design; None for that of ``env``.
        executor: where verification runs; by default in processes that are killed if they hang.
        timeout: seconds for one verification.
        invalid_score: for samples whose verification failed; None answers 503, so that the trainer asks again.
        max_body_bytes: larger requests are answered by 413, however their length is told.
        max_items: most queries in a request; more are answered by 413.
        end_tokens: special tokens that are taken off a completion's end.
        **settings: the problem's fields.

    Raises:
        MissingExtraError: if FastAPI is not installed.
        ConfigError: if the environment cannot be scored from single completions.
    """
    try:
        from fastapi import FastAPI
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse
        from starlette.routing import Route
    except ImportError as error:
        raise MissingExtraError("fastapi", "serve", "The reward server for OpenRLHF") from error
    spec = RewardSpec.of(env, reward=reward, **settings)
    single_completions_only(spec, "OpenRLHF")
    judge = _Judge(spec, Scorer(executor, timeout), invalid_score, max_items, end_tokens)
    app = FastAPI(title=f"rlvr-gym rewards: {spec.env}", docs_url=None, redoc_url=None, openapi_url=None)

    def refuse(status: int, message: str) -> JSONResponse:
        return JSONResponse({"error": message}, status_code=status)

    async def health(request: Any) -> JSONResponse:
        return JSONResponse({"status": "ok", "env": spec.env})

    async def get_reward(request: Any) -> JSONResponse:
        body = bytearray()
        async for chunk in request.stream():  # counted as it comes: a told length may be a lie
            body += chunk
            if len(body) > max_body_bytes:
                return refuse(413, f"A request may have {max_body_bytes} bytes.")
        try:
            return JSONResponse(await run_in_threadpool(judge, bytes(body)))
        except VerificationFailedError as error:
            return refuse(503, str(error))
        except _TooMany as error:
            return refuse(413, str(error))
        except RLVRError as error:
            return refuse(422, str(error))

    app.router.routes.append(Route("/health", health, methods=["GET"]))
    app.router.routes.append(Route("/get_reward", get_reward, methods=["POST"]))
    return app


class _TooMany(RLVRError):
    pass


class _Judge:
    """A request's body to a response's."""

    def __init__(
        self,
        spec: RewardSpec,
        scorer: Scorer,
        invalid_score: float | None,
        max_items: int,
        end_tokens: tuple[str, ...],
    ) -> None:
        self._spec, self._scorer, self._invalid_score = spec, scorer, invalid_score
        self._max_items, self._end_tokens = max_items, end_tokens

    def __call__(self, body: bytes) -> dict[str, Any]:
        queries, prompts, labels = self._read(body)
        completions = [completion_of(*pair, self._end_tokens) for pair in zip(queries, prompts, strict=True)]
        scored = self._scorer(labels, completions)
        rewards = [self._number(one) for one in scored]
        return {
            "rewards": rewards,
            "scores": [one.verdict.score for one in scored],
            "extra_logs": {
                "correct": [float(one.verdict.correct) for one in scored],
                "valid": [float(one.total is not None) for one in scored],
            },
        }

    def _number(self, scored: Scored) -> float:
        return or_else(scored, self._invalid_score, "Ask again, or start the server with an invalid_score.")

    def _read(self, body: bytes) -> tuple[list[str], list[str], list[str]]:
        try:
            row = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise DataError(f"A request is JSON; this is not: {str(error)[:200]}.") from error
        lists = [row.get(name) for name in ("query", "prompts", "labels")] if isinstance(row, dict) else []
        texts = [
            value for value in lists if isinstance(value, list) and all(isinstance(t, str) for t in value)
        ]
        if len(texts) != 3 or len({len(value) for value in texts}) != 1:
            raise DataError(
                'A request has "query", "prompts" and "labels": lists of texts, all of one length.'
            )
        if len(texts[0]) > self._max_items:
            raise _TooMany(f"A request may have {self._max_items} queries; got {len(texts[0])}.")
        for label in texts[2]:
            spec, _ = read_label(label)
            if spec.to_json() != self._spec.to_json():
                raise DataError(
                    f"This server judges {self._spec.to_json()[:300]}, and the label is of {spec.to_json()[:300]}; "
                    "start it with the settings and the reward of the export."
                )
        return texts[0], texts[1], texts[2]


def serve(env: EnvLike, *, host: str = "127.0.0.1", port: int = 5000, **options: Any) -> None:
    """Serves rewards until it is stopped; ``options`` are those of :func:`reward_app`.

    Raises:
        MissingExtraError: if uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("uvicorn", "serve", "The reward server for OpenRLHF") from error
    uvicorn.run(reward_app(env, **options), host=host, port=port, log_level="warning")


def main() -> None:
    """``python -m rlvr_gym.interop.openrlhf ENV``."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m rlvr_gym.interop.openrlhf", description="Rewards over HTTP."
    )
    parser.add_argument("env")
    parser.add_argument("--settings", type=json.loads, default={}, help="the problem's fields as JSON")
    parser.add_argument("--reward", default="binary", help="a reward design")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args()
    serve(options.env, host=options.host, port=options.port, reward=options.reward, **options.settings)


if __name__ == "__main__":
    main()
