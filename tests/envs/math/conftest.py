"""Tasks, scores, and SymPy as an independent oracle (it only ever reads what the generators wrote)."""

from __future__ import annotations

from typing import Any

import pytest

from rlvr_gym.registration import load_problem
from rlvr_gym.task import Task
from rlvr_gym.verifier import get_verifier


@pytest.fixture
def tasks():
    """``tasks(name, difficulties, count)``: generated tasks of an environment."""

    def make(name: str, difficulties=(1, 4, 7, 10), count: int = 4, seed: int = 5) -> list[Task]:
        sources = [load_problem(name, difficulty=d).source(seed) for d in difficulties]
        return [source[i] for source in sources for i in range(count)]

    return make


@pytest.fixture
def score():
    """``score(verifier, gold, answer)``: the score of one answer, which has to be a valid verdict."""

    def judge(verifier: str, gold: Any, answer: str) -> float:
        verdict = get_verifier(verifier).verify(answer, Task("", gold))
        assert verdict.valid, verdict
        return verdict.score

    return judge


@pytest.fixture
def sym():
    """``sym(text)``: a generator's own text as a SymPy expression."""
    from sympy import E, I, Symbol
    from sympy.parsing.sympy_parser import (
        convert_xor,
        implicit_multiplication,
        parse_expr,
        rationalize,
        standard_transformations,
    )

    names = {name: Symbol(name) for name in "xyzw"} | {"e": E, "i": I}
    rules = (*standard_transformations, convert_xor, implicit_multiplication, rationalize)
    return lambda text: parse_expr(text, local_dict=names, transformations=rules)
