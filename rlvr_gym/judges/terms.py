"""Reward terms that a model judges: soft scores, thinking and answer, learned rewards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError, MissingExtraError
from rlvr_gym.extraction import strip_thinking, thinking_of
from rlvr_gym.judges.base import JudgeSettings, get_judge
from rlvr_gym.judges.questions import DECOY, MAX_CHARS, Question, quality_question, same_question
from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rewards.text_terms import offered_text, reference_text
from rlvr_gym.rollout import Rollout

__all__ = ["RLMT", "LearnedReward", "SoftScore"]


@dataclass(frozen=True)
class _Judged(JudgeSettings, RewardTerm):
    """A term with a judge; the fields of :class:`rlvr_gym.judges.JudgeSettings` are its parameters."""

    @property
    def label(self) -> str:
        """The name, and who judges: addresses, files and limits say nothing about the value."""
        return f"{self.name}({self.model.rpartition('#')[2]})"

    def _ask(self, questions: Sequence[Question]) -> list[float]:
        values = {field.name: getattr(self, field.name) for field in fields(JudgeSettings)}
        return get_judge(JudgeSettings(**values)).ask(questions)

    def __call__(self, rollout: Rollout) -> float:
        """The value of one rollout."""
        return self.evaluate([rollout])[0]


@register_term("soft_score")
@dataclass(frozen=True)
class SoftScore(_Judged):
    """A judge's probability that the answer says the same as the reference (2503.23829); nan if it cannot be asked.

    Without an answer, with several, or with one of more than 6,000 characters, it is 0 and nobody is asked.

    Attributes:
        decoy: whether the judge is also asked about a reference that nothing is the same as. An answer that convinces
            it of that does so by persuasion: the score is ``p(reference) (1 - p(decoy))``.
    """

    decoy: bool = False

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """In [0, 1], or nan."""
        answers = [offered_text(rollout.completion) for rollout in group]
        judged = [i for i, answer in enumerate(answers) if answer is not None and len(answer) <= MAX_CHARS]
        texts = [(group[i].task.prompt, reference_text(group[i].task), answers[i] or "") for i in judged]
        questions = [same_question(*text) for text in texts]
        decoys = [same_question(prompt, DECOY, answer) for prompt, _, answer in texts] if self.decoy else []
        said = self._ask([*questions, *decoys])
        fooled = said[len(questions) :] or [0.0] * len(questions)
        scores = [0.0] * len(group)
        for i, chance, other in zip(judged, said[: len(questions)], fooled, strict=True):
            scores[i] = chance * (1.0 - other)
        return scores


@register_term("rlmt")
@dataclass(frozen=True)
class RLMT(_Judged):
    """A judge's probability that a response without a reference is good, with the thinking before it (2509.20357).

    Attributes:
        thinking: whether the judge sees the thinking, and grades it too; else the response alone.
    """

    thinking: bool = True

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """In [0, 1], or nan; 0 without a response, and nobody is asked."""
        responses = [strip_thinking(rollout.completion).strip() for rollout in group]
        judged = [i for i, response in enumerate(responses) if response]
        said = self._ask([self._question(group[i], responses[i]) for i in judged])
        scores = [0.0] * len(group)
        for i, chance in zip(judged, said, strict=True):
            scores[i] = chance
        return scores

    def _question(self, rollout: Rollout, response: str) -> Question:
        thought = thinking_of(rollout.completion) if self.thinking else None
        return quality_question(rollout.task.prompt, response, thought)


@register_term("reward_model")
@dataclass(frozen=True)
class LearnedReward(RewardTerm):
    """What a learned reward model says about the completion; nan for one that does not fit its context.

    Attributes:
        path: the folder of the reward model.
        system: the system prompt that it was trained under, if any.
    """

    path: str = ""
    system: str = ""

    @property
    def label(self) -> str:
        """The name, and which model."""
        return f"{self.name}({Path(self.path).name})"

    def __call__(self, rollout: Rollout) -> float:
        """The reward; any number."""
        return self.evaluate([rollout])[0]

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """All at once, or, if one is too long, one by one."""
        model = _reward_model(self.path)
        before = [{"role": "system", "content": self.system}] if self.system else []
        prompts = [[*before, {"role": "user", "content": rollout.task.prompt}] for rollout in group]
        try:
            scores: list[float] = model.score(prompts, [rollout.completion for rollout in group])
        except ConfigError:
            if len(group) == 1:
                return [math.nan]
            return [self(rollout) for rollout in group]
        return scores


@lru_cache(maxsize=4)
def _reward_model(path: str) -> Any:
    if not path or not Path(path).is_dir():
        raise ConfigError(
            f"The term reward_model needs path, the folder of a trained reward model; got {path!r}."
        )
    try:
        from rlvr_gym.agents.policy import resolve_device
        from rlvr_gym.agents.reward_model import RewardModel
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("torch", "train", "A learned reward") from error
    return RewardModel.load(Path(path), resolve_device()).eval()
