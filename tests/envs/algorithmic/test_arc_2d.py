"""Rules on grids: each against a hand-worked grid, and tasks whose examples determine the answer."""

from itertools import product

import pytest

from rlvr_gym.envs.algorithmic._grid_rules import RULES

BEFORE = """
1 0 0 2
1 0 0 0
1 1 0 3
"""
AFTER = {
    "turn the grid a quarter clockwise": "1 1 1 / 1 0 0 / 0 0 0 / 3 0 2",
    "turn the grid a quarter counterclockwise": "2 0 3 / 0 0 0 / 0 0 1 / 1 1 1",
    "turn the grid by a half": "3 0 1 1 / 0 0 0 1 / 2 0 0 1",
    "mirror the grid left to right": "2 0 0 1 / 0 0 0 1 / 3 0 1 1",
    "mirror the grid top to bottom": "1 1 0 3 / 1 0 0 0 / 1 0 0 2",
    "mirror the grid along the diagonal from the upper left": "1 1 1 / 0 0 1 / 0 0 0 / 2 0 3",
    "move everything one cell to the right, around the edge": "2 1 0 0 / 0 1 0 0 / 3 1 1 0",
    "move everything one cell to the left, around the edge": "0 0 2 1 / 0 0 0 1 / 1 0 3 1",
    "move everything one cell down, around the edge": "1 1 0 3 / 1 0 0 2 / 1 0 0 0",
    "move everything one cell up, around the edge": "1 0 0 0 / 1 1 0 3 / 1 0 0 2",
    "let all coloured cells fall to the left": "1 2 0 0 / 1 0 0 0 / 1 1 3 0",
    "let all coloured cells fall to the right": "0 0 1 2 / 0 0 0 1 / 0 1 1 3",
    "let all coloured cells fall up": "1 1 0 2 / 1 0 0 3 / 1 0 0 0",
    "let all coloured cells fall down": "1 0 0 0 / 1 0 0 2 / 1 1 0 3",
    "mirror the left half onto the right": "1 0 0 1 / 1 0 0 1 / 1 1 1 1",
    "mirror the upper half onto the lower": "1 0 0 2 / 1 0 0 0 / 1 0 0 2",
    "make it symmetric left to right by colouring empty cells": "1 0 0 2 / 1 0 0 1 / 1 1 1 3",
    "make it symmetric top to bottom by colouring empty cells": "1 1 0 2 / 1 0 0 0 / 1 1 0 3",
    "exchange the colours 1 and 2": "2 0 0 1 / 2 0 0 0 / 2 2 0 3",
    "exchange the colours 1 and 3": "3 0 0 2 / 3 0 0 0 / 3 3 0 1",
    "exchange the colours 2 and 3": "1 0 0 3 / 1 0 0 0 / 1 1 0 2",
    "turn every colour into 5": "5 0 0 5 / 5 0 0 0 / 5 5 0 5",
    "keep only the largest objects": "1 0 0 0 / 1 0 0 0 / 1 1 0 0",
    "remove the largest objects": "0 0 0 2 / 0 0 0 0 / 0 0 0 3",
    "remove objects of a single cell": "1 0 0 0 / 1 0 0 0 / 1 1 0 0",
    "keep only the commonest colour": "1 0 0 0 / 1 0 0 0 / 1 1 0 0",
    "remove the commonest colour": "0 0 0 2 / 0 0 0 0 / 0 0 0 3",
    "colour every object by the number of its cells": "4 0 0 1 / 4 0 0 0 / 4 4 0 1",
    "crop the grid to the largest object": "1 0 / 1 0 / 1 1",
    "let every colour grow by one cell in the four directions": "1 1 2 2 / 1 1 0 3 / 1 1 3 3",
    "outline all objects with 5": "1 5 5 2 / 1 5 5 5 / 1 1 5 3",
    "draw a frame of 5 along the edge": "5 5 5 5 / 5 0 0 5 / 5 5 5 5",
}
OTHERS = {
    "crop the grid to its coloured cells": ("0 0 0 / 0 2 1 / 0 0 0", "2 1"),
    "fill enclosed empty cells with 5": ("1 1 1 0 / 1 0 2 0 / 1 1 1 0", "1 1 1 0 / 1 5 2 0 / 1 1 1 0"),
    "make objects hollow": ("1 1 1 / 1 1 1 / 1 1 2", "1 1 1 / 1 0 1 / 1 1 2"),
    "join cells of one colour that have only empty cells between them in their row": (
        "1 0 1 0 2 / 2 0 1 0 2",
        "1 1 1 0 2 / 2 0 1 0 2",
    ),
    "join cells of one colour that have only empty cells between them in their column": (
        "3 1 / 0 0 / 3 2",
        "3 1 / 3 0 / 3 2",
    ),
}


