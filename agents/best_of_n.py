"""Best-of-n cloning: sample n completions of each task, keep right ones, and learn them (expert iteration: again and again).

Which right ones are kept is a choice: the first, the shortest (shortest rejection sampling, Kimi k1.5 2501.12599),
or all that differ. Attempts are plain data that goes to disk, so that other policies, and other methods such as DPO, can learn
from them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rlvr_gym.agents.play import Trajectory, play
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.sft import Demonstration
from rlvr_gym.agents.tokenizer import Message, Tokenizer
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import DataError
from rlvr_gym.task import Task

__all__ = [
    "Attempt",
    "Keep",
    "read_attempts",
    "retell",
    "sample_attempts",
    "select",
    "write_attempts",
]

Keep = Literal["first", "shortest", "all"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One judged attempt at a task.

    Attributes:
        messages: the conversation, the policy's words in the role ``assistant``.
        tokens: the same as the policy's tokens.
        mask: as long as ``tokens``; True where the policy spoke.
        correct: whether the verdict says so.
        valid: False if verification itself failed.
        finished: whether every completion ended by itself.
    """

    messages: list[dict[str, str]]
    tokens: list[int]
    mask: list[bool]
    correct: bool
    valid: bool
    finished: bool

    @classmethod
    def of(cls, trajectory: Trajectory) -> Attempt:
        """What is worth keeping of a finished episode."""
        verdict = trajectory.verdict
        return cls(
            messages=trajectory.episode.messages,
            tokens=trajectory.tokens,
            mask=trajectory.mask,
            correct=verdict.valid and verdict.correct,
            valid=verdict.valid,
            finished=trajectory.finished and not trajectory.episode.truncated,
        )

    @property
    def length(self) -> int:
        """Tokens that the policy wrote."""
        return sum(self.mask)

    @property
    def right(self) -> bool:
        """Whether it is worth imitating: correct, and brought to its end."""
        return self.correct and self.finished

    @property
    def words(self) -> tuple[str, ...]:
        """What the policy said, turn by turn."""
        return tuple(message["content"] for message in self.messages if message["role"] == "assistant")

    def demonstration(self) -> Demonstration:
        """The attempt as it was sampled, to be learnt."""
        return Demonstration(self.tokens, self.mask)


def sample_attempts(
    engine: RolloutEngine,
    settings: EnvSettings,
    tasks: Sequence[Task],
    params: SamplingParams,
    samples: int,
    *,
    seed: int,
) -> list[list[Attempt]]:
    """``samples`` judged attempts at each task.

    Args:
        engine: samples completions.
        settings: the environment, whose verifier judges.
        tasks: what to solve.
        params: how to sample.
        samples: attempts at each task.
        seed: of the random streams.
    """
    trajectories = play(
        engine,
        [settings.begin(task) for task in tasks for _ in range(samples)],
        params,
        settings.verifier,
        seed=seed,
        executor=settings.executor,
        timeout=settings.verify_timeout,
    )
    attempts = [Attempt.of(trajectory) for trajectory in trajectories]
    return [attempts[i : i + samples] for i in range(0, len(attempts), samples)]


def select(groups: Iterable[Sequence[Attempt]], keep: Keep) -> list[Attempt]:
    """The right attempts that are to be imitated.

    Args:
        groups: the attempts at each task.
        keep: of each task the ``first`` right one, the ``shortest`` (the first of them), or ``all`` whose words differ.
    """
    kept: list[Attempt] = []
    for group in groups:
        right = [attempt for attempt in group if attempt.right]
        if keep == "all":
            kept += {attempt.words: attempt for attempt in reversed(right)}.values()
        elif right:
            kept.append(right[0] if keep == "first" else min(right, key=lambda attempt: attempt.length))
    return kept


def retell(messages: Sequence[Message], tokenizer: Tokenizer) -> Demonstration:
    """A conversation in another policy's tokens, to be learnt; the last word is the policy's.

    Raises:
        DataError: if it holds no word of the policy's.
    """
    spoken = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    if not spoken:
        raise DataError(
            "A conversation to learn from needs a message in the role 'assistant'; this one has none."
        )
    tokens = tokenizer.encode_prompt(messages[: spoken[0]])
    mask = [False] * len(tokens)
    for this, following in zip(spoken, [*spoken[1:], None], strict=True):
        said = tokenizer.encode_completion(messages[this]["content"])
        heard = (
            [] if following is None else tokenizer.encode_reply(messages[this + 1 : following], finished=True)
        )
        tokens += said + heard
        mask += [True] * len(said) + [False] * len(heard)
    return Demonstration(tokens, mask)


def write_attempts(path: Path, groups: Iterable[Sequence[Attempt]]) -> None:
    """JSON lines, one a task; the file appears at once or not at all."""
    temporary = path.with_suffix(".partial")
    with temporary.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for group in groups:
            file.write(json.dumps([_row(attempt) for attempt in group]) + "\n")
    os.replace(temporary, path)


def read_attempts(path: Path) -> list[list[Attempt]]:
    """The inverse of :func:`write_attempts`.

    Raises:
        DataError: if the file is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [[_attempt(row) for row in json.loads(line)] for line in lines]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} holds no attempts; delete it to have them sampled anew: {error}") from error


def _row(attempt: Attempt) -> dict[str, Any]:
    return {**asdict(attempt), "mask": [int(sampled) for sampled in attempt.mask]}


def _attempt(row: dict[str, Any]) -> Attempt:
    return Attempt(**{**row, "mask": [bool(sampled) for sampled in row["mask"]]})
