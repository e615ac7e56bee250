"""Who may come in: checked before anything of a request but its headers is looked at."""

from __future__ import annotations

import base64
import hashlib
import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rlvr_gym.serve.metrics import Metrics
from rlvr_gym.serve.refusals import Code, Refusal

__all__ = ["Gate", "refuse"]

OPEN_PATHS = frozenset({"/health"})


def refuse(refusal: Refusal) -> JSONResponse:
    """A refusal as a response."""
    headers = {"www-authenticate": "Bearer"} if refusal.code is Code.UNAUTHORIZED else None
    return JSONResponse({"error": refusal.to_dict()}, refusal.status, headers)


class Gate:
    """ASGI middleware that asks for the API key, and keeps web pages out.

    A page in somebody's browser may open WebSockets to this machine and post to it; browsers then send ``Origin``, and
    programs do not.

    Args:
        app: what is behind it.
        key: the API key; None for none.
        metrics: where refusals are counted.
    """

    def __init__(self, app: ASGIApp, key: str | None, metrics: Metrics) -> None:
        self._app = app
        self._key = None if key is None else _digest(key.encode())
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request pass, or answers it."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        self._metrics.refused(refusal)
        if scope["type"] == "websocket":
            await receive()  # the handshake, which is answered by an HTTP response
        await refuse(refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if "origin" in headers:
            return Refusal(Code.FORBIDDEN_ORIGIN, "Web pages may not use this server.")
        if self._key is None or scope["path"] in OPEN_PATHS:
            return None
        given = _digest(_shown_key(headers))
        if not hmac.compare_digest(given, self._key):
            return Refusal(Code.UNAUTHORIZED, "The API key is missing or wrong.")
        return None


def _digest(key: bytes) -> bytes:
    """All of one length, so that comparing takes the same time for any."""
    return hashlib.sha256(key).digest()


def _shown_key(headers: Headers) -> bytes:
    """The key of ``Authorization: Bearer KEY`` or ``Basic base64(anything:KEY)``, or of ``X-API-Key: KEY``."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip().encode()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except ValueError:
            return b""
    return headers.get("x-api-key", "").encode()
