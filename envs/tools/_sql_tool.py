"""Reading queries on a small SQLite database, run in the sandbox, with results as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlvr_gym.envs.code._sql import Database
from rlvr_gym.tools import Tool, ToolError
from rlvr_gym.verifiers.code import Limits, Record, get_sandbox, read_record

__all__ = ["MAX_ROWS", "SQLDatabase"]

MAX_ROWS = 50
MAX_QUERY_CHARS = 5_000
_MAX_CELL_CHARS = 200
_LIMITS = Limits(cpu_seconds=1.0, wall_seconds=4.0, memory_mb=128)

# A process that is killed bounds what SQLite's own limits do not: preparing a query can take exponential time, and
# LIKE, too. Functions are a list of allowed ones, because the results of some depend on the clock, chance or machine.
_RUNNER = """
import sqlite3

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
FUNCTIONS = set('''abs avg coalesce count cume_dist dense_rank first_value glob group_concat hex ifnull iif instr
    lag last_value lead length like likelihood likely lower ltrim max min nth_value ntile nullif percent_rank
    quote rank replace round row_number rtrim sign substr substring sum total trim typeof unicode unlikely upper
    '''.split())
MAX_STEPS = 2_000


def may(action, first, second, *_):
    fine = second in FUNCTIONS if action == sqlite3.SQLITE_FUNCTION else action in ALLOWED
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


def run(schema, tables, query, most):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.executescript(schema)
    for table, rows in tables.items():
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)
    connection.execute("PRAGMA query_only = ON")
    left = [MAX_STEPS]

    def tick():
        left[0] -= 1
        return left[0] < 0

    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 20_000)
    connection.set_authorizer(may)
    connection.set_progress_handler(tick, 1_000)
    try:
        cursor = connection.execute(query)
        if cursor.description is None:
            return ["error", "that is no SELECT"]
        return ["rows", [column[0] for column in cursor.description], [list(row) for row in cursor.fetchmany(most)]]
    except MemoryError:
        return ["large"]
    except Exception as error:
        return ["large"] if left[0] < 0 else ["error", str(error)]
"""


@dataclass(frozen=True, slots=True)
class SQLDatabase:
    """A database whose tables have four columns each.

    Attributes:
        schema: its definitions.
        tables: its rows.
    """

    schema: str
    tables: Database

    def describe(self) -> str:
        """The definitions, and how many rows there are."""
        counts = "\n".join(f"{table} has {len(rows)} rows." for table, rows in self.tables.items())
        return f"{self.schema}\n{counts}"

    def query(self, sql: str) -> str:
        """The rows that a query gives, as text.

        Raises:
            ToolError: if it gives none, because it is wrong, not allowed, or takes too much time or memory.
            SandboxError: if there is no sandbox to run it in.
        """
        if len(sql) > MAX_QUERY_CHARS:
            raise ToolError(f"A query may have {MAX_QUERY_CHARS:,} characters.")
        result = get_sandbox().call(_RUNNER, "run", [[self.schema, self.tables, sql, MAX_ROWS + 1]], _LIMITS)
        record = read_record(result.records[0]) if result.records else Record(raised=str(result.status))
        kind, *told = ["large"] if record.raised else record.value
        if (
            kind == "large"
        ):  # one message for all limits, since which of them is met first may depend on the machine
            raise ToolError(
                "The query takes too many steps, too much memory, or gives values that are too large."
            )
        if kind == "error":
            raise ToolError(_explain(str(told[0])))
        return _table(*told)

    def tools(self) -> Sequence[Tool]:
        """The database's tools."""
        return (
            Tool("tables", "the definitions of the tables", {}, self.describe),
            Tool("query", f"the rows of an SQLite SELECT, at most {MAX_ROWS}", {"sql": str}, self.query),
        )


def _explain(error: str) -> str:
    if any(word in error for word in ("not authorized", "authorization", "prohibited")):
        return f"The query is refused ({error}): it may read tables, and use functions that depend on nothing else."
    return f"The query fails: {error[:500]}."


def _table(names: list[str], rows: list[list[Any]]) -> str:
    lines = [" | ".join(map(_cell, row)) for row in (names, *rows[:MAX_ROWS])]
    more = [f"... (more than {MAX_ROWS} rows)"] if len(rows) > MAX_ROWS else []
    return "\n".join([*lines, *(more or ["(no rows)"] * (not rows))])


def _cell(value: Any) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= _MAX_CELL_CHARS else f"{text[:_MAX_CELL_CHARS]}..."
