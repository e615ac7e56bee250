"""Databases of several domains, and questions about them with the query that answers each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DOMAINS", "QUESTIONS", "Database", "Domain", "Question", "answer_of", "draw_database"]

Database = dict[str, list[list[Any]]]
"""Table -> rows."""

_NAMES = (
    "Ada", "Ben", "Cleo", "Dora", "Emil", "Finn", "Gita", "Hugo", "Ines", "Jon", "Kira", "Levi", "Mina", "Nils",
    "Olga", "Pia", "Quin", "Rosa", "Sven", "Tara", "Uma", "Vera", "Wim", "Xena", "Yuri", "Zoe",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Domain:
    """Two tables: things with a name, a group and a value, and their records with a kind and an amount.

    Attributes:
        things: the first table.
        thing: one of them, for the questions.
        group: the column of the group, and its values.
        value: the column of the value, and its lowest and highest number.
        records: the second table.
        key: its column that refers to the first table's id.
        kind: the column of the kind, and its values.
        amount: the column of the amount, and its highest number.
    """

    things: str
    thing: str
    group: tuple[str, tuple[str, ...]]
    value: tuple[str, int, int]
    records: str
    key: str
    kind: tuple[str, tuple[str, ...]]
    amount: tuple[str, int]

    @property
    def names(self) -> dict[str, str]:
        """The names that questions and queries are filled with."""
        return {
            "things": self.things, "thing": self.thing, "group": self.group[0], "value": self.value[0],
            "records": self.records, "key": self.key, "kind": self.kind[0], "amount": self.amount[0],
        }  # fmt: skip

    @property
    def schema(self) -> str:
        """The tables' definitions."""
        n = self.names
        return (
            f"CREATE TABLE {n['things']} (id INTEGER, name TEXT, {n['group']} TEXT, {n['value']} INTEGER);\n"
            f"CREATE TABLE {n['records']} (id INTEGER, {n['key']} INTEGER, {n['kind']} TEXT, {n['amount']} INTEGER);"
        )


