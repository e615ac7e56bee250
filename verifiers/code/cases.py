"""What a program is judged by, as plain JSON: the ``answer`` of a code task. It never enters a sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rlvr_gym.errors import DataError
from rlvr_gym.sandbox import Limits
from rlvr_gym.sandbox.guest.literals import LiteralError, decode, encode
from rlvr_gym.verifiers.code.compare import Comparison

__all__ = ["Case", "CodeSpec", "function_cases", "source_tests", "stdin_cases"]

Kind = Literal["stdin", "calls", "tests"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case.

    Attributes:
        given: the arguments ``(args, kwargs)`` of a call, or the text of the standard input.
        expected: the value or output that is right.
        comparison: how to compare; None for the specification's.
    """

    given: Any
    expected: Any
    comparison: Comparison | None = None

    def to_json(self) -> list[Any]:
        """The JSON form."""
        row = [encode(self.given), encode(self.expected)]
        return row if self.comparison is None else [*row, self.comparison.to_dict()]

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Case:
        """The inverse of :meth:`to_json`."""
        given, expected, *rest = row
        return cls(decode(given), decode(expected), Comparison.from_dict(rest[0]) if rest else None)


@dataclass(frozen=True, slots=True)
class CodeSpec:
    """How a program is judged. ``Task(prompt, answer=spec.to_dict())``.

    Attributes:
        kind: ``stdin`` runs the program for each case and compares its output; ``calls`` calls its function and
            compares the values; ``tests`` runs a test source in a sandbox of its own that calls the function.
        cases: of ``stdin`` and ``calls``.
        entry: the function, or ``Class.method``.
        tests: the test source of kind ``tests``; it calls ``candidate`` or the entry's name.
        prefix: code that a completion continues, or may rely on (HumanEval's prompt).
        comparison: of outputs or values.
        limits: what a program may use.
        stop_early: whether the cases after the first failure are left out; they count as failed.
        lint: whether to lint, for the reward term.
        reference: a right program, for the reward term that compares run times; "" for none.
        timing_runs: how often each of the two is measured.
    """

    kind: Kind
    cases: tuple[Case, ...] = ()
    entry: str = ""
    tests: str = ""
    prefix: str = ""
    comparison: Comparison = field(default_factory=Comparison)
    limits: Limits = field(default_factory=Limits)
    stop_early: bool = False
    lint: bool = False
    reference: str = ""
    timing_runs: int = 3

    def __post_init__(self) -> None:
        if self.kind not in ("stdin", "calls", "tests"):
            raise DataError(f"The kind of a code task is 'stdin', 'calls' or 'tests'; got {self.kind!r}.")
        if self.kind != "tests" and not self.cases:
            raise DataError(f"A code task of kind {self.kind!r} needs at least one case.")
        if self.kind != "stdin" and not self.entry:
            raise DataError(f"A code task of kind {self.kind!r} needs 'entry', the name of a function.")

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, for ``Task.answer``; what has its default value is left out."""
        row: dict[str, Any] = {"kind": self.kind}
        if self.cases:
            row["cases"] = [case.to_json() for case in self.cases]
        for name in ("entry", "tests", "prefix", "stop_early", "lint", "reference"):
            if getattr(self, name):
                row[name] = getattr(self, name)
        if self.timing_runs != 3:
            row["timing_runs"] = self.timing_runs
        parts = {"comparison": self.comparison.to_dict(), "limits": self.limits.to_dict()}
        return row | {name: part for name, part in parts.items() if part}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> CodeSpec:
        """The inverse of :meth:`to_dict`.

        Raises:
            DataError, ConfigError: if it is no such dict.
        """
        if not isinstance(row, Mapping) or "kind" not in row:
            raise DataError(f"The answer of a code task is a dict with 'kind'; got {type(row).__name__}.")
        settings = dict(row)
        try:
            settings["cases"] = tuple(Case.from_json(case) for case in settings.get("cases", ()))
            settings["comparison"] = Comparison.from_dict(settings.get("comparison", {}))
            settings["limits"] = Limits.from_dict(settings.get("limits", {}))
            return cls(**settings)
        except (LiteralError, TypeError, ValueError) as error:
            raise DataError(f"A code task's answer is not of the right form: {error}") from error

    def with_(self, **changes: Any) -> CodeSpec:
        """A copy with other settings."""
        return replace(self, **changes)


def function_cases(
    entry: str,
    cases: Sequence[tuple[Sequence[Any], Any]],
    *,
    compare: str | Comparison = "equal",
    limits: Limits | None = None,
    **settings: Any,
) -> CodeSpec:
    """A specification of calls and their values.

    Args:
        entry: the function's name, or ``Class.method``.
        cases: pairs of positional arguments and the expected value: None, bool, int, float, complex, str, bytes,
            and lists, tuples, sets, frozensets and dicts of them.
        compare: a mode of :class:`~rlvr_gym.verifiers.code.compare.Comparison`, or one with its tolerances.
        limits: what a program may use.
        **settings: further fields of :class:`CodeSpec`.

    Raises:
        DataError: if a value is not plain.
    """
    rows = tuple(Case((_plain(list(args)), {}), _plain(expected)) for args, expected in cases)
    return CodeSpec(
        "calls", rows, entry, comparison=_comparison(compare), limits=limits or Limits(), **settings
    )


def stdin_cases(
    cases: Sequence[tuple[str, str]],
    *,
    compare: str | Comparison = "tokens",
    limits: Limits | None = None,
    **settings: Any,
) -> CodeSpec:
    """A specification of inputs and outputs: pairs of what the program reads and what it has to print."""
    rows = tuple(Case(str(given), str(expected)) for given, expected in cases)
    return CodeSpec("stdin", rows, comparison=_comparison(compare), limits=limits or Limits(), **settings)


def source_tests(entry: str, tests: str, *, limits: Limits | None = None, **settings: Any) -> CodeSpec:
    """A specification by a test source, which is trusted: it is kept away from the solution, and calls it."""
    return CodeSpec("tests", entry=entry, tests=tests, limits=limits or Limits(), **settings)


def _comparison(compare: str | Comparison) -> Comparison:
    return compare if isinstance(compare, Comparison) else Comparison(compare)


def _plain(value: Any) -> Any:
    """The value, after a round trip that shows that it is plain."""
    try:
        copy = decode(encode(value))
    except LiteralError as error:
        raise DataError(f"A case's value cannot be carried: {error}") from error
    if copy != value and value == value:
        raise DataError(f"Cases hold plain values (numbers, text, lists, dicts, ...); got {value!r:.200}.")
    return copy
