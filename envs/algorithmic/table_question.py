"""TableQuestion: a question about a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick, shuffled
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, integer_of

__all__ = ["TableAnswerVerifier", "TableQuestion"]

NAMES = (
    "Ada", "Bo", "Carl", "Dina", "Emil", "Fay", "Greta", "Hugo", "Ida", "Jon", "Kim", "Lea", "Max", "Nora", "Otto",
    "Pia", "Quin", "Rosa", "Sam", "Tess", "Ugo", "Vera", "Will", "Xenia", "Yara", "Zoe",
)  # fmt: skip
TOWNS = ("Oslo", "Rome", "Lima", "Cairo")
TEAMS = ("red", "blue", "green")

Row = dict[str, str | int]


@register_verifier("table_answer")
class TableAnswerVerifier(ParsedVerifier[str]):
    """``task.answer`` is ``{"kind", "right", "names"}``: a number, or any one of the names that are right."""

    def read(self, answer: str, task: Task) -> str | None:
        """A number or a name, as it stands in the table."""
        if task.answer["kind"] == "number":
            number = integer_of(answer)
            return None if number is None else str(number)
        names = parse_names(answer, task.answer["names"])
        return names[0] if names is not None and len(names) == 1 else None

    def holds(self, value: str, task: Task) -> bool:
        """One of the right ones."""
        return value in task.answer["right"]


@register("rlvr/TableQuestion-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class TableQuestion(Problem):
    """Answer a question about the rows of a table that meet conditions: how many, a sum, or who has most or least.

    Difficulty 1 has 4 rows and 10 has 25; from 4 on there are two conditions and from 8 on three. Where several rows
    share the greatest value, each of their names counts. The hardness is the number of rows times the number of
    columns that have to be looked at.
    """

    verifier: ClassVar[str] = "table_answer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws rows, conditions that some rows meet, and a question."""
        count = level(difficulty, 4, 25)
        columns = ["town", "team", "age"][: 1 + (difficulty >= 4) + (difficulty >= 8)]
        while True:
            rows = _draw(rng, count)
            texts, kept = _filter(rng, rows, columns)
            if kept:
                break
        kind = pick(rng, ("count", "sum", "most", "least"))
        where = " and ".join(texts)
        points = [int(row["points"]) for row in kept]
        if kind == "count":
            question, right = f"How many rows have {where}?", [str(len(kept))]
        elif kind == "sum":
            question, right = f"What is the sum of the points of the rows with {where}?", [str(sum(points))]
        else:
            best = max(points) if kind == "most" else min(points)
            question = (
                f"Who has the {'most' if kind == 'most' else 'fewest'} points among the rows with {where}?"
            )
            right = [str(row["name"]) for row in kept if row["points"] == best]
            question += " If several share them, name one of these." if len(right) > 1 else ""
        found = [f"{row['name']} ({row['points']})" for row in kept]
        answer_kind = "number" if kind in ("count", "sum") else "name"
        return Task(
            prompt=ask(
                f"{_markdown(rows)}\n\n{question}",
                f"the {answer_kind}",
                *(("12", "13") if answer_kind == "number" else ("Leonard",)),
                answer=right[0],
            ),
            answer={"kind": answer_kind, "right": right, "names": [row["name"] for row in rows]},
            metadata={"rows": count, "kind": kind, "hardness": count * (len(columns) + (kind != "count"))},
            solution=f"The rows with {where}: {', '.join(found)}.\nSo: {right[0]}",
        )

    def answer_text(self, task: Task) -> str:
        """The first of the right answers."""
        return str(task.answer["right"][0])


def _draw(rng: np.random.Generator, count: int) -> list[Row]:
    draws = rng.random((count, 4)).tolist()
    return [
        {
            "name": name,
            "town": TOWNS[int(a * len(TOWNS))],
            "team": TEAMS[int(b * len(TEAMS))],
            "age": 18 + int(c * 50),
            "points": 5 + 5 * int(d * 10),
        }
        for name, (a, b, c, d) in zip(shuffled(rng, NAMES)[:count], draws, strict=True)
    ]


def _filter(rng: np.random.Generator, rows: list[Row], columns: list[str]) -> tuple[list[str], list[Row]]:
    """Conditions as text, and the rows that meet them."""
    texts = []
    for column in columns:
        if column == "age":
            limit = integer(rng, 30, 55)
            texts.append(f"an age of at least {limit}")
            rows = [row for row in rows if int(row["age"]) >= limit]
        else:
            value = pick(rng, TOWNS if column == "town" else TEAMS)
            texts.append(f"the {column} {value}")
            rows = [row for row in rows if row[column] == value]
    return texts, rows


def _markdown(rows: list[Row]) -> str:
    header = list(rows[0])
    lines = [header, ["---"] * len(header), *([str(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
