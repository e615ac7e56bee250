"""What an evaluation asks of a model, and the models there are, by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlvr_gym.episode import Episode, Message
from rlvr_gym.errors import ConfigError
from rlvr_gym.prompts import PromptTemplate

__all__ = ["Completion", "Model", "ModelSettings", "Query", "StreamingModel", "Usage", "load_model"]

KINDS = "oracle, random, empty, smollm2, hf:PATH, vllm:PATH, ckpt:DIR, openai:URL#MODEL or a .yaml file"


@dataclass(frozen=True, slots=True)
class Query:
    """One completion that is wanted.

    Attributes:
        messages: the conversation so far; all that an honest model looks at.
        address: ``(seed, task index, sample, turn)``, and in a suite a number of its environment behind them: the
            randomness of this completion and of no other.
        episode: the episode, for baselines that know the answer.
    """

    messages: list[Message]
    address: tuple[int, ...]
    episode: Episode

    @property
    def seed(self) -> int:
        """The address as one number below 2**31."""
        return int(np.random.SeedSequence(self.address).generate_state(1)[0]) >> 1


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as an endpoint bills them.

    Attributes:
        input: of the prompt.
        output: of what was written, reasoning that is not shown included.
    """

    input: int = 0
    output: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input + other.input, self.output + other.output)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote.

    Attributes:
        text: the text.
        length: in the model's unit.
        finish_reason: why it ended: ``"stop"``, ``"length"`` (cut off at the limit), ``"content_filter"``, or what
            else an endpoint says.
        usage: tokens that are paid for; None if nobody counted them.
        error: why there is no completion; such a sample is invalid, not wrong.
        tries: requests that were made for it.
    """

    text: str = ""
    length: int = 0
    finish_reason: str = "stop"
    usage: Usage | None = None
    error: str | None = None
    tries: int = 1

    @property
    def finished(self) -> bool:
        """False if it was cut off at the length limit."""
        return self.finish_reason != "length"


class Model(ABC):
    """A source of completions.

    Attributes:
        unit: what ``Completion.length`` counts.
        wave: how many queries are worth handing over at once.
        identity: tells this model and the way it is sampled from any other; saved answers are found by it.
    """

    unit: str = "tokens"
    wave: int = 256
    identity: str = ""

    @abstractmethod
    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """One completion a query, in order.

        Raises:
            RLVRError: if the model cannot be used at all; what fails for one query alone is in its completion.
        """


class StreamingModel(Model):
    """A model that answers each query on its own, many at a time: an endpoint.

    Used as an asynchronous context manager around its queries; :meth:`complete` does that by itself.

    Attributes:
        concurrency: most queries on their way at one time.
        has_answered: whether it has answered in an earlier run; what it refuses now is then the fault of the query.
    """

    concurrency: int = 1
    has_answered: bool = False

    @abstractmethod
    async def ask(self, query: Query) -> Completion:
        """The completion of one query.

        Raises:
            RLVRError: if the model cannot be used at all; what fails for this query alone is in the completion.
        """

    async def __aenter__(self) -> StreamingModel:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Frees what is held."""

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """One completion a query, in order, at most ``concurrency`` at a time."""
        import asyncio

        async def gather() -> list[Completion]:
            gate = asyncio.Semaphore(self.concurrency)

            async def one(query: Query) -> Completion:
                async with gate:
                    return await self.ask(query)

            async with self:
                return list(await asyncio.gather(*map(one, queries)))

        return asyncio.run(gather())


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How completions are sampled, where a model samples, and how an endpoint is treated.

    Attributes:
        temperature: 0 is greedy.
        top_p: the nucleus that is sampled from; 1 for everything.
        max_tokens: most tokens of one completion (of one turn).
        extra: further fields of an endpoint's request, such as ``{"reasoning_effort": "low"}``.
        concurrency: most requests to an endpoint at one time.
        timeout: seconds for one request to an endpoint, from its beginning to the last byte of the answer.
        retries: further tries of a request that failed.
        key_env: the environment variable that holds an endpoint's key.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    extra: dict[str, Any] = field(default_factory=dict)
    concurrency: int = 16
    timeout: float = 600.0
    retries: int = 5
    key_env: str = "OPENAI_API_KEY"

    @property
    def sampling(self) -> dict[str, Any]:
        """What decides about a completion, and nothing else."""
        plain = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return plain | ({"top_p": self.top_p} if self.top_p != 1 else {}) | self.extra


def load_model(name: str, template: PromptTemplate, settings: ModelSettings) -> Model:
    """The model of this name.

    Args:
        name: ``oracle``, ``random``, ``empty``, ``smollm2``, ``hf:PATH``, ``vllm:PATH``, ``ckpt:DIR`` or
            ``openai:URL#MODEL``.
        template: how the oracle frames its demonstrations.
        settings: sampling.

    Raises:
        RLVRError: if there is no such model, or it cannot be loaded.
    """
    from rlvr_gym.evaluation.baselines import Empty, Oracle, RandomGuess

    if name == "oracle":
        return Oracle(template)
    if name == "random":
        return RandomGuess()
    if name == "empty":
        return Empty()
    if name.startswith("openai:"):
        from rlvr_gym.evaluation.endpoint import Endpoint

        return Endpoint.parse(name.removeprefix("openai:"), settings)
    if name == "smollm2" or name.startswith(("hf:", "vllm:", "ckpt:")):
        from rlvr_gym.evaluation.local import LocalPolicy

        return LocalPolicy(name, settings)
    raise ConfigError(f"There is no model {name!r}; --model takes {KINDS}.")
