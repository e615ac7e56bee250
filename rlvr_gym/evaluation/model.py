"""What an evaluation asks of a model, and the models there are, by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.episode import Episode, Message
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.prompts import PromptTemplate

__all__ = ["Completion", "Model", "ModelSettings", "Query", "load_model"]

KINDS = "oracle, random, smollm2, hf:PATH, ckpt:DIR or openai:URL#MODEL"


@dataclass(frozen=True, slots=True)
class Query:
    """One completion that is wanted.

    Attributes:
        messages: the conversation so far; all that an honest model looks at.
        address: ``(seed, task index, sample, turn)``: the randomness of this completion and of no other.
        episode: the episode, for baselines that know the answer.
    """

    messages: list[Message]
    address: tuple[int, int, int, int]
    episode: Episode

    @property
    def seed(self) -> int:
        """The address as one number below 2**31."""
        return int(np.random.SeedSequence(self.address).generate_state(1)[0]) >> 1


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote.

    Attributes:
        text: the text.
        length: in the model's unit.
        finished: False if it was cut off at the length limit.
        error: why there is no completion; such a sample is invalid, not wrong.
    """

    text: str = ""
    length: int = 0
    finished: bool = True
    error: str | None = None


class Model(ABC):
    """A source of completions.

    Attributes:
        unit: what ``Completion.length`` counts.
        wave: how many queries are worth handing over at once.
    """

    unit: ClassVar[str] = "tokens"
    wave: int = 256

    @abstractmethod
    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """One completion a query, in order.

        Raises:
            RLVRError: if the model cannot be used at all; what fails for one query alone is in its completion.
        """


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How completions are sampled, where a model samples.

    Attributes:
        temperature: 0 is greedy.
        max_tokens: most tokens of one completion (of one turn).
        concurrency: most requests to an endpoint at one time.
        timeout: seconds for one request to an endpoint.
    """

    temperature: float = 1.0
    max_tokens: int = 256
    concurrency: int = 16
    timeout: float = 120.0


def load_model(name: str, problem: Problem, template: PromptTemplate, settings: ModelSettings) -> Model:
    """The model of this name.

    Args:
        name: ``oracle``, ``random``, ``smollm2``, ``hf:PATH``, ``ckpt:DIR`` or ``openai:URL#MODEL``.
        problem: what it will be asked about; the baselines look into it.
        template: how the oracle frames its demonstrations.
        settings: sampling.

    Raises:
        RLVRError: if there is no such model, or it cannot be loaded.
    """
    from rlvr_gym.evaluation.baselines import Oracle, RandomGuess

    if name == "oracle":
        return Oracle(template)
    if name == "random":
        return RandomGuess(problem)
    if name.startswith("openai:"):
        from rlvr_gym.evaluation.endpoint import Endpoint

        return Endpoint.parse(name.removeprefix("openai:"), settings)
    if name == "smollm2" or name.startswith(("hf:", "ckpt:")):
        from rlvr_gym.evaluation.local import LocalPolicy

        return LocalPolicy(name, settings)
    raise ConfigError(f"There is no model {name!r}; --model takes {KINDS}.")
