"""Conversion between units, with a check that both measure the same kind of quantity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, parse_numbers, tidy
from rlvr_gym.verifiers.rational import parse_rational

__all__ = ["Quantity", "QuantityVerifier", "UnitConversion"]

_BASE: dict[str, dict[str, Fraction]] = {
    "mass": {"mg": Fraction(1, 10**6), "g": Fraction(1, 1000), "kg": Fraction(1), "t": Fraction(1000)},
    "length": {
        "mm": Fraction(1, 1000),
        "cm": Fraction(1, 100),
        "dm": Fraction(1, 10),
        "m": Fraction(1),
        "km": Fraction(1000),
        "in": Fraction(254, 10**4),
        "ft": Fraction(3048, 10**4),
        "mi": Fraction(1609344, 1000),
    },
    "time": {"s": Fraction(1), "min": Fraction(60), "h": Fraction(3600), "d": Fraction(86400)},
}
_FACTS = {
    "in": "1 in = 2.54 cm",
    "ft": "1 ft = 30.48 cm",
    "mi": "1 mi = 1.609344 km",
    "t": "1 t = 1000 kg",
    "d": "1 d = 1 day",
}
_UNITS = {name: (kind, size) for kind, units in _BASE.items() for name, size in units.items()}

_KINDS: tuple[dict[str, int], ...] = (
    {"length": 1},
    {"mass": 1},
    {"time": 1},
    {"length": 2},
    {"length": 1, "time": -1},
    {"length": 3},
    {"mass": 1, "length": -3},
    {"length": 3, "time": -1},
    {"length": 1, "time": -2},
    {"mass": 1, "length": 1, "time": -2},
    {"mass": 1, "length": -1, "time": -2},
    {"mass": 1, "length": 2, "time": -3},
)
"""Kinds of quantity from length to power, roughly by difficulty."""

Unit = dict[str, int]
Quantity = tuple[str, list[Fraction]]
_UNIT = re.compile(r"([a-z]+)(?:\^?\(?(-?\d)\)?)?", re.ASCII)
_VALUE = re.compile(r"([+-]?[\d.,]+(?:\s?/\s?\d+)?(?:[eE][+-]?\d+)?)\s*(.*)", re.ASCII | re.DOTALL)


def unit_text(unit: Unit) -> str:
    """``kg*m/s^2``."""
    above = "*".join(f"{name}^{k}" if k > 1 else name for name, k in unit.items() if k > 0)
    below = "".join(f"/{name}^{-k}" if k < -1 else f"/{name}" for name, k in unit.items() if k < 0)
    return (above or "1") + below


def parse_unit(text: str) -> Unit | None:
    """``m/s^2``, ``m s^-2`` or ``kg*m/s^2`` as exponents; None if a name is unknown."""
    text = re.sub(r"\\(?:text|mathrm)\s?|[{}]", "", text)
    unit: Unit = {}
    sign = 1
    for token in re.findall(r"[a-zA-Z]+\^?\(?-?\d?\)?|/|[^\s*]", text[:100]):
        if token == "/":
            sign = -1
            continue
        match = _UNIT.fullmatch(token)
        if match is None or match[1] not in _UNITS:
            return None
        unit[match[1]] = unit.get(match[1], 0) + sign * int(match[2] or 1)
        sign = 1
    return unit


@register_verifier("quantity")
class QuantityVerifier(ParsedVerifier[Quantity]):
    """``task.answer`` is ``{"value", "unit"}``, or ``{"dimension"}`` where no conversion is possible.

    The unit may be left out but not be another one.
    """

    def read(self, answer: str, task: Task) -> Quantity | None:
        """A number with a unit, or ``impossible:`` with three exponents."""
        text = tidy(answer) or ""
        head, colon, tail = text.partition(":")
        if head.strip().lower() == "impossible":
            exponents = parse_numbers(tail) if colon else None
            return ("impossible", exponents) if exponents else None
        match = _VALUE.fullmatch(text)
        value, unit = (parse_rational(match[1]), parse_unit(match[2])) if match else (None, None)
        if value is None or unit is None:
            return None
        return unit_text(dict(sorted(unit.items()))) if unit else "", [value]

    def holds(self, value: Quantity, task: Task) -> bool:
        """The exact value in the wanted unit, or the dimension that shows why there is none."""
        name, numbers = value
        if "dimension" in task.answer:
            return name == "impossible" and numbers == task.answer["dimension"]
        wanted = unit_text(dict(sorted((parse_unit(task.answer["unit"]) or {}).items())))
        return name in ("", wanted) and numbers == [Fraction(task.answer["value"])]


@register("rlvr/UnitConversion-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class UnitConversion(Problem):
    """Convert a quantity into another unit, or show that the two units measure different things.

    Difficulty d goes from lengths and masses to quantities such as pressure, and from 3 on one question in six
    has no answer: then the dimension of the given quantity is the proof that it was looked at.
    """

    verifier: ClassVar[str] = "quantity"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a kind of quantity, two units for it and a value."""
        kinds = _KINDS[max(0, difficulty - 2) : 2 + difficulty]
        kind = pick(rng, kinds)
        source = _unit(rng, kind, difficulty)
        impossible = difficulty >= 3 and rng.random() < 1 / 6
        other = pick(rng, [k for k in kinds if k != kind]) if impossible else kind
        target = _unit(rng, other, difficulty)
        while target == source:
            target = _unit(rng, other, difficulty)
        value = Fraction(integer(rng, 2, 99 * difficulty), pick(rng, (1, 1, 10) if difficulty > 3 else (1,)))
        amount = f"{float(value):g} {unit_text(source)}"
        facts = [fact for name, fact in _FACTS.items() if name in source or name in target]
        question = f"Convert {amount} to {unit_text(target)}.{''.join(f' ({fact})' for fact in facts)}"
        if difficulty >= 3:
            question += (
                "\nIf the units measure different kinds of quantity, answer impossible: followed by the exponents of "
                f"mass, length and time in the dimension of {unit_text(source)}."
            )
        steps, answer = _work(value, source, target, kind, impossible)
        if answer.get("value") == "1":
            return self.generate(rng, difficulty)
        size = sum(abs(k) for k in (*source.values(), *target.values()))
        return Task(
            prompt=ask(
                question,
                f"the exact value in {unit_text(target)} (a whole number, decimal or fraction)"
                + (", or the word impossible with the three exponents" if difficulty >= 3 else ""),
                "impossible: 9, -8, 7" if impossible else f"3/1009 {unit_text(target)}",
            ),
            answer=answer,
            metadata={"hardness": 4 * size + sum(map(len, steps)) / 10},
            solution="\n".join(steps),
        )

    def answer_text(self, task: Task) -> str:
        """Value and unit, or the dimension."""
        answer: dict[str, Any] = task.answer
        if "dimension" in answer:
            return f"impossible: {', '.join(map(str, answer['dimension']))}"
        return f"{answer['value']} {answer['unit']}"


