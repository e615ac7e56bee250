"""What is common to all judges: cache, budget, and one judge for one configuration."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from rlvr_gym.errors import ConfigError
from rlvr_gym.judges.budget import Budget
from rlvr_gym.judges.cache import ScoreCache
from rlvr_gym.judges.questions import Question

__all__ = ["Judge", "JudgeSettings", "get_judge"]


@dataclass(frozen=True)
class JudgeSettings:
    """Who is asked, and how.

    Attributes:
        model: ``openai:URL#MODEL`` for any OpenAI-compatible endpoint; or a model that runs here: ``smollm2``,
            ``hf:PATH`` (a Hugging Face folder or name), ``ckpt:DIR``.
        cache: a file that keeps what was said, for all runs; "" for this process only.
        max_calls: most requests; 0 for any number.
        max_tokens: no request once so many tokens have gone to and fro; 0 for any number.
        concurrency: most requests at one time.
        retries: of a request, after the first try, with exponential backoff.
        timeout: seconds for one request.
        probabilities: ask for the probability of "yes"; else for the word alone, for endpoints that tell no more.
    """

    model: str = "smollm2"
    cache: str = ""
    max_calls: int = 0
    max_tokens: int = 0
    concurrency: int = 8
    retries: int = 4
    timeout: float = 60.0
    probabilities: bool = True

    def __post_init__(self) -> None:
        if (
            min(self.max_calls, self.max_tokens, self.retries) < 0
            or self.concurrency < 1
            or self.timeout <= 0
        ):
            raise ConfigError(
                "A judge needs max_calls, max_tokens and retries of at least 0, concurrency of at least 1 and a timeout "
                f"above 0; got {self}."
            )


class Judge(ABC):
    """Answers questions with the probability of "yes".

    Attributes:
        settings: what it was made from.
        budget: what it has cost.
        failures: questions that it could not answer so far.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self.settings = settings
        self.budget = Budget(settings.max_calls, settings.max_tokens)
        self.failures = 0
        self._cache = ScoreCache(settings.cache)

    def ask(self, questions: Sequence[Question]) -> list[float]:
        """The probability of "yes" for each question, in [0, 1]; nan where the judge could not be asked.

        Equal questions are asked once, and known ones not at all.

        Raises:
            ConfigError: if the judge cannot be used at all.
        """
        keys = [self._key(question) for question in questions]
        known = self._cache.get(keys)
        new = {key: q for key, q in zip(keys, questions, strict=True) if key not in known}
        answers = dict(zip(new, self._answer(list(new.values())), strict=True)) if new else {}
        said = {key: score for key, score in answers.items() if not math.isnan(score)}
        self.failures += len(answers) - len(said)
        self._cache.put(said)
        return [known.get(key, answers.get(key, math.nan)) for key in keys]

    def _key(self, question: Question) -> str:
        content = [self.settings.model, self.settings.probabilities, question.system, question.user]
        text = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=16).hexdigest()

    @abstractmethod
    def _answer(self, questions: list[Question]) -> list[float]:
        """The probabilities for new questions; nan where there is none."""

    def close(self) -> None:
        """Closes the cache."""
        self._cache.close()


@lru_cache(maxsize=8)
def get_judge(settings: JudgeSettings) -> Judge:
    """The judge of these settings; the same one, with the same budget, whenever they are given.

    Raises:
        ConfigError: if there is no such judge.
        MissingExtraError: if a package is missing.
    """
    if settings.model.startswith("openai:"):
        from rlvr_gym.judges.endpoint import EndpointJudge

        return EndpointJudge(settings)
    if settings.model == "smollm2" or settings.model.startswith(("hf:", "ckpt:")):
        from rlvr_gym.judges.local import LocalJudge

        return LocalJudge(settings)
    raise ConfigError(
        f"The model of a judge is openai:URL#MODEL, smollm2, hf:PATH or ckpt:DIR; got {settings.model!r}."
    )