DOMAINS = (
    Domain(
        "employees", "employee", ("city", ("Bonn", "Lima", "Oslo", "Pune")), ("salary", 20, 60),
        "sales", "employee_id", ("product", ("lamp", "desk", "sofa", "rug")), ("price", 40),
    ),
    Domain(
        "students", "student", ("school", ("North", "East", "South", "West")), ("age", 11, 19),
        "exams", "student_id", ("subject", ("art", "math", "music", "latin")), ("points", 30),
    ),
    Domain(
        "authors", "author", ("country", ("Chad", "Fiji", "Iran", "Peru")), ("born", 1900, 1990),
        "books", "author_id", ("genre", ("crime", "drama", "poems", "travel")), ("pages", 500),
    ),
    Domain(
        "ships", "ship", ("harbour", ("Cork", "Genoa", "Kobe", "Riga")), ("capacity", 10, 50),
        "trips", "ship_id", ("cargo", ("coal", "corn", "salt", "wool")), ("tons", 50),
    ),
    Domain(
        "players", "player", ("team", ("Bears", "Foxes", "Hawks", "Seals")), ("age", 18, 38),
        "games", "player_id", ("place", ("home", "away", "neutral")), ("goals", 7),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the query that answers it; ``{k}``, ``{x}`` and the domain's names are filled in.

    Attributes:
        text: the question.
        query: the answer.
        ordered: whether the order of the rows is asked for.
        constant: which number ``{k}`` is: a value or an amount of the domain, or a small count.
    """

    text: str
    query: str
    ordered: bool = False
    constant: str = "count"


_JOIN = "{things} t JOIN {records} r ON r.{key} = t.id"

QUESTIONS = (
    Question("List the name of every {thing} whose {value} is greater than {k}.",
             "SELECT name FROM {things} WHERE {value} > {k}", constant="value"),
    Question("How many rows does {records} have whose {kind} is '{x}'?",
             "SELECT COUNT(*) FROM {records} WHERE {kind} = '{x}'"),
    Question("List the different values of {group} in alphabetical order.",
             "SELECT DISTINCT {group} FROM {things} ORDER BY {group}", ordered=True),
    Question("List name and {value} of every {thing}, the greatest {value} first, and with equal {value} by name.",
             "SELECT name, {value} FROM {things} ORDER BY {value} DESC, name", ordered=True),
    Question("For each {group} that occurs in {things}, give the {group} and how many rows of {things} have it.",
             "SELECT {group}, COUNT(*) FROM {things} GROUP BY {group}"),
    Question("For each {kind} that occurs in {records}, give the {kind} and the sum of {amount}, the greatest sum first, "
             "and equal sums in the order of {kind}.",
             "SELECT {kind}, SUM({amount}) FROM {records} GROUP BY {kind} ORDER BY SUM({amount}) DESC, {kind}",
             ordered=True),
    Question("For every row of {records} whose {kind} is '{x}', give the name of its {thing} and the {amount}.",
             "SELECT t.name, r.{amount} FROM " + _JOIN + " WHERE r.{kind} = '{x}'"),
    Question("List each {group} that at least {k} rows of {things} have.",
             "SELECT {group} FROM {things} GROUP BY {group} HAVING COUNT(*) >= {k}"),
    Question("List the name of every {thing} that has no rows in {records}.",
             "SELECT name FROM {things} WHERE id NOT IN (SELECT {key} FROM {records})"),
    Question("For every {thing} give the name and the sum of {amount} over its rows in {records}; 0 if it has none.",
             "SELECT t.name, COALESCE(SUM(r.{amount}), 0) FROM {things} t LEFT JOIN {records} r ON r.{key} = t.id "
             "GROUP BY t.id, t.name"),
    Question("List the name of every {thing} whose {value} is greater than the average {value} of all {things}, by name.",
             "SELECT name FROM {things} WHERE {value} > (SELECT AVG({value}) FROM {things}) ORDER BY name",
             ordered=True),
    Question("Give name and sum of {amount} of the {k} {things} with the greatest sums of {amount} over their rows in "
             "{records}, the greatest first, and with equal sums by name. Those without rows do not count.",
             "SELECT t.name, SUM(r.{amount}) FROM " + _JOIN + " GROUP BY t.id, t.name "
             "ORDER BY SUM(r.{amount}) DESC, t.name LIMIT {k}", ordered=True),
    Question("List each {kind} that has rows in {records} of {things} of at least {k} different values of {group}.",
             "SELECT r.{kind} FROM " + _JOIN + " GROUP BY r.{kind} HAVING COUNT(DISTINCT t.{group}) >= {k}"),
    Question("For each {group} give the {group}, and the name of every {thing} in it whose {value} is the greatest there.",
             "SELECT t.{group}, t.name FROM {things} t WHERE t.{value} = "
             "(SELECT MAX(u.{value}) FROM {things} u WHERE u.{group} = t.{group})"),
    Question("Give the id of every row of {records} whose {amount} is greater than the average {amount} of the rows with "
             "the same {kind}.",
             "SELECT r.id FROM {records} r WHERE r.{amount} > "
             "(SELECT AVG(s.{amount}) FROM {records} s WHERE s.{kind} = r.{kind})"),
    Question("For every {thing} that has rows in {records}, give the name and the number of its rows whose {kind} is not "
             "'{x}' (0 if all are).",
             "SELECT t.name, SUM(CASE WHEN r.{kind} <> '{x}' THEN 1 ELSE 0 END) FROM " + _JOIN +
             " GROUP BY t.id, t.name"),
    Question("List the pairs of names of different {things} with the same {group} and the same set of values of {kind} in "
             "their rows in {records} (both have none, or both have the same ones), the alphabetically first name first.",
             "SELECT a.name, b.name FROM {things} a JOIN {things} b ON a.{group} = b.{group} AND a.name < b.name "
             "WHERE NOT EXISTS (SELECT 1 FROM {records} r WHERE r.{key} = a.id AND r.{kind} NOT IN "
             "(SELECT s.{kind} FROM {records} s WHERE s.{key} = b.id)) AND NOT EXISTS (SELECT 1 FROM {records} r "
             "WHERE r.{key} = b.id AND r.{kind} NOT IN (SELECT s.{kind} FROM {records} s WHERE s.{key} = a.id))"),
    Question("For every row of {records} give its id, and the sum of {amount} over the rows of the same {thing} with this "
             "or a smaller id; only for {things} whose {value} is greater than {k}. Order the rows by id.",
             "SELECT r.id, SUM(r.{amount}) OVER (PARTITION BY r.{key} ORDER BY r.id) FROM " + _JOIN +
             " WHERE t.{value} > {k} ORDER BY r.id", ordered=True, constant="value"),
    Question("For each {group} that has rows in {records}, give the {group}, and the {kind} with the greatest sum of "
             "{amount} over the rows of the {things} of this {group}; of several the alphabetically first.",
             "WITH sums AS (SELECT t.{group} AS g, r.{kind} AS k, SUM(r.{amount}) AS s FROM " + _JOIN +
             " GROUP BY t.{group}, r.{kind}), ranked AS (SELECT g, k, ROW_NUMBER() OVER "
             "(PARTITION BY g ORDER BY s DESC, k) AS place FROM sums) SELECT g, k FROM ranked WHERE place = 1"),
    Question("List the name of every {thing} that has, for each {kind} which occurs in {records}, at least one row with this "
             "{kind} and an {amount} of {k} or more; nobody if {records} is empty.",
             "SELECT t.name FROM {things} t WHERE EXISTS (SELECT 1 FROM {records}) AND NOT EXISTS "
             "(SELECT 1 FROM {records} r WHERE NOT EXISTS (SELECT 1 FROM {records} s WHERE s.{key} = t.id AND "
             "s.{kind} = r.{kind} AND s.{amount} >= {k}))"),
)  # fmt: skip
"""From easy to hard."""


def draw_database(domain: Domain, things: int, records: int, rng: np.random.Generator) -> Database:
    """Random rows. Values repeat, some things have no records, and the tables are in no special order."""
    names = [_NAMES[int(i)] for i in rng.permutation(len(_NAMES))[:things]]
    _, low, high = domain.value
    groups, kinds = domain.group[1], domain.kind[1]
    ids = [int(i) for i in rng.permutation(2 * things)[:things] + 1]
    rows: list[list[Any]] = [
        [i, name, groups[int(rng.integers(len(groups)))], int(rng.integers(low, high + 1))]
        for i, name in zip(ids, names, strict=True)
    ]
    active = ids[: max(1, (3 * things) // 4)]
    numbers = [int(i) for i in rng.permutation(3 * records)[:records] + 1]
    recorded: list[list[Any]] = [
        [
            i,
            active[int(rng.integers(len(active)))],
            kinds[int(rng.integers(len(kinds)))],
            int(rng.integers(1, domain.amount[1] + 1)),
        ]
        for i in (numbers if active else [])
    ]
    return {domain.things: rows, domain.records: recorded}


def answer_of(schema: str, tables: Database, query: str) -> list[list[Any]]:
    """The rows that a query of ours gives; never used on text of a policy."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(schema)
        for table, rows in tables.items():
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)
        return [list(row) for row in connection.execute(query)]
    finally:
        connection.close()
