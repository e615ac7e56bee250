"""Questions about a database that is too large to be read, with SQL queries between the turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, level, pick
from rlvr_gym.envs.code._sql import DOMAINS, Database, Domain, answer_of, draw_database
from rlvr_gym.envs.tools._dialogue import AnswerDialogue, Session, turns_for
from rlvr_gym.envs.tools._sql_tool import SQLDatabase
from rlvr_gym.errors import RLVRError
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["SQLAgent"]

_WINDOW = 3

_SUMS = "SELECT t.id, SUM(r.{amount}) AS s FROM {things} t JOIN {records} r ON r.{key} = t.id"
_JOINED = "SELECT SUM(r.{amount}) FROM {records} r JOIN {things} t ON r.{key} = t.id"
_QUESTIONS = sorted((
    ("What is the sum of {amount} over all rows of {records}?",
     "SELECT SUM({amount}) FROM {records}"),
    ("What is the sum of {amount} over the rows of {records} whose {kind} is '{x}'?",
     "SELECT SUM({amount}) FROM {records} WHERE {kind} = '{x}'"),
    ("What is the sum of {amount} over the rows of {records} whose {kind} is '{x}' and whose id is even?",
     "SELECT SUM({amount}) FROM {records} WHERE {kind} = '{x}' AND id % 2 = 0"),
    ("What is the sum of {amount} over the rows of {records} of the {thing} with the name {name}?",
     f"{_JOINED} WHERE t.name = '{{name}}'"),
    ("What is the sum of {amount} over the rows of {records} whose {thing} has the {group} '{g}'?",
     f"{_JOINED} WHERE t.{{group}} = '{{g}}'"),
    ("What is the sum of {amount} over the rows of {records} whose {kind} is '{x}' and whose {thing} has a {value} "
     "greater than {k}?",
     f"{_JOINED} WHERE r.{{kind}} = '{{x}}' AND t.{{value}} > {{k}}"),
    ("Which {thing} has the greatest sum of {amount} over its rows of {records}? Give its id; of several the smallest.",
     f"SELECT id FROM ({_SUMS} GROUP BY t.id) ORDER BY s DESC, id LIMIT 1"),
    ("Take the sum of {amount} over the rows of {records} for each {group}. What is the greatest of these sums minus the "
     "smallest?",
     f"SELECT MAX(s) - MIN(s) FROM ({_SUMS} GROUP BY t.{{group}})"),
    ("Which {thing} has the second greatest sum of {amount} over its rows of {records} whose {kind} is '{x}'? Give its id; "
     "{things} with equal sums stand in the order of their ids.",
     f"SELECT id FROM ({_SUMS} WHERE r.{{kind}} = '{{x}}' GROUP BY t.id) ORDER BY s DESC, id LIMIT 1 OFFSET 1"),
    ("What is the sum of {amount} over the rows of {records} whose {amount} is greater than the mean {amount} of all rows "
     "with the same {kind}?",
     "SELECT SUM(r.{amount}) FROM {records} r WHERE r.{amount} > "
     "(SELECT AVG(s.{amount}) FROM {records} s WHERE s.{kind} = r.{kind})"),
    ("In the order of ids, what is the id of the row of {records} at which the sum of {amount} over the rows so far becomes "
     "greater than half of the sum over all rows?",
     "SELECT MIN(id) FROM (SELECT id, SUM({amount}) OVER (ORDER BY id) AS s FROM {records}) "
     "WHERE 2 * s > (SELECT SUM({amount}) FROM {records})"),
    ("Take, for each {kind}, the greatest sum of {amount} that one {thing} has over its rows of {records} of this {kind}. "
     "What is the sum of these greatest sums?",
     "SELECT SUM(m) FROM (SELECT MAX(s) AS m FROM (SELECT r.{kind} AS k, r.{key} AS t, SUM(r.{amount}) AS s "
     "FROM {records} r GROUP BY r.{kind}, r.{key}) GROUP BY k)"),
    ("Take the {group} with the greatest sum of {amount} over the rows of {records} of its {things} (of several the "
     "alphabetically first). Which of its {things} has the smallest such sum, those without rows left out? Give its id; of "
     "several the smallest.",
     f"SELECT id FROM ({_SUMS} WHERE t.{{group}} = (SELECT u.{{group}} FROM {{things}} u JOIN {{records}} q ON "
     "q.{key} = u.id GROUP BY u.{group} ORDER BY SUM(q.{amount}) DESC, u.{group} LIMIT 1) GROUP BY t.id) "
     "ORDER BY s, id LIMIT 1"),
), key=lambda question: len(question[1].split()))  # fmt: skip
"""Questions and the queries that answer them, from few words to many; every answer is a whole number."""


@register("rlvr/SQLAgent-v0", family="tools")
@dataclass(frozen=True, kw_only=True)
class SQLAgent(AnswerDialogue):
    """Answer a question about a database with SQLite queries; its tables have to be asked for first.

    Queries can only read, run in the sandbox, and give at most 50 rows. Difficulty 1 to 10 goes from a sum to nested and
    window queries, and from 60 to 420 rows; the hardness is the number of words of the reference query.
    """

    verifier: ClassVar[str] = "rational"
    form: ClassVar[str] = "the number"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a database and a question that has an answer in it."""
        first = round((len(_QUESTIONS) - _WINDOW) * (difficulty - 1) / 9)
        text, query = _QUESTIONS[first + integer(rng, 0, _WINDOW - 1)]
        domain = pick(rng, DOMAINS)
        rows: list[list[Any]] = [[None]]
        while not rows or rows[0][0] is None:
            tables = draw_database(domain, level(difficulty, 12, 26), 20 + 40 * difficulty, rng)
            names = _draw_names(domain, tables, rng)
            rows = answer_of(domain.schema, tables, query.format(**names))
        plan = [[["tables", {}]], [["query", {"sql": query.format(**names)}]]]
        turns = turns_for(plan) + 2
        return Task(
            prompt=(
                f"There is an SQLite database with the tables {domain.things} and {domain.records}; each row of "
                f"{domain.records} belongs to one {domain.thing}.\n\n{text.format(**names)}\n\n"
                f"{self.rules(self.tools(SQLDatabase(domain.schema, tables)), turns)} When you know the answer, give it as a whole "
                "number in <answer> tags, without a call, for example <answer>-1</answer>."
            ),
            answer=str(rows[0][0]),
            metadata={
                "hardness": len(query.split()),
                "turns": turns,
                "plan": plan,
                "schema": domain.schema,
                "tables": tables,
            },
        )

    def open(self, task: Task) -> SQLDatabase:
        """The database of this task."""
        return SQLDatabase(task.metadata["schema"], task.metadata["tables"])

    def tools(self, world: Any) -> Sequence[Tool]:
        """Its definitions, and queries."""
        tools: Sequence[Tool] = world.tools()
        return tools

    def use(self, session: Session, action: str) -> Reply | None:
        """Without a sandbox the episode ends with a verdict that says nothing about the policy."""
        try:
            return super().use(session, action)
        except RLVRError as error:
            return Reply(verdict=Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=str(error)))


def _draw_names(domain: Domain, tables: Database, rng: np.random.Generator) -> dict[str, str]:
    """What a question is filled with."""
    _, low, high = domain.value
    return {
        **domain.names,
        "k": str(integer(rng, low + (high - low) // 4, high - (high - low) // 4)),
        "x": pick(rng, domain.kind[1]),
        "g": pick(rng, domain.group[1]),
        "name": str(pick(rng, tables[domain.things])[1]),
    }
