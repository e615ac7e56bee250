"""Reward terms: small named functions of a rollout, or of the group of rollouts of one prompt."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from rlvr_gym.discovery import Lazy
from rlvr_gym.errors import ConfigError, RegistrationError, UnknownNameError
from rlvr_gym.rollout import Rollout

__all__ = ["GroupTerm", "RewardTerm", "Term", "make_term", "register_term", "term_class", "term_names"]


@dataclass(frozen=True)
class Term(ABC):
    """A named quantity; its dataclass fields are its parameters.

    A value of nan says that there is none (a judge that could not be asked): such a rollout has no reward, as if its
    verification had failed. It is never to be confused with a reward of 0.
    """

    name: ClassVar[str]

    @abstractmethod
    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """One number a rollout, for the rollouts of one prompt."""

    def _changed(self) -> dict[str, Any]:
        values = asdict(self)
        return {f.name: values[f.name] for f in fields(self) if getattr(self, f.name) != f.default}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the name, and the parameters that differ from their defaults."""
        return {"term": self.name, **self._changed()}

    @property
    def label(self) -> str:
        """What its values are logged under: the name, with parameters if any differ from their defaults."""
        changed = ",".join(f"{key}={value}" for key, value in self._changed().items())
        return f"{self.name}({changed})" if changed else self.name


@dataclass(frozen=True)
class RewardTerm(Term):
    """A term that looks at one rollout."""

    @abstractmethod
    def __call__(self, rollout: Rollout) -> float:
        """The term's value."""

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """Each rollout on its own."""
        return [self(rollout) for rollout in group]


@dataclass(frozen=True)
class GroupTerm(Term):
    """A term that compares the rollouts of one prompt; rollouts whose verdict is invalid are not in the group."""


_registry: dict[str, type[Term]] = {}
# terms that need a verifier's parser or a model lie beside those, above this package, and are found by reading
_builtin = Lazy("register_term", "verifiers", "judges")
_T = TypeVar("_T", bound=type[Term])


def register_term(name: str) -> Callable[[_T], _T]:
    """Class decorator that makes a term known by ``name``.

    Raises:
        RegistrationError: if another class has the name already.
    """

    def decorate(cls: _T) -> _T:
        if _registry.setdefault(name, cls).__qualname__ != cls.__qualname__:
            raise RegistrationError(f"The reward term name {name!r} is taken by {_registry[name]!r}.")
        _registry[name] = cls
        cls.name = name
        return cls

    return decorate


def term_names() -> list[str]:
    """The names of all terms, sorted."""
    _builtin.load_all()
    return sorted(_registry)


def term_class(name: str) -> type[Term]:
    """The class of the term of this name.

    Raises:
        UnknownNameError: if there is no such term.
    """
    if name not in _registry:
        _builtin.load(name)
    if name not in _registry:
        raise UnknownNameError("reward term", name, _registry.keys() | _builtin.modules.keys())
    return _registry[name]


def make_term(name: str, **parameters: Any) -> Term:
    """The term of this name with these parameters.

    Raises:
        UnknownNameError: if there is no such term.
        ConfigError: if it has no such parameter, or the parameter cannot have this value.
    """
    cls = term_class(name)
    known = [f.name for f in fields(cls)]
    if not parameters.keys() <= set(known):
        raise ConfigError(
            f"The reward term {name!r} takes {known or 'no parameters'}; got {sorted(parameters)}."
        )
    kinds = get_type_hints(cls)
    for key, value in parameters.items():
        _check(value, kinds[key], f"The parameter {key!r} of the reward term {name!r}")
    return cls(**parameters)


_FORMS: dict[Any, tuple[tuple[type, ...], str]] = {
    float: ((int, float), "a finite number"),
    int: ((int,), "a whole number"),
    bool: ((bool,), "true or false"),
    str: ((str,), "a text"),
}


def _check(value: Any, kind: Any, what: str) -> None:
    """Refuses a value that is not of the field's type; whole numbers will do for numbers."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{what} is one of {', '.join(map(repr, get_args(kind)))}; got {value!r}.")
        return
    wanted, form = _FORMS.get(kind, ((), ""))
    fits = not wanted or (isinstance(value, wanted) and (kind is bool or not isinstance(value, bool)))
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigError(f"{what} is {form}; got {value!r}.")
