"""Who plays: a bounded number of sessions, each with a thread to run in."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import describe
from rlvr_gym.serve.config import ServeConfig
from rlvr_gym.serve.conversation import Conversation
from rlvr_gym.serve.messages import Action, Outcome, ResetData, State
from rlvr_gym.serve.metrics import Metrics
from rlvr_gym.serve.refusals import Code, Refusal

__all__ = ["Session", "Sessions"]

logger = logging.getLogger(__name__)

Kind = Literal["websocket", "http"]
_T = TypeVar("_T")


class Session:
    """A client's place.

    Attributes:
        id: nobody else can guess it: over HTTP, who has it is the client.
        running: whether a reset or step runs.
        last_used: on the monotonic clock.
        last_step: the ``request_id`` of the last step over HTTP, and its answer.
    """

    def __init__(self, kind: Kind, conversation: Conversation) -> None:
        self.id = secrets.token_urlsafe(24)
        self.kind = kind
        self.conversation = conversation
        self.running = False
        self.closed = False
        self.last_used = time.monotonic()
        self.last_step: tuple[str, Outcome] | None = None


class Sessions:
    """All sessions of a server. Its methods are for the event loop; environments run in threads.

    There are as many threads as places, and a place is free again only when nothing of it runs any more: so however
    many environments hang, a session that is open has a thread to run in.

    Args:
        settings: problem, verifier and reward of all sessions.
        config: the limits.
        metrics: where things are counted.
    """

    def __init__(self, settings: EnvSettings, config: ServeConfig, metrics: Metrics) -> None:
        self.config = config
        self.metrics = metrics
        self.stopping = asyncio.Event()
        self.attended = 0
        self._settings = settings
        self._length = settings.problem.source(0).length
        self._threads = ThreadPoolExecutor(config.max_sessions, "rlvr-gym-serve")
        self._open: dict[str, Session] = {}
        self._places = 0
        self._running = 0

    @property
    def busy(self) -> bool:
        """Whether something runs, or a WebSocket is not closed yet."""
        return bool(self._running or self.attended)

    @property
    def stuck(self) -> bool:
        """Whether a thread runs an environment."""
        return self._running > 0

    def open(self, kind: Kind) -> Session:
        """A new session.

        Raises:
            Refusal: if all places are taken, or the server is stopping.
        """
        self._check_open()
        if self._places >= self.config.max_sessions:
            raise Refusal(
                Code.CAPACITY_REACHED,
                f"All {self.config.max_sessions} sessions are in use.",
                active_sessions=self._places,
                max_sessions=self.config.max_sessions,
            )
        session = Session(kind, Conversation(self._settings, self._length, self.config.episode_bytes))
        self._open[session.id] = session
        self._places += 1
        self.metrics.sessions.set(self._places)
        self.metrics.opened.labels(kind).inc()
        return session

    def find(self, id: str) -> Session:
        """The session of a client that speaks HTTP.

        Raises:
            Refusal: if there is none.
        """
        session = self._open.get(id)
        if session is None or session.kind != "http":
            raise Refusal(
                Code.SESSION_UNKNOWN,
                f"There is no such session; sessions end after {self.config.session_timeout:g} s without use.",
            )
        return session

    def close(self, session: Session, reason: str) -> None:
        """Ends a session; its place is free when nothing of it runs any more. May be called again."""
        if session.closed:
            return
        session.closed = True
        del self._open[session.id]
        self.metrics.closed.labels(reason).inc()
        if not session.running:
            self._leave()

    async def reset(self, session: Session, data: ResetData) -> Outcome:
        """Begins an episode.

        Raises:
            Refusal: if it cannot.
        """
        return await self._run(session, "reset", lambda: session.conversation.reset(data))

    async def step(self, session: Session, action: Action) -> Outcome:
        """Takes an action in.

        Raises:
            Refusal: if it cannot.
        """
        outcome = await self._run(session, "step", lambda: session.conversation.step(action))
        verdict = session.conversation.verdict
        if verdict is not None:
            self.metrics.ended(verdict)
        return outcome

    def state(self, session: Session) -> State:
        """Where a session stands.

        Raises:
            Refusal: while a reset or step runs.
        """
        self._check_idle(session)
        session.last_used = time.monotonic()
        return session.conversation.state()

    async def reap(self) -> None:
        """Closes the HTTP sessions that nobody uses, for ever. WebSockets watch over themselves."""
        while True:
            await asyncio.sleep(min(self.config.session_timeout / 4, 5.0))
            oldest = time.monotonic() - self.config.session_timeout
            for session in list(self._open.values()):
                if session.kind == "http" and not session.running and session.last_used < oldest:
                    self.close(session, "idle")

    async def drain(self, hurry: Callable[[], bool]) -> None:
        """Refuses everything new, and waits for what runs, up to ``grace`` seconds or until ``hurry()``."""
        self.stopping.set()
        until = time.monotonic() + self.config.grace
        while self.busy and time.monotonic() < until and not hurry():
            await asyncio.sleep(0.02)
        for session in list(self._open.values()):
            self.close(session, "shutdown")

    def shut(self) -> None:
        """Lets go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check_open(self) -> None:
        if self.stopping.is_set():
            raise Refusal(Code.SHUTTING_DOWN, "The server is shutting down.")

    @staticmethod
    def _check_idle(session: Session) -> None:
        if session.running:
            raise Refusal(Code.SESSION_BUSY, "This session still works on the request before.")

    async def _run(self, session: Session, name: str, call: Callable[[], _T]) -> _T:
        """Runs a call of a session in a thread; a session that does not come to an end is closed."""
        self._check_open()
        self._check_idle(session)
        start = time.perf_counter()
        session.running = True
        self._running += 1
        self.metrics.running.set(self._running)
        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        future.add_done_callback(lambda _: self._settle(session))
        done, _ = await asyncio.wait([future], timeout=self.config.step_timeout)
        if not done:
            logger.error("A %s did not end within %g s; its session is lost.", name, self.config.step_timeout)
            self.close(session, "lost")
            raise Refusal(Code.STEP_TIMEOUT, f"The {name} took longer than {self.config.step_timeout:g} s.")
        self.metrics.seconds.labels(name).observe(time.perf_counter() - start)
        try:
            return future.result()
        except Refusal:
            raise
        except (Exception, SystemExit) as error:  # an exit would end the loop
            # the message may quote the task's answer: it is for the log, not for the client
            logger.error("A %s raised %s", name, describe(error), exc_info=error)
            raise Refusal(
                Code.EXECUTION_ERROR, f"The {name} failed, which is a defect on our side."
            ) from None

    def _settle(self, session: Session) -> None:
        """A call has ended, in time or not."""
        session.running = False
        session.last_used = time.monotonic()
        self._running -= 1
        self.metrics.running.set(self._running)
        if session.closed:
            self._leave()

    def _leave(self) -> None:
        self._places -= 1
        self.metrics.sessions.set(self._places)