def grid(text):
    return tuple(tuple(map(int, row.split())) for row in text.replace("/", "\n").strip().splitlines())


@pytest.mark.parametrize("name", AFTER)
def test_what_a_rule_does(name):
    assert RULES[name](grid(BEFORE)) == grid(AFTER[name])


@pytest.mark.parametrize("name", OTHERS)
def test_what_a_rule_does_elsewhere(name):
    before, after = OTHERS[name]
    assert RULES[name](grid(before)) == grid(after)


def test_every_rule_is_tested_and_total():
    assert AFTER.keys() | OTHERS.keys() == RULES.keys()
    for rule in RULES.values():
        for text in ("0", "3", "0 0 / 0 0", "1 2 3", "1 / 0 / 1"):
            rule(grid(text))


def grids_of(task):
    blocks = [block for block in task.prompt.split("\n\n") if "\n" in block]
    pairs = [block.partition(", before:\n")[2].split("\nafter:\n") for block in blocks[:3]]
    test = blocks[3].partition("\n")[2]
    return [(grid(a), grid(b)) for a, b in pairs], grid(test)


@pytest.mark.parametrize(("difficulty", "depth", "count"), [(1, 1, 12), (4, 1, 12), (6, 2, 3), (8, 2, 2)])
def test_the_examples_determine_the_answer(difficulty, depth, count, tasks):
    """Every sequence of rules is tried, on what the prompt shows."""
    for task in tasks("ARC2D", (difficulty,), count):
        pairs, test = grids_of(task)
        answers, shorter = set(), 0
        for length in range(1, depth + 1):
            for names in product(RULES, repeat=length):
                if all(run(names, a) == b for a, b in pairs):
                    answers.add(run(names, test))
                    shorter += length < depth
        assert answers == {grid("\n".join(" ".join(row) for row in task.answer))}
        assert not shorter
        assert all(a != b for a, b in pairs)


def run(names, state):
    for name in names:
        state = RULES[name](state)
    return state


def test_only_the_grid_scores(tasks, scored, reference):
    for task in tasks("ARC2D", (1, 5, 9), 4):
        right = reference("ARC2D", task)
        rows = right.splitlines()
        assert scored("ARC2D", task, right) == 1.0
        assert scored("ARC2D", task, f"```\n{right}\n```") == 1.0
        assert scored("ARC2D", task, str([[int(x) for x in row.split()] for row in rows])) == 1.0
        for wrong in (
            "\n".join(rows[:-1]),
            "\n".join([*rows, rows[-1]]),
            right.replace(right[0], str((int(right[0]) + 1) % 10), 1),
            "\n".join(row + " 0" for row in rows),
            "",
        ):
            assert scored("ARC2D", task, wrong) == 0.0


def test_the_worked_solution_ends_in_the_answer(tasks, reference):
    for task in tasks("ARC2D", (2, 7), 5):
        assert task.solution.endswith(reference("ARC2D", task))
        assert task.metadata["rule"] in task.solution
