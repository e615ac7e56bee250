"""Arithmetic and Countdown: what is asked is what is answered."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.verifiers.expression import parse_expression

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 10))
def test_arithmetic_is_right_and_so_is_every_step(seed, difficulty):
    task = load_problem("Arithmetic", difficulty=difficulty, prompt="terse").source(seed)[0]
    assert parse_expression(task.prompt.removesuffix("=")).value == int(task.answer)
    steps = task.solution.split()
    for step in steps:
        left, _, right = step.partition("=")
        assert parse_expression(left).value == int(right)
    assert steps[-1].endswith(f"={task.answer}")
    assert len(steps) == task.metadata["operations"]


def test_arithmetic_settings_win_over_the_difficulty():
    for task in itertools.islice(
        load_problem("Arithmetic", terms=7, operations="*", digits=1, prompt="terse").source(0), 5
    ):
        assert task.prompt.count("*") == 6
        assert "<answer>" not in task.prompt


def test_the_example_of_arithmetic_is_never_its_answer():
    source = load_problem("Arithmetic", terms=2, operations="-", digits=2).source(0)
    prompts = {task.answer: task.prompt for task in itertools.islice(source, 600)}
    assert "<answer>17</answer>" in prompts["-42"]
    assert "<answer>-42</answer>" in prompts["17"]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 10), st.sampled_from(["exactly_once", "at_most_once"]))
def test_countdown_can_be_solved_by_its_own_expression(seed, difficulty, rule):
    problem = load_problem("Countdown", difficulty=difficulty, rule=rule)
    task = problem.source(seed)[0]
    numbers, target = task.answer["numbers"], task.answer["target"]
    expression = parse_expression(problem.answer_text(task))
    assert expression.value == target
    assert target not in numbers
    assert expression.operations == task.metadata["operations"]
    used = sorted(expression.numbers)
    if rule == "exactly_once":
        assert used == sorted(map(Fraction, numbers))
    assert str(target) in task.prompt
    for sentence in task.solution.removesuffix(".").split(". "):
        left, _, right = sentence.removeprefix("So ").partition(" = ")
        assert parse_expression(left).value == int(right)


def solve(numbers, target):
    """Some other expression by exhaustive search, right to left so that it seldom is the generator's."""
    if len(numbers) == 1:
        return numbers[0][1] if numbers[0][0] == target else None
    for i, j in itertools.permutations(range(len(numbers) - 1, -1, -1), 2):
        (a, x), (b, y) = numbers[i], numbers[j]
        rest = [number for k, number in enumerate(numbers) if k not in (i, j)]
        options = [(a - b, f"({x} - {y})"), (a + b, f"({x} + {y})"), (a * b, f"({x} * {y})")]
        options += [(a / b, f"({x} / {y})")] if b else []
        for value, text in options:
            found = solve([*rest, (value, text)], target)
            if found:
                return found
    return None


def test_countdown_accepts_solutions_that_it_did_not_make():
    problem = load_problem("Countdown", count=4, largest=20)
    verifier = problem.make_verifier()
    others = 0
    for task in itertools.islice(problem.source(0), 12):
        found = solve([(Fraction(n), str(n)) for n in task.answer["numbers"]], task.answer["target"])
        assert verifier.verify(f"<answer>{found}</answer>", task).correct
        others += found.strip("()") != problem.answer_text(task).strip("()")
    assert others >= 6


@pytest.mark.parametrize(
    ("env_id", "wrong"),
    [
        ("Countdown", {"rule": "twice"}), ("Countdown", {"count": 1}), ("Countdown", {"count": 13}),
        ("Countdown", {"largest": 4}), ("Countdown", {"operations": "+^"}), ("Countdown", {"operations": "-*"}),
        ("Arithmetic", {"prompt": "short"}), ("Arithmetic", {"terms": 1}), ("Arithmetic", {"operations": "/"}),
        ("Arithmetic", {"digits": 19}), ("Arithmetic", {"digits": -1}),
    ],
)  # fmt: skip
def test_settings(env_id, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        load_problem(env_id, **wrong)


@pytest.mark.parametrize(
    "extreme",
    [{"count": 12, "largest": 1000, "operations": "+"}, {"count": 12, "largest": 1000}, {"count": 12, "largest": 5},
     {"count": 2, "largest": 5, "operations": "+"}, {"count": 2, "largest": 1000, "operations": "+*/"}],
)  # fmt: skip
def test_extreme_settings_still_give_tasks(extreme):
    problem = load_problem("Countdown", **extreme)
    for task in itertools.islice(problem.source(0), 5):
        assert problem.make_verifier().verify(problem.answer_text(task), task).correct
