"""OpenEnv's WebSocket: one connection is one session, and its messages are answered in order."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from starlette.types import Message

from rlvr_gym.serve.messages import Action, Envelope, Outcome, ResetData, State, read
from rlvr_gym.serve.refusals import Code, Refusal
from rlvr_gym.serve.sessions import Session, Sessions

__all__ = ["CLOSE_IDLE", "CLOSE_LOST", "CLOSE_STOPPING", "attend"]

CLOSE_STOPPING = 1001
CLOSE_LOST = 1011
CLOSE_IDLE = 4408


async def attend(socket: WebSocket, sessions: Sessions) -> None:
    """Serves one connection until either side ends it."""
    await socket.accept()
    sessions.attended += 1
    connection = _Connection(socket, sessions)
    try:
        await connection.serve()
    except WebSocketDisconnect:  # also where it is noticed while something is sent
        connection.leave("gone")
    finally:
        connection.leave("failed")
        sessions.attended -= 1


class _Connection:
    """A connection and its session, which begins with the first reset: a socket that is only open takes no place."""

    def __init__(self, socket: WebSocket, sessions: Sessions) -> None:
        self._socket = socket
        self._sessions = sessions
        self._session: Session | None = None

    def leave(self, reason: str) -> None:
        """Ends the session, if it has not ended yet."""
        if self._session is not None:
            self._sessions.close(self._session, reason)

    async def serve(self) -> None:
        """Answers messages."""
        stopping = asyncio.ensure_future(self._sessions.stopping.wait())
        try:
            while (message := await self._receive(stopping)) is not None:
                if not await self._answer(message):
                    return
        finally:
            stopping.cancel()

    async def _receive(self, stopping: asyncio.Future[Any]) -> str | bytes | None:
        """The next message; None if the connection is closed, by us or by the client."""
        timeout = self._sessions.config.session_timeout
        receiving: asyncio.Future[Any] = asyncio.ensure_future(self._socket.receive())
        try:
            await asyncio.wait([receiving, stopping], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                await self._close("shutdown", CLOSE_STOPPING, "The server is shutting down.")
                return None
            if not receiving.done():
                await self._close("idle", CLOSE_IDLE, f"The session was not used for {timeout:g} s.")
                return None
            message: Message = receiving.result()
        finally:
            receiving.cancel()
        if message["type"] == "websocket.disconnect":
            self.leave("client")
            return None
        text, data = message.get("text"), message.get("bytes")
        return text if text is not None else data or b""

    async def _answer(self, raw: str | bytes) -> bool:
        """Answers one message; says whether the connection goes on."""
        try:
            envelope = read(Envelope, raw)
            match envelope.type:
                case "reset":
                    self._session = self._session or self._sessions.open("websocket")
                    await self._send(
                        await self._sessions.reset(self._session, read(ResetData, envelope.data))
                    )
                case "step":
                    await self._step(read(Action, envelope.data))
                case "state":
                    session = self._session
                    await self._send(State() if session is None else self._sessions.state(session))
                case "close":
                    await self._close("client", 1000, "")
                    return False
                case _:
                    raise Refusal(Code.UNKNOWN_TYPE, f"There is no message type {envelope.type[:80]!r}.")
        except Refusal as refusal:
            self._sessions.metrics.refused(refusal)
            await self._socket.send_json({"type": "error", "data": refusal.to_dict()})
            if refusal.code is Code.STEP_TIMEOUT:
                await self._close("lost", CLOSE_LOST, "The session is lost.")
                return False
        return True

    async def _step(self, action: Action) -> None:
        if self._session is None:
            raise Refusal(Code.NOT_RESET, "This session has no episode yet.")
        await self._send(await self._sessions.step(self._session, action))

    async def _send(self, answer: Outcome | State) -> None:
        kind = "state" if isinstance(answer, State) else "observation"
        await self._socket.send_text(f'{{"type":"{kind}","data":{answer.model_dump_json()}}}')

    async def _close(self, why: str, code: int, reason: str) -> None:
        self.leave(why)
        with contextlib.suppress(RuntimeError):  # the client was quicker
            await self._socket.close(code, reason)
