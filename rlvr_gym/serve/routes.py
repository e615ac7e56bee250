"""OpenEnv's HTTP routes, with sessions: ``POST /reset`` opens one and ``POST /step`` names it."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from rlvr_gym.registration import EnvEntry
from rlvr_gym.serve.messages import (
    Action,
    CloseBody,
    Observation,
    Outcome,
    ResetBody,
    ResetData,
    State,
    StepBody,
    read,
)
from rlvr_gym.serve.metrics import CONTENT_TYPE
from rlvr_gym.serve.refusals import Code, Refusal
from rlvr_gym.serve.sessions import Session, Sessions

__all__ = ["add_routes"]

_M = TypeVar("_M", bound=BaseModel)


def add_routes(app: FastAPI, sessions: Sessions, entry: EnvEntry) -> None:
    """Adds everything but the WebSocket to ``app``."""
    metadata = {
        "name": entry.id,
        "description": entry.summary,
        "readme_content": entry.problem.__doc__,
        "version": version("rlvr-gym"),
        "author": None,
        "documentation_url": None,
    }
    schema = {
        "action": Action.model_json_schema(),
        "observation": Observation.model_json_schema(),
        "state": State.model_json_schema(),
    }

    @app.post("/reset")
    async def reset(request: Request) -> Response:
        body = await _read(request, ResetBody, sessions)
        data = ResetData(seed=body.seed, index=body.index, episode_id=body.episode_id)
        if body.session_id is not None:
            return _json(await _reset(sessions, sessions.find(body.session_id), data))
        session = sessions.open("http")
        try:
            return _json(await _reset(sessions, session, data))
        except Refusal:
            sessions.close(session, "refused")  # nobody knows its id
            raise

    @app.post("/step")
    async def step(request: Request) -> Response:
        body = await _read(request, StepBody, sessions)
        session = sessions.find(body.session_id)
        if body.request_id is not None and session.last_step is not None:
            known, outcome = session.last_step
            if known == body.request_id and not session.running:
                return _json(outcome)
        outcome = _with_id(await sessions.step(session, body.action), session)
        session.last_step = None if body.request_id is None else (body.request_id, outcome)
        return _json(outcome)

    @app.get("/state")
    async def state(session_id: str | None = None) -> Response:
        return _json(State() if session_id is None else sessions.state(sessions.find(session_id)))

    @app.post("/close")
    async def close(request: Request) -> Response:
        body = await _read(request, CloseBody, sessions)
        sessions.close(sessions.find(body.session_id), "client")
        return JSONResponse({"status": "closed"})

    @app.get("/schema")
    async def schemas() -> Response:
        return JSONResponse(schema)

    @app.get("/metadata")
    async def about() -> Response:
        return JSONResponse(metadata)

    @app.get("/health")
    async def health() -> Response:
        if sessions.stopping.is_set():
            return JSONResponse({"status": "stopping"}, 503)
        return JSONResponse({"status": "healthy"})

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(sessions.metrics.render(), headers={"content-type": CONTENT_TYPE})


async def _reset(sessions: Sessions, session: Session, data: ResetData) -> Outcome:
    outcome = await sessions.reset(session, data)
    session.last_step = None
    return _with_id(outcome, session)


def _with_id(outcome: Outcome, session: Session) -> Outcome:
    outcome.observation.session_id = session.id
    return outcome


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


async def _read(request: Request, model: type[_M], sessions: Sessions) -> _M:
    """The body, counted as it comes: a told length may be a lie."""
    limit, seconds = sessions.config.max_bytes, sessions.config.send_timeout
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise Refusal(Code.TOO_LARGE, f"A request may have {limit} bytes.", limit=limit)
    except ClientDisconnect:  # nobody reads the answer; but it is no defect, and not for the log
        raise Refusal(Code.INVALID_JSON, "The request ended before its body did.") from None
    except TimeoutError:
        raise Refusal(Code.TOO_SLOW, f"The request took longer than {seconds:g} s.") from None
    return read(model, bytes(body) or b"{}")
