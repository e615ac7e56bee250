"""The JSON that clients send and get: OpenEnv's contract (openenv-core 0.2), filled with what our environments say.

A client's ``reset`` may hold ``seed``, ``index`` and ``episode_id``; its action is ``{"message": text}``, or
``{"retry": true}`` after a verification that failed. What it gets is ``{"observation", "reward", "done"}``.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rlvr_gym.serve.refusals import Code, Refusal
from rlvr_gym.task import SEED_LIMIT

__all__ = [
    "Action",
    "CloseBody",
    "Envelope",
    "Observation",
    "Outcome",
    "ResetBody",
    "ResetData",
    "Said",
    "State",
    "StepBody",
    "VerdictShown",
    "read",
]

Name = Annotated[str, Field(max_length=255)]
Word = Annotated[int, Field(ge=0, lt=SEED_LIMIT)]


class _Received(BaseModel):
    """From a client: nothing is converted, and nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Envelope(_Received):
    """A WebSocket message."""

    type: str
    data: dict[str, Any] = {}


class ResetData(_Received):
    """What an episode is about."""

    seed: Word | None = Field(
        None, description="A stream of tasks; without it the next task of the last stream."
    )
    index: Word | None = Field(default=None, description="The task's place in the stream.")
    episode_id: Name | None = Field(default=None, description="A name of your own.")


class ResetBody(ResetData):
    """The body of ``POST /reset``."""

    session_id: Name | None = Field(default=None, description="A session that is open; without it a new one.")


class Action(_Received):
    """What the policy says, or the wish to have it verified again."""

    message: str | None = Field(default=None, description="The policy's completion.")
    retry: bool = Field(
        default=False, description="Verify the last message again, after an answer with retriable."
    )
    metadata: dict[str, Any] = Field(default={}, description="Of OpenEnv's typed clients; not looked at.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Action:
        if (self.message is None) != self.retry:
            raise ValueError('an action has either "message", a text, or "retry": true')
        return self


class StepBody(_Received):
    """The body of ``POST /step``."""

    action: Action
    session_id: Name = Field(description="The session that /reset gave.")
    request_id: Name | None = Field(
        default=None, description="A name for this step: the same step sent again gets the same answer."
    )
    timeout_s: float | None = Field(
        None, gt=0, description="Part of the contract; the server's own limit holds."
    )


class CloseBody(_Received):
    """The body of ``POST /close``."""

    session_id: Name


class Said(BaseModel):
    """One message of the environment."""

    role: str
    content: str


class VerdictShown(BaseModel):
    """A verdict without its details, which may tell the reference answer."""

    valid: bool = Field(description="False if verification itself failed: there is no reward, and none is 0.")
    correct: bool | None = Field(description="Whether the task is solved; null if not valid.")
    score: float | None = Field(description="From 0 to 1; null if not valid.")
    reason: str


class Observation(BaseModel):
    """What the environment says, and, when the episode has ended, how it ended."""

    text: str = Field(description="What the environment says now.")
    messages: list[Said] = Field(description="The same, message by message.")
    task_id: str
    turn: int = Field(description="Actions so far.")
    truncated: bool = Field(default=False, description="Whether the turns ran out.")
    verdict: VerdictShown | None = None
    reward_terms: dict[str, float | None] = {}
    metrics: dict[str, float | None] = {}
    retriable: bool = Field(
        default=False, description='Whether the action {"retry": true} verifies once more.'
    )
    session_id: str | None = Field(
        default=None, description="Over HTTP: send it with /step, /state and /close."
    )


class Outcome(BaseModel):
    """The answer to a reset or a step."""

    observation: Observation
    reward: float | None = None
    done: bool = False


class State(BaseModel):
    """Where a session stands."""

    episode_id: str | None = None
    step_count: int = 0
    task_id: str | None = None
    done: bool = False
    max_turns: int | None = None


_M = TypeVar("_M", bound=BaseModel)


def read(model: type[_M], given: bytes | str | dict[str, Any]) -> _M:
    """A message of this form.

    Raises:
        Refusal: ``INVALID_JSON`` or ``VALIDATION_ERROR``, with the first thing that is wrong.
    """
    try:
        if isinstance(given, dict):
            return model.model_validate(given)
        return model.model_validate_json(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))[:100]
        message = f"{place + ': ' if place else ''}{first['msg']}"[:300]
        code = Code.INVALID_JSON if first["type"] == "json_invalid" else Code.VALIDATION_ERROR
        raise Refusal(code, f"{message.rstrip('.')}.") from None
