"""The ASGI application: routes, WebSocket and gate put together."""

from __future__ import annotations

from fastapi import FastAPI, Request, WebSocket
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from rlvr_gym.registration import EnvEntry
from rlvr_gym.serve.gate import Gate, refuse
from rlvr_gym.serve.refusals import Code, Refusal
from rlvr_gym.serve.routes import add_routes
from rlvr_gym.serve.sessions import Sessions
from rlvr_gym.serve.sockets import attend

__all__ = ["build_app"]

_OF_STATUS = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}


def build_app(sessions: Sessions, entry: EnvEntry) -> ASGIApp:
    """The application that serves ``sessions`` of an environment."""
    app = FastAPI(title=f"rlvr-gym: {entry.id}", docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, sessions, entry)

    @app.websocket("/ws")
    async def websocket(socket: WebSocket) -> None:
        await attend(socket, sessions)

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        sessions.metrics.refused(refusal)
        return refuse(refusal)

    @app.exception_handler(HTTPException)
    async def not_there(request: Request, error: HTTPException) -> Response:
        code = _OF_STATUS.get(error.status_code, Code.VALIDATION_ERROR)
        return await refused(
            request, Refusal(code, f"{request.method[:20]} {request.url.path[:100]}: {error.detail}.")
        )

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        return await refused(request, Refusal(Code.EXECUTION_ERROR, "This is a defect on our side."))

    return Gate(app, sessions.config.api_key, sessions.metrics)