def _unit(rng: np.random.Generator, kind: dict[str, int], difficulty: int) -> Unit:
    names = {dim: [n for n in units if difficulty > 4 or n not in _FACTS] for dim, units in _BASE.items()}
    return {pick(rng, names[dim]): exponent for dim, exponent in kind.items()}


def _work(
    value: Fraction, source: Unit, target: Unit, kind: dict[str, int], impossible: bool
) -> tuple[list[str], dict[str, Any]]:
    dimension = [kind.get(dim, 0) for dim in ("mass", "length", "time")]
    steps = [f"{unit_text(source)} has the exponents {dimension} of mass, length and time."]
    if impossible:
        exponents = ", ".join(map(str, dimension))
        return [*steps, f"{unit_text(target)} has others.", f"impossible: {exponents}"], {
            "dimension": dimension
        }
    for (old, exponent), new in zip(source.items(), target, strict=True):
        if old != new:
            ratio = _UNITS[old][1] / _UNITS[new][1]
            steps.append(
                f"1 {old} = {ratio} {new}, to the power {exponent}: {value} * ({ratio})^({exponent})"
            )
            value *= ratio**exponent
            steps[-1] += f" = {value}"
    return [*steps, f"The result is {value} {unit_text(target)}"], {
        "value": str(value),
        "unit": unit_text(target),
    }
