"""Policies: what counts as the same answer. The defaults suit competition and school mathematics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, get_args

from rlvr_gym.errors import ConfigError

__all__ = ["DEFAULT", "Policy"]

Units = Literal["optional", "required", "ignored"]
Order = Literal["kind", "strict", "free"]
_TOLERANCE = re.compile(r"(gold|exact)|rounded\((\d{1,3})\)|rel\(([0-9.eE+-]{1,20})\)")


@dataclass(frozen=True, slots=True)
class Policy:
    """How an answer is compared with the reference. Documented with examples in ``docs/math-verifier.md``.

    Attributes:
        tolerance: ``"gold"``: a reference that is a decimal is met by whatever rounds to it, any other exactly;
            ``"exact"``; ``"rounded(n)"``: equal when rounded to n places; ``"rel(t)"``: relative error up to t.
        units: ``"optional"``: may be left out, but not be wrong; ``"required"``: must be there where the reference
            has one; ``"ignored"``: not looked at.
        order: ``"kind"``: of tuples and vectors only; ``"strict"``: of lists too; ``"free"``: of nothing but
            intervals and matrices.
        percent: whether a bare number may stand for the same number of percent (``25`` for ``25%``).
        simplified: the answer must also be reduced, evaluated, and no longer than the reference.
        base: whether the base of a numeral may be left out (``52`` for ``52_8``).
        numeric_only: the answer must be a single number.
    """

    tolerance: str = "gold"
    units: Units = "optional"
    order: Order = "kind"
    percent: bool = True
    simplified: bool = False
    base: bool = False
    numeric_only: bool = False

    def __post_init__(self) -> None:
        if _TOLERANCE.fullmatch(self.tolerance) is None:
            raise ConfigError(
                f"tolerance is 'gold', 'exact', 'rounded(n)' or 'rel(t)', such as 'rel(1e-6)'; got {self.tolerance!r}."
            )
        for name, kind in (("units", Units), ("order", Order)):
            if getattr(self, name) not in get_args(kind):
                raise ConfigError(
                    f"{name} is one of {', '.join(get_args(kind))}; got {getattr(self, name)!r}."
                )

    @property
    def places(self) -> int | None:
        """N of ``rounded(n)``."""
        match = _TOLERANCE.fullmatch(self.tolerance)
        return int(match[2]) if match and match[2] else None

    @property
    def relative(self) -> Fraction | None:
        """T of ``rel(t)``."""
        match = _TOLERANCE.fullmatch(self.tolerance)
        return Fraction(match[3]) if match and match[3] else None

    def with_options(self, options: Mapping[str, Any]) -> Policy:
        """This policy with a task's options (``task.metadata["math"]``) over it.

        Raises:
            ConfigError: at an unknown option or value.
        """
        unknown = options.keys() - {f.name for f in fields(self)}
        if unknown:
            raise ConfigError(
                f"Math options are {', '.join(f.name for f in fields(self))}; got {', '.join(sorted(unknown))}."
            )
        return _merged(self, tuple(sorted(options.items()))) if options else self


@lru_cache(maxsize=256)
def _merged(policy: Policy, options: tuple[tuple[str, Any], ...]) -> Policy:
    return replace(policy, **dict(options))


DEFAULT = Policy()
