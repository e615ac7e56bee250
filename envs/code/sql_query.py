"""Writing SQL queries that are tested on hidden databases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import CodeProblem, SandboxVerifier
from rlvr_gym.envs.code._programs import fenced
from rlvr_gym.envs.code._sql import (
    DOMAINS,
    QUESTIONS,
    Database,
    Domain,
    Question,
    answer_of,
    draw_database,
)
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.code import Limits, extract_program, get_sandbox, read_record

__all__ = ["SQLQuery", "SQLVerifier"]

_LIMITS = Limits(cpu_seconds=1.0, wall_seconds=4.0, memory_mb=128)
_MOST_CHARS = 5_000
_WINDOW = 5
_SIZES = ((5, 0), (6, 8), (9, 16), (12, 24), (14, 30))
"""Things and records of each hidden database."""

_RUNNER = """
import sqlite3

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def run(schema, tables, query):
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema)
    for table, rows in tables.items():
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)
    left = [500]

    def tick():
        left[0] -= 1
        return left[0] < 0

    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 20_000)
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY)
    connection.set_progress_handler(tick, 1_000)
    rows = connection.execute(query).fetchmany(1_001)
    return [list(row) for row in rows]
"""


@register_verifier("sql_query")
class SQLVerifier(SandboxVerifier):
    """The query gives the right rows on every hidden database: as a list if an order is asked for, else as a multiset.

    SQLite runs in the sandbox, with reading allowed and nothing else, a limit on steps, rows and the length of values.
    The expected rows stay outside. Whole fractions are equal to integers; text never is.

    ``task.answer`` has ``schema``, ``databases``, the ``expected`` rows of each, and ``ordered``.
    """

    def examine(self, completion: str, task: Task) -> Verdict:
        """Runs the query on every database."""
        wanted = task.answer
        query = extract_program(completion).strip()
        if not query:
            return Verdict.wrong(Reason.NO_ANSWER)
        if len(query) > _MOST_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, query[:500], limit=_MOST_CHARS)
        calls = [[wanted["schema"], tables, query] for tables in wanted["databases"]]
        result = get_sandbox().call(_RUNNER, "run", calls, _LIMITS)
        records = [read_record(line) for line in result.records]
        for i, (record, expected) in enumerate(zip(records, wanted["expected"], strict=False)):
            if record.raised:
                return Verdict.wrong(Reason.RUNTIME_ERROR, query[:2000], error=record.raised)
            if not _same(record.value, expected, wanted["ordered"]):
                return Verdict.wrong(Reason.WRONG_ANSWER, query[:2000], database=i)
        if len(records) < len(calls):
            return Verdict.wrong(Reason.RUNTIME_ERROR, query[:2000], error=str(result.status))
        return Verdict.right(query[:2000])


def _same(rows: Any, expected: list[list[Any]], ordered: bool) -> bool:
    ours, theirs = ([tuple(map(_plain, row)) for row in table] for table in (rows, expected))
    return ours == theirs if ordered else Counter(ours) == Counter(theirs)


def _plain(cell: Any) -> Any:
    """The cell, with sums of fractions made comparable."""
    return round(cell, 6) if isinstance(cell, float) else cell


@register("rlvr/SQLQuery-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class SQLQuery(CodeProblem):
    """Write an SQLite query that answers a question; it is tested on five hidden databases.

    There are twenty kinds of questions from a single condition to relational division and window functions, over five
    pairs of tables. Queries can only read. The hardness is the number of words of the reference query.
    """

    verifier: ClassVar[str] = "sql_query"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws tables, a question, and databases in which it has different answers."""
        while True:
            domain = DOMAINS[int(rng.integers(len(DOMAINS)))]
            first = round((len(QUESTIONS) - _WINDOW) * (difficulty - 1) / 9)
            question = QUESTIONS[first + int(rng.integers(_WINDOW))]
            text, query = _filled(question, domain, rng)
            sample, *databases = (draw_database(domain, *size, rng) for size in ((4, 6), *_SIZES))
            expected = [answer_of(domain.schema, tables, query) for tables in databases]
            if len({repr(rows) for rows in expected if rows}) >= 3:
                break
        shown = answer_of(domain.schema, sample, query)
        return Task(
            prompt=(
                f"An SQLite database has these tables, with no NULL in them, and ids and names that are unique:\n\n"
                f"{fenced(domain.schema, 'sql')}\n\n`{domain.key}` is the id of a row of {domain.things}.\n\n{text}\n\n"
                f"Give columns in the order in which they are named here. {_order(question)}\n\nFor example, with\n\n"
                f"{_written(sample)}\n\nthe result is {_rows(shown)}.\n\nYour query is tested on other databases, some "
                "with empty tables. Write one SELECT (WITH is allowed) and give it in an SQL code block (```sql)."
            ),
            answer={
                "schema": domain.schema,
                "databases": databases,
                "expected": expected,
                "ordered": question.ordered,
            },
            metadata={"question": QUESTIONS.index(question), "hardness": len(query.split())},
            solution=f"The tables {domain.things} and {domain.records} are enough for this.\n\n{fenced(query, 'sql')}",
        )

    @property
    def language(self) -> str:
        """Blocks are SQL."""
        return "sql"


def _order(question: Question) -> str:
    return "The order of the rows matters." if question.ordered else "The order of the rows does not matter."


def _filled(question: Question, domain: Domain, rng: np.random.Generator) -> tuple[str, str]:
    _, low, high = domain.value
    k = int(rng.integers(low + (high - low) // 4, high - (high - low) // 4 + 1))
    if question.constant == "count":
        k = int(rng.integers(2, 4))
    kinds = domain.kind[1]
    names = {**domain.names, "k": str(k), "x": kinds[int(rng.integers(len(kinds)))]}
    return question.text.format(**names), question.query.format(**names)


def _written(tables: Database) -> str:
    return "\n".join(f"{table}: {_rows(rows)}" for table, rows in tables.items())


def _rows(rows: list[list[Any]]) -> str:
    return ", ".join(f"({', '.join(map(repr, row))})" for row in rows) or "empty"
