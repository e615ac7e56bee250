"""What Prometheus reads: counts and times, with labels that no client can choose."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rlvr_gym.serve.refusals import Refusal
from rlvr_gym.verdict import Verdict

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one server, all named ``rlvr_gym_*``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        here = self._registry
        self.sessions = Gauge("rlvr_gym_sessions", "Sessions that hold a place.", registry=here)
        self.running = Gauge("rlvr_gym_running", "Resets and steps that run now.", registry=here)
        self.opened = Counter("rlvr_gym_sessions_opened", "Sessions opened.", ["kind"], registry=here)
        self.closed = Counter(
            "rlvr_gym_sessions_closed", "Sessions closed, and why.", ["reason"], registry=here
        )
        self.seconds = Histogram(
            "rlvr_gym_seconds",
            "Resets and steps, verification included.",
            ["call"],
            buckets=_SECONDS,
            registry=here,
        )
        self._episodes = Counter(
            "rlvr_gym_episodes", "Episodes that ended, and how.", ["outcome"], registry=here
        )
        self._refusals = Counter(
            "rlvr_gym_refusals", "Requests that were refused, and why.", ["code"], registry=here
        )
        self.cut_off = Counter(
            "rlvr_gym_connections_cut_off", "Connections that were cut off.", ["reason"], registry=here
        )

    def ended(self, verdict: Verdict) -> None:
        """Counts an episode's end."""
        outcome = "invalid" if not verdict.valid else "correct" if verdict.correct else "wrong"
        self._episodes.labels(outcome).inc()

    def refused(self, refusal: Refusal) -> None:
        """Counts a request that was refused."""
        self._refusals.labels(str(refusal.code)).inc()

    def render(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
