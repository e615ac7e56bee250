"""The registry of environments: ids, what is behind them, and third-party plug-ins."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import gymnasium
import gymnasium.vector

from rlvr_gym.discovery import Lazy
from rlvr_gym.errors import ConfigError, RegistrationError, UnknownNameError
from rlvr_gym.problem import Problem

__all__ = ["EnvEntry", "entry", "list_envs", "load_problem", "make", "make_vec", "register"]

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = "rlvr_gym.envs"
_ID = re.compile(r"^[\w.-]+/[\w.-]+-v\d+$")
_P = TypeVar("_P", bound=type[Problem])


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """What is registered under an id.

    Attributes:
        id: such as ``rlvr/Countdown-v0``.
        problem: the class behind it.
        family: the group that it is listed in.
        defaults: settings that this id fixes; a user's own settings win.
        needs: settings without a usable default, such as a data file.
        trusted: False if its verdicts come from a judge that is not ours and known, or not known not, to pay for
            wrong answers; what such an environment says is material for an audit, not a result.
    """

    id: str
    problem: type[Problem]
    family: str
    defaults: dict[str, Any]
    needs: tuple[str, ...] = ()
    trusted: bool = True

    @property
    def summary(self) -> str:
        """The first line of the problem's docstring."""
        return (self.problem.__doc__ or "").strip().partition("\n")[0]

    @property
    def settings(self) -> dict[str, Any]:
        """All settings and their defaults, None where there is none."""
        known = dataclasses.fields(self.problem)
        defaults = {f.name: None if f.default is dataclasses.MISSING else f.default for f in known}
        return {**defaults, **self.defaults}

    def make_problem(self, **settings: Any) -> Problem:
        """The problem with these settings over the defaults."""
        return build_problem(self.problem, self.id, {**self.defaults, **settings})


_entries: dict[str, EnvEntry] = {}
_builtin = Lazy("register", "envs")


@overload
def register(
    id: str,
    *,
    family: str,
    defaults: dict[str, Any] | None = None,
    needs: tuple[str, ...] = (),
    trusted: bool = True,
) -> Callable[[_P], _P]: ...
@overload
def register(
    id: str,
    problem: _P,
    *,
    family: str,
    defaults: dict[str, Any] | None = None,
    needs: tuple[str, ...] = (),
    trusted: bool = True,
) -> _P: ...
def register(
    id: str,
    problem: Any = None,
    *,
    family: str,
    defaults: dict[str, Any] | None = None,
    needs: tuple[str, ...] = (),
    trusted: bool = True,
) -> Any:
    """Registers a problem as an environment, here and with Gymnasium; also a class decorator.

    Args:
        id: ``namespace/Name-vN``.
        problem: the problem class (a frozen dataclass).
        family: the group that it is listed in.
        defaults: JSON settings that this id fixes.
        needs: names of settings that a user has to give (such as ``"data"``).
        trusted: False for an adapter around somebody else's judge.

    Raises:
        RegistrationError: if the id has another form, or is taken by another class.
    """
    if problem is None:
        return lambda cls: register(id, cls, family=family, defaults=defaults, needs=needs, trusted=trusted)
    if not _ID.fullmatch(id):
        raise RegistrationError(f"An id looks like 'namespace/Name-v0'; got {id!r}.")
    if not (isinstance(problem, type) and issubclass(problem, Problem) and dataclasses.is_dataclass(problem)):
        raise RegistrationError(
            f"{id} needs a subclass of Problem that is a frozen dataclass; got {problem!r}."
        )
    known = _entries.get(id)
    if known is not None and _path(known.problem) != _path(problem):  # a reloaded module may register again
        raise RegistrationError(
            f"The id {id!r} is taken by {known.problem!r}; choose another name or version."
        )
    _entries[id] = EnvEntry(id, problem, family, dict(defaults or {}), needs, trusted)
    _tell_gymnasium(id)
    return problem


def _tell_gymnasium(id: str) -> None:
    if id not in gymnasium.envs.registration.registry:
        gymnasium.register(
            id=id,
            entry_point="rlvr_gym.env:TextEnv",
            vector_entry_point="rlvr_gym.vector:TextVectorEnv",
            kwargs={"env_id": id},
        )


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def entry(env_id: str) -> EnvEntry:
    """What is registered under ``env_id``; the namespace ``rlvr/`` and the version ``-v0`` may be left out.

    Raises:
        UnknownNameError: if there is nothing.
    """
    for name in (env_id, f"rlvr/{env_id}", f"{env_id}-v0", f"rlvr/{env_id}-v0"):
        if name not in _entries:
            _builtin.load(name)
        if name in _entries:
            return _entries[name]
    raise UnknownNameError(
        "environment", env_id, _entries.keys() | _builtin.modules.keys(), see="rlvr-gym list"
    )


def list_envs(family: str | None = None) -> list[EnvEntry]:
    """All registered environments, by family and id."""
    _builtin.load_all()
    chosen = [e for e in _entries.values() if family is None or e.family == family]
    return sorted(chosen, key=lambda e: (e.family, e.id))


def build_problem(cls: type[Problem], env_id: str, settings: dict[str, Any]) -> Problem:
    """An instance of a problem class.

    Raises:
        ConfigError: if a setting is unknown or has a value that it cannot have.
    """
    known = [f.name for f in dataclasses.fields(cls)]
    unknown = settings.keys() - set(known)
    if unknown:
        raise ConfigError(f"{env_id} has no setting {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    return cls(**settings)


def load_problem(env_id: str, **settings: Any) -> Problem:
    """The problem behind an id, with these settings."""
    return entry(env_id).make_problem(**settings)


def make(env_id: str, **settings: Any) -> gymnasium.Env[str, str]:
    """``gymnasium.make`` for a registered id (short forms allowed)."""
    return gymnasium.make(entry(env_id).id, **settings)


def make_vec(env_id: str, num_envs: int = 1, **settings: Any) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    """``gymnasium.make_vec`` for a registered id: a :class:`rlvr_gym.vector.TextVectorEnv`."""
    return gymnasium.make_vec(entry(env_id).id, num_envs=num_envs, **settings)


def register_builtin() -> None:
    """Tells Gymnasium the ids of ``rlvr_gym.envs``; their modules are imported when they are asked for."""
    for env_id in _builtin.modules:
        _tell_gymnasium(env_id)


def register_plugins() -> None:
    """Loads the entry points of the group ``rlvr_gym.envs``; one that fails is reported and passed over."""
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            loaded = point.load()
            if callable(loaded) and not isinstance(loaded, type):
                loaded()
        except (Exception, SystemExit) as error:
            logger.warning("The plug-in %s (%s) could not be loaded: %s", point.name, point.value, error)
