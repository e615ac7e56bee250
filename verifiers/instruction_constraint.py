"""What a constraint on a text is: plain data that checks a text and says what it asks for.

A constraint travels as JSON in a task's answer and is made anew from it, so the verifier judges what the task says and
nothing that the generator knew. Kinds are classes that register by :func:`constraint_kind`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, TypeVar, get_args

from rlvr_gym.errors import DataError
from rlvr_gym.verifiers.instruction_language import LANGUAGES
from rlvr_gym.verifiers.instruction_text import Text
from rlvr_gym.verifiers.json_extraction_schema import check_schema

__all__ = [
    "RELATIONS",
    "Case",
    "Constraint",
    "Finding",
    "LanguageName",
    "Relation",
    "compare",
    "constraint_kind",
    "listed",
    "parse_constraint",
]

Relation = Literal["at least", "at most", "exactly"]
RELATIONS: tuple[str, ...] = get_args(Relation)
Case = Literal["lowercase", "capital"]
LanguageName = str  # one of LANGUAGES
MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a constraint holds, and what was found, in a few words."""

    held: bool
    note: str


@dataclass(frozen=True)
class Constraint(ABC):
    """One rule for a text. Subclasses are frozen dataclasses whose fields are JSON values.

    Attributes:
        kind: its name in JSON.
        wordings: ways of stating it: format strings over the fields.
        counts: what it counts, a key of ``COUNTING``; empty if nothing that needs a rule.
    """

    kind: ClassVar[str]
    wordings: ClassVar[tuple[str, ...]]
    counts: ClassVar[str] = ""

    @abstractmethod
    def check(self, text: Text) -> Finding:
        """Whether ``text`` keeps the rule; total, and linear in the length of the text."""

    def state(self, wording: int = 0) -> str:
        """The rule as a sentence; ``wording`` chooses among the ways of saying it."""
        return self.wordings[wording % len(self.wordings)].format(**self.shown())

    def shown(self) -> dict[str, Any]:
        """The fields as they stand in a sentence."""
        return {
            f.name: listed(value) if isinstance(value := getattr(self, f.name), tuple) else value
            for f in fields(self)
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the kind and the fields."""
        values = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return {"kind": self.kind, **values}


_kinds: dict[str, type[Constraint]] = {}
_C = TypeVar("_C", bound=type[Constraint])


def constraint_kind(cls: _C) -> _C:
    """Class decorator that makes a kind of constraint known by its ``kind``."""
    _kinds[cls.kind] = cls
    return cls


def parse_constraint(row: Any) -> Constraint:
    """The inverse of :meth:`Constraint.to_dict`.

    Raises:
        DataError: if the kind is unknown, or a field is missing, unknown or of another type.
    """
    cls = _kinds.get(str(row.get("kind"))) if isinstance(row, Mapping) else None
    if cls is None:
        raise DataError(
            f"A constraint is an object with a kind out of {sorted(_kinds)}; got {str(row)[:100]}."
        )
    given = {name: value for name, value in row.items() if name != "kind"}
    types = {f.name: str(f.type) for f in fields(cls)}
    if given.keys() != types.keys():
        raise DataError(f"The constraint {cls.kind!r} has the fields {sorted(types)}; got {sorted(given)}.")
    for name, value in given.items():
        if not _FITS[types[name]](value):
            raise DataError(
                f"In the constraint {cls.kind!r}, {name} is of type {types[name]}; got {value!r}."
            )
    return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_text, value))


def _is_schema(value: Any) -> bool:
    check_schema(value)
    return True


_FITS: dict[str, Callable[[Any], bool]] = {
    "int": _is_count,
    "str": _is_text,
    "tuple[str, ...]": _is_texts,
    "Relation": RELATIONS.__contains__,
    "Case": get_args(Case).__contains__,
    "LanguageName": LANGUAGES.__contains__,
    "Mapping[str, Any]": _is_schema,
}


def compare(found: int, relation: Relation, count: int, unit: str) -> Finding:
    """Whether a number found is at least, at most or exactly what is asked for."""
    held = {"at least": found >= count, "at most": found <= count, "exactly": found == count}[relation]
    return Finding(held, f"{found} {unit}")


def listed(items: tuple[str, ...]) -> str:
    """Words in a sentence: ``"a", "b" and "c"``."""
    quoted = [f'"{item}"' for item in items]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
