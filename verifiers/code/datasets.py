"""Rows of the published benchmarks as specifications."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rlvr_gym.errors import DataError
from rlvr_gym.sandbox import Limits
from rlvr_gym.verifiers.code.asserts import cases_from_asserts
from rlvr_gym.verifiers.code.cases import CodeSpec

__all__ = ["assert_tests", "humaneval_spec", "mbpp_spec"]


def assert_tests(entry: str, tests: str, *, limits: Limits | None = None, **settings: Any) -> CodeSpec:
    """A specification by a source of assertions: cases where they are plain, else the source itself.

    Args:
        entry: the function that is tested.
        tests: the source; trusted.
        limits: what a program may use.
        **settings: further fields of :class:`~rlvr_gym.verifiers.code.cases.CodeSpec`.
    """
    cases = cases_from_asserts(tests, entry)
    if cases is not None:
        return CodeSpec("calls", tuple(cases), entry, limits=limits or Limits(), **settings)
    return CodeSpec("tests", entry=entry, tests=tests, limits=limits or Limits(), **settings)


def humaneval_spec(row: Mapping[str, Any], **settings: Any) -> CodeSpec:
    """A row of HumanEval (2107.03374): ``prompt``, ``entry_point``, ``test`` with ``check(candidate)``.

    The prompt is the specification's prefix, so a completion may continue it or define the function anew.

    Raises:
        DataError: if a column is missing.
    """
    try:
        entry, prompt, test = str(row["entry_point"]), str(row["prompt"]), str(row["test"])
    except KeyError as error:
        raise DataError(f"A row of HumanEval has prompt, entry_point and test; {error} is missing.") from None
    return assert_tests(entry, f"{test}\n\ncheck(candidate)\n", prefix=prompt, **settings)


def mbpp_spec(row: Mapping[str, Any], **settings: Any) -> CodeSpec:
    """A row of MBPP (2108.07732): ``test_list``, ``test_setup_code`` and the reference ``code``.

    Raises:
        DataError: if a column is missing, or no assertion calls a function.
    """
    try:
        asserts = [str(line) for line in row["test_list"]]
    except KeyError as error:
        raise DataError(f"A row of MBPP has test_list; {error} is missing.") from None
    defined = set(re.findall(r"^def[ \t]+(\w+)", str(row.get("code", "")), re.MULTILINE))
    called = [name for line in asserts for name in re.findall(r"\b([A-Za-z_]\w*)[ \t]*\(", line)]
    entry = next((name for name in called if name in defined), next(iter(called), ""))
    if not entry:
        raise DataError(f"No assertion of this row of MBPP calls a function: {asserts!r:.200}.")
    setup = str(row.get("test_setup_code", "") or "")
    return assert_tests(entry, "\n".join([setup, *asserts]) if setup else "\n".join(asserts), **settings)
