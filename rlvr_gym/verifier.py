"""Verifiers: total, deterministic, thread-safe judges of completions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rlvr_gym.discovery import Lazy
from rlvr_gym.errors import ConfigError, RegistrationError, UnknownNameError, describe
from rlvr_gym.extraction import extract_answer, plain_answer
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict

__all__ = [
    "AnswerVerifier",
    "Verifier",
    "get_verifier",
    "register_verifier",
    "verifier_names",
]

MAX_COMPLETION_CHARS = 4_000_000


class Verifier(ABC):
    """Judges completions of tasks.

    A verifier is *total*: it never raises on any text, never hangs, never lets untrusted text reach ``eval``,
    ``sympify`` or ``parse_expr``; it is deterministic and may be called from several threads at once. Instances
    are stateless or immutable and pickle, so that executors can send them to other processes.

    Subclasses implement :meth:`judge`; an exception there becomes ``valid=False`` with
    ``Reason.VERIFIER_ERROR``, because a defect of ours is not a wrong answer.
    """

    def verify(self, completion: str, task: Task) -> Verdict:
        """The verdict on one completion; never raises."""
        if len(completion) > MAX_COMPLETION_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, limit=MAX_COMPLETION_CHARS)
        try:
            return self.judge(completion, task)
        except Exception as error:
            return Verdict.failed(Reason.VERIFIER_ERROR, error=describe(error))

    def verify_batch(self, completions: Sequence[str], tasks: Sequence[Task]) -> list[Verdict]:
        """The verdicts on several completions, in order. Verifiers with a cheaper way to do many override it."""
        return [self.verify(c, t) for c, t in zip(completions, tasks, strict=True)]

    @abstractmethod
    def judge(self, completion: str, task: Task) -> Verdict:
        """The verdict on one completion."""


class AnswerVerifier(Verifier):
    """A verifier of final answers: extraction is done here, :meth:`check` judges one extracted answer."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """Extracts and checks. Several different answers are accepted only if every one of them is right."""
        plain = plain_answer(completion)
        if plain:
            return self.check(plain, task)
        extraction = extract_answer(completion)
        if extraction.reason is not None:
            return Verdict.wrong(extraction.reason)
        if len(extraction.candidates) > 4:
            return Verdict.wrong(Reason.AMBIGUOUS, extraction.candidates[-1][:200])
        verdicts = [self.check(answer, task) for answer in extraction.candidates]
        if len(verdicts) > 1 and any(v.valid and not v.correct for v in verdicts):
            return Verdict.wrong(
                Reason.AMBIGUOUS, extraction.candidates[-1], offered=[c[:200] for c in extraction.candidates]
            )
        return next((v for v in verdicts if not v.valid), verdicts[-1])

    @abstractmethod
    def check(self, answer: str, task: Task) -> Verdict:
        """The verdict on one extracted answer: stripped, not empty, without box, tags or surrounding Markdown."""


VerifierFactory = Callable[..., Verifier]
_registry: dict[str, VerifierFactory] = {}
_builtin = Lazy("register_verifier", "verifiers", "envs")
_F = TypeVar("_F", bound=type[Verifier])


def register_verifier(name: str) -> Callable[[_F], _F]:
    """Class decorator that makes a verifier known by ``name``.

    Raises:
        RegistrationError: if another class has the name already.
    """

    def decorate(cls: _F) -> _F:
        known = _registry.get(name)
        if known is not None and getattr(known, "__qualname__", None) != cls.__qualname__:
            raise RegistrationError(f"The verifier name {name!r} is taken by {known!r}; choose another.")
        _registry[name] = cls
        return cls

    return decorate


def verifier_names() -> list[str]:
    """The names of all verifiers, sorted."""
    _builtin.load_all()
    return sorted(_registry)


def get_verifier(name: str, **settings: Any) -> Verifier:
    """A new instance of the verifier with this name.

    Args:
        name: its name.
        **settings: its own, such as ``policy={"tolerance": "rel(1e-3)"}`` of ``math``.

    Raises:
        UnknownNameError: if there is none.
        ConfigError: if it does not take these settings.
    """
    if name not in _registry:
        _builtin.load(name)
    if name not in _registry:
        raise UnknownNameError("verifier", name, _registry.keys() | _builtin.modules.keys())
    try:
        return _registry[name](**settings)
    except TypeError as error:
        if not settings:
            raise
        raise ConfigError(
            f"The verifier {name!r} does not take the settings {settings!r}: {error}."
        ) from error
