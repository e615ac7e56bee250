"""Any text gets a valid verdict, and mutations of a valid answer are not valid answers."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym.registration import list_envs, load_problem
from rlvr_gym.task import Task

NAMES = [entry.id for entry in list_envs("math") if not entry.needs]
PIECES = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "17",
        "-3",
        "1/2",
        "x",
        "y",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ";",
        "=",
        "+",
        "-",
        "*",
        "/",
        "^",
        "**",
        "\\frac{1}{2}",
        "\\begin{pmatrix}",
        "\\end{pmatrix}",
        "&",
        "\\\\",
        "none:",
        "impossible:",
        "U",
        "oo",
        "sqrt(",
        "ln(",
        "e^",
        "i",
        "|",
        "<",
        "<=",
        "or",
        "and",
        "km/h",
        "²",
        "−",
        "９",
        "٣",
        "\n",
        "\\boxed{",
        "}",
        "<answer>",
        "</answer>",
    ]
)


@cache
def _one(name: str):
    problem = load_problem(name, difficulty=4)
    return problem, problem.make_verifier(), problem.source(3)[1]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(text=st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join)))
def test_any_text_gets_a_valid_verdict(name, text):
    _, verifier, task = _one(name)
    for form in (text, f"<answer>{text}</answer>"):
        verdict = verifier.verify(form, task)
        assert verdict.valid, (text, verdict)


@pytest.mark.parametrize("name", [name for name in NAMES if "BitParity" not in name])
def test_one_digit_more_or_less_is_wrong(name):
    """Every change of one digit of the reference is another answer (where any answer with the property is right, too)."""
    problem, verifier, _ = _one(name)
    for index in range(4):
        task: Task = problem.source(8)[index]
        answer = problem.answer_text(task)
        places = [i for i, ch in enumerate(answer) if ch.isdigit()]
        for i in places[:: max(1, len(places) // 6)]:
            changed = answer[:i] + str((int(answer[i]) + 1) % 10) + answer[i + 1 :]
            assert not verifier.verify(changed, task).correct, (answer, changed, task.prompt)
