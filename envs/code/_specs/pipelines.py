"""New functions out of steps that follow each other, each with a constant of its own."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rlvr_gym.envs.code._specs.base import SPECS, Program, Spec
from rlvr_gym.envs.code._specs.inputs import ANY_INTS, ANY_TEXT, ANY_WORDS, Draw, each

__all__ = ["draw_pipeline"]

_INTS, _WORDS, _TEXT = "list[int]", "list[str]", "str"
_DOMAINS: dict[str, tuple[str, Draw]] = {
    _INTS: ("numbers", ANY_INTS),
    _WORDS: ("words", ANY_WORDS),
    _TEXT: ("text", ANY_TEXT),
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: ``{v}`` stands for the value so far and ``{k}`` for a constant from 2 to 6."""

    takes: str
    gives: str
    text: str
    code: str


_STEPS = tuple(
    _Step(takes, gives, text, code)
    for takes, gives, rows in (
        (
            _INTS,
            _INTS,
            (
                ("Add {k} to every number.", "[x + {k} for x in {v}]"),
                ("Subtract {k} from every number.", "[x - {k} for x in {v}]"),
                ("Multiply every number by {k}.", "[x * {k} for x in {v}]"),
                ("Replace every number by its square.", "[x * x for x in {v}]"),
                ("Replace every number by its absolute value.", "[abs(x) for x in {v}]"),
                (
                    "Replace every number by its remainder when divided by {k} (never negative).",
                    "[x % {k} for x in {v}]",
                ),
                ("Divide every number by {k} and round down.", "[x // {k} for x in {v}]"),
                ("Double the odd numbers only.", "[x * 2 if x % 2 else x for x in {v}]"),
                ("Keep only the even numbers.", "[x for x in {v} if x % 2 == 0]"),
                ("Keep only the odd numbers.", "[x for x in {v} if x % 2 != 0]"),
                ("Keep only the numbers greater than {k}.", "[x for x in {v} if x > {k}]"),
                ("Keep only the numbers less than {k}.", "[x for x in {v} if x < {k}]"),
                ("Remove the multiples of {k}.", "[x for x in {v} if x % {k} != 0]"),
                ("Sort the numbers in ascending order.", "sorted({v})"),
                ("Sort the numbers in descending order.", "sorted({v}, reverse=True)"),
                ("Reverse the list.", "{v}[::-1]"),
                ("Remove the first {k} numbers (all, if there are not so many).", "{v}[{k}:]"),
                ("Keep only the last {k} numbers (all, if there are not so many).", "{v}[-{k}:]"),
                ("Keep only every second number, beginning with the first.", "{v}[::2]"),
                ("Append a copy of the list to itself.", "{v} + {v}"),
            ),
        ),
        (
            _INTS,
            "int",
            (
                ("Give the sum of the numbers.", "sum({v})"),
                ("Give the greatest number, or {k} if there are none.", "max({v}, default={k})"),
                ("Give the least number, or {k} if there are none.", "min({v}, default={k})"),
                ("Count the different numbers.", "len(set({v}))"),
                ("Count the numbers greater than {k}.", "sum(x > {k} for x in {v})"),
                ("Give the sum of every {k}-th number, beginning with the first.", "sum({v}[::{k}])"),
            ),
        ),
        (
            _WORDS,
            _WORDS,
            (
                ("Reverse the letters of every word.", "[w[::-1] for w in {v}]"),
                ("Keep only the words with at least {k} letters.", "[w for w in {v} if len(w) >= {k}]"),
                ("Cut every word after its first {k} letters.", "[w[:{k}] for w in {v}]"),
                ("Sort the words alphabetically.", "sorted({v})"),
                ("Sort the words by length; equally long ones keep their order.", "sorted({v}, key=len)"),
                ("Remove the words that contain the letter e.", "[w for w in {v} if 'e' not in w]"),
                ("Put the first letter of every word at its end.", "[w[1:] + w[:1] for w in {v}]"),
                ("Reverse the list.", "{v}[::-1]"),
            ),
        ),
        (
            _WORDS,
            _INTS,
            (
                ("Replace every word by its length.", "[len(w) for w in {v}]"),
                (
                    "Replace every word by the number of letters a, e, i, o, u in it.",
                    "[sum(c in 'aeiou' for c in w) for w in {v}]",
                ),
            ),
        ),
        (_WORDS, _TEXT, (("Join the words with spaces.", "' '.join({v})"),)),
        (_TEXT, _WORDS, (("Split the text at its spaces.", "{v}.split()"),)),
        (_TEXT, _TEXT, (("Make all letters small.", "{v}.lower()"), ("Reverse the text.", "{v}[::-1]"))),
    )
    for text, code in rows
)


@lru_cache(maxsize=1)
def _library() -> dict[str, tuple[_Step | Spec, ...]]:
    """What can come next, by the type of the value so far: steps, and whole specifications."""
    table: dict[str, list[_Step | Spec]] = {kind: [] for kind in _DOMAINS}
    for step in _STEPS:
        table[step.takes].append(step)
    for spec in SPECS.values():
        if spec.total:
            table[spec.takes[0]].append(spec)
    return {kind: tuple(entries) for kind, entries in table.items()}


def draw_pipeline(
    rng: np.random.Generator, depth: int, accepts: Callable[[str], bool] = lambda kind: True
) -> Program:
    """A function of ``depth`` steps; all but the last give something that can go on.

    Args:
        rng: the source of randomness.
        depth: the number of steps, from 1.
        accepts: whether a type may be the result's.
    """
    start = list(_DOMAINS)[int(rng.choice(3, p=(0.6, 0.25, 0.15)))]
    name, domain = _DOMAINS[start]
    kind, value = start, name
    texts: list[str] = []
    helpers: dict[str, str] = {}
    lines: list[str] = []
    for i in range(depth):
        final = i == depth - 1
        options = [s for s in _library()[kind] if s.gives in _DOMAINS or final]
        options = [s for s in options if not final or accepts(s.gives)]
        entry = options[int(rng.integers(len(options)))]
        text, code = _written(entry, value, rng, helpers)
        texts.append(text)
        value = "result" if final else f"step{i + 1}"
        lines.append(f"    {value} = {code}")
        kind = entry.gives
    signature = f"def transform({name}: {start}) -> {kind}:"
    source = "\n\n".join([*helpers.values(), "\n".join([signature, *lines, "    return result"])])
    steps = "\n".join(f"{i}. {text}" for i, text in enumerate(texts, start=1))
    statement = f"Take `{name}` and do this, one step after the other, each with the result of the one before:\n{steps}"
    return Program("transform", statement, ast.unparse(ast.parse(source)), each(domain))


def _written(
    entry: _Step | Spec, value: str, rng: np.random.Generator, helpers: dict[str, str]
) -> tuple[str, str]:
    """The statement and the code of one step; adds the helper function that it calls."""
    if isinstance(entry, _Step):
        k = str(int(rng.integers(2, 7)))
        return entry.text.replace("{k}", k), entry.code.replace("{v}", value).replace("{k}", k)
    program = entry.program(rng)
    name = program.name
    if helpers.get(name, program.source) != program.source:  # the same one with other constants
        name = f"{program.name}_{len(helpers)}"
    helpers[name] = program.source.replace(f"def {program.name}(", f"def {name}(")
    return f"{program.statement}", f"{name}({value})"
