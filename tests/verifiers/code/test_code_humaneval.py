"""HumanEval, whole: every reference passes on every backend, and wrong variants of each fail."""

from __future__ import annotations

import ast
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym.sandbox import Sandbox
from rlvr_gym.verdict import Reason
from rlvr_gym.verifiers.code import assemble, extract_program, humaneval_spec, judge_many

Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    root = Path(
        os.environ.get("RLVR_GYM_DATA", Path(__file__).resolve().parents[3].parent / "shared" / "data")
    )
    path = root / "humaneval" / "HumanEval.jsonl.gz"
    if not path.exists():
        pytest.skip(f"HumanEval is not at {path}; set RLVR_GYM_DATA to the folder that holds humaneval/")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def judge(rows: list[Row], completions: list[str], sandbox: Sandbox) -> list[Reason]:
    specs = [humaneval_spec(row) for row in rows]
    programs = [
        assemble(extract_program(completion), spec.prefix, spec.entry)
        for completion, spec in zip(completions, specs, strict=True)
    ]
    reports = judge_many(programs, specs, sandbox)
    return [report.reason for report in reports]  # a SandboxError has none, and fails the test


def returns(row: Row, change: str) -> str:
    """The reference with its result changed: ``change`` is an expression of ``result``."""
    entry = row["entry_point"]
    return f"{row['prompt']}{row['canonical_solution']}\n\n_right = {entry}\n\n\ndef {entry}(*args):\n    result = _right(*args)\n    return {change}\n"


OFF_BY_ONE = (
    "not result if isinstance(result, bool) else result + 1 if isinstance(result, (int, float)) "
    "else result + 'x' if isinstance(result, str) else 0 if result is None "
    "else type(result)([*result, 1]) if isinstance(result, (list, tuple)) else {**result, 'x': 1}"
)


def test_references_pass(sandbox, rows):
    assert len(rows) == 164
    continued = judge(rows, [row["canonical_solution"] for row in rows], sandbox)
    fenced = judge(
        rows, [f"```python\n{row['prompt']}{row['canonical_solution']}```" for row in rows], sandbox
    )
    assert [
        r["task_id"] for r, a, b in zip(rows, continued, fenced, strict=True) if {a, b} != {Reason.PASSED}
    ] == []


@pytest.mark.parametrize("variant", ["none", "off by one", "constant", "fence"])
def test_wrong_variants_fail(sandbox, rows, variant):
    completions = {
        "none": ["    return None\n"] * len(rows),
        "off by one": [f"```python\n{returns(row, OFF_BY_ONE)}```" for row in rows],
        "constant": ["    return True\n"] * len(rows),
        # an object that claims to be equal to everything, which HumanEval's own executor takes for right
        "fence": [
            f"```python\n{returns(row, 'type(' + repr('Y') + ', (), dict(__eq__=lambda a, b: True))()')}```"
            for row in rows
        ],
    }[variant]
    reasons = judge(rows, completions, sandbox)
    right = {row["task_id"] for row, reason in zip(rows, reasons, strict=True) if reason is Reason.PASSED}
    assert right == set()


def test_most_tests_become_cases(rows):
    specs = [humaneval_spec(row) for row in rows]
    assert sum(spec.kind == "calls" for spec in specs) >= 150
    for row, spec in zip(rows, specs, strict=True):
        asserts = sum(
            isinstance(n, ast.Assert) and not isinstance(n.test, ast.Constant)
            for n in ast.walk(ast.parse(row["test"]))
        )
        assert spec.kind == "tests" or len(spec.cases) == asserts
