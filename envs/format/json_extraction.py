"""JSONExtraction: facts of a messy text as a JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import level, pick, shuffled
from rlvr_gym.envs.format._documents import DOCUMENTS, Document
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["JSONExtraction"]

_MEANINGS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "date": "date as text, YYYY-MM-DD",
}
_EXAMPLE = '{"color": "green", "pieces": 7, "sold_on": "2001-05-30", "price": null}'


@register("rlvr/JSONExtraction-v0", family="format")
@dataclass(frozen=True, kw_only=True)
class JSONExtraction(Problem):
    """Read facts out of an e-mail, an invoice, a booking or a log and give them as a JSON object.

    The keys and types are stated; dates and numbers stand in the text in several ways of writing; what the text does
    not say is null. Difficulty d asks for 2 to 8 of the facts and brings 0 to 5 values of the same forms that are
    beside the point; from 3 on facts may be missing. The hardness is the number of values that have to be given and
    of those beside the point, and half a point for every value that stands otherwise in the text than in the answer.

    Attributes:
        graded: score the share of the fields that are right instead of all or nothing.
    """

    graded: bool = False

    verifier: ClassVar[str] = "json_extraction"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Writes a document and asks for some of its facts, at least one of which is told."""
        kind = pick(rng, tuple(DOCUMENTS))
        doc = Document(rng, level(difficulty, 0, 5), 0.0 if difficulty < 3 else 0.25)
        text = DOCUMENTS[kind](doc)
        chosen = shuffled(rng, tuple(doc.kinds))[: level(difficulty, 2, 8)]
        if all(doc.values[name] is None for name in chosen):
            chosen[0] = next(name for name, value in doc.values.items() if value is not None)
        values = {name: doc.values[name] for name in chosen}
        kinds = {name: doc.kinds[name] for name in chosen}
        keys = "\n".join(f'- "{name}" ({_type(kinds[name])}): {doc.meanings[name]}' for name in chosen)
        scored = (
            " An object with exactly these keys scores the share of them that is right; null for a fact that the text"
            " tells scores nothing, and a value for one that it does not tell takes off as much."
            if self.graded
            else ""
        )
        return Task(
            prompt=(
                f"Read this {kind}:\n\n{text}\n\nGive a JSON object with exactly these keys:\n{keys}\n\nA value is null if "
                "the text does not say it. Capital and small letters and the order of the keys do not matter, nor does "
                f"that of the objects in a list; numbers are JSON numbers without units.{scored}\nThink step by step, then "
                f"give the object in <answer> tags, for example <answer>{_EXAMPLE}</answer>."
            ),
            answer={"fields": kinds, "reference": values, "graded": self.graded},
            metadata={"document": kind, "fields": len(chosen), "hardness": _hardness(doc, chosen)},
            solution="\n".join(_step(doc, name) for name in chosen),
        )

    def answer_text(self, task: Task) -> str:
        """The object."""
        return json.dumps(task.answer["reference"], ensure_ascii=False)


def _type(kind: Any) -> str:
    if isinstance(kind, str):
        return _MEANINGS[kind]
    inner = ", ".join(f'"{name}" ({_MEANINGS[part]})' for name, part in kind[0].items())
    return f"list of objects with the keys {inner}"


def _step(doc: Document, name: str) -> str:
    value = doc.values[name]
    if value is None:
        return f"{name}: the text does not say it, so null."
    return f'{name}: the text has "{doc.notes[name]}", so {json.dumps(value, ensure_ascii=False)}.'


def _hardness(doc: Document, chosen: list[str]) -> float:
    points = float(doc.decoys)
    for name in chosen:
        value = doc.values[name]
        leaves = [v for row in value for v in _values(row)] if isinstance(value, list) else [value]
        points += len(leaves) + 0.5 * (str(value) != doc.notes[name])
    return points


def _values(row: Mapping[str, Any]) -> list[Any]:
    return list(row.values())
