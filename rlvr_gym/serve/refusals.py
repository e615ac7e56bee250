"""What a server says when it does not do what it is asked: a code, a sentence, and how to mend it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from rlvr_gym.errors import RLVRError

__all__ = ["Code", "Refusal"]


class Code(StrEnum):
    """Why; those that OpenEnv's own server has mean the same here."""

    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN_ORIGIN = "FORBIDDEN_ORIGIN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    TOO_LARGE = "TOO_LARGE"
    TOO_SLOW = "TOO_SLOW"
    INVALID_JSON = "INVALID_JSON"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    CAPACITY_REACHED = "CAPACITY_REACHED"
    SESSION_UNKNOWN = "SESSION_UNKNOWN"
    SESSION_BUSY = "SESSION_BUSY"
    NOT_RESET = "NOT_RESET"
    EPISODE_OVER = "EPISODE_OVER"
    EPISODE_TOO_LARGE = "EPISODE_TOO_LARGE"
    NOTHING_TO_RETRY = "NOTHING_TO_RETRY"
    STEP_TIMEOUT = "STEP_TIMEOUT"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    EXECUTION_ERROR = "EXECUTION_ERROR"


_STATUS_AND_HINT = {
    Code.UNAUTHORIZED: (
        401,
        "Send the header 'Authorization: Bearer KEY', or put the key into the URL: ws://key:KEY@host:port.",
    ),
    Code.FORBIDDEN_ORIGIN: (403, "Call the server from a program, or through a proxy that removes Origin."),
    Code.NOT_FOUND: (
        404,
        "There are /reset, /step, /state, /close, /schema, /metadata, /health, /metrics, /ws.",
    ),
    Code.METHOD_NOT_ALLOWED: (405, "/reset, /step and /close take POST, /ws a WebSocket, all others GET."),
    Code.TOO_LARGE: (413, "Send less, or start the server with a larger --max-bytes."),
    Code.TOO_SLOW: (408, "Send the whole request at once."),
    Code.INVALID_JSON: (400, "Send one JSON object, in UTF-8."),
    Code.VALIDATION_ERROR: (422, "GET /schema tells the form."),
    Code.UNKNOWN_TYPE: (422, "Send a message of the type reset, step, state or close."),
    Code.CAPACITY_REACHED: (503, "Try again later, close sessions, or start the server with --max-sessions."),
    Code.SESSION_UNKNOWN: (
        404,
        "POST /reset opens a session; send its session_id with /step, /state, /close.",
    ),
    Code.SESSION_BUSY: (409, "Wait for the answer to the request before."),
    Code.NOT_RESET: (409, "Send reset before step."),
    Code.EPISODE_OVER: (409, "Send reset before the next step."),
    Code.EPISODE_TOO_LARGE: (413, "Send reset, and then shorter messages."),
    Code.NOTHING_TO_RETRY: (409, "Only a step whose answer says retriable can be tried again."),
    Code.STEP_TIMEOUT: (504, "The session is closed; open another one."),
    Code.SHUTTING_DOWN: (503, "Connect again when the server is back."),
    Code.EXECUTION_ERROR: (
        500,
        "Send reset; if it comes again, whoever runs the server finds it in the log.",
    ),
}
_RETRIABLE = {Code.TOO_SLOW, Code.CAPACITY_REACHED, Code.SESSION_BUSY, Code.SHUTTING_DOWN}


class Refusal(RLVRError):
    """A request that is not carried out.

    Args:
        code: why.
        message: one sentence for people; it never holds anything that the client must not know.
        **facts: JSON numbers that go with it.
    """

    def __init__(self, code: Code, message: str, **facts: int) -> None:
        super().__init__(message)
        self.code = code
        self.status, self.hint = _STATUS_AND_HINT[code]
        self.facts = facts

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``code, message, hint, retriable`` and the facts."""
        return {
            "code": str(self.code),
            "message": str(self),
            "hint": self.hint,
            "retriable": self.code in _RETRIABLE,
            **self.facts,
        }
