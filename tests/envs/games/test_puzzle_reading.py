"""How moves are read: any usual way of writing them, and no other content."""

import pytest

from rlvr_gym.registration import load_problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason

HANOI = Task("", {"start": [0, 0], "goal": [2, 2], "limit": 9, "reference": "A->B, A->C, B->C"})
LIGHTS = Task("", {"lights": ["100", "010", "110"], "limit": 9, "reference": None})
SLIDING = Task(
    "", {"start": [[1, 2, 0], [4, 5, 3]], "goal": [[1, 2, 3], [4, 0, 5]], "limit": 9, "reference": "3, 5"}
)
CUBE = Task("", {"stickers": "wwwwrrrrggggyyyyoooobbbb", "limit": 9, "reference": ""})
TRAFFIC = Task("", {"grid": ["..A.", "XXA.", "....", "BB.."], "limit": 9, "reference": "A+2, X+2"})
BOXES = Task("", {"rows": ["XXXXX", "X@$.X", "X___X", "X___X", "XXXXX"], "limit": 9, "reference": "R"})


def verdict(name, task, text):
    return load_problem(f"{name}Plan").make_verifier().verify(text, task)


def reason(name, task, text):
    return verdict(name, task, f"<answer>{text}</answer>").reason


RIGHT = {
    "Hanoi": (HANOI, [
        "A->B, A->C, B->C", "a to b; a to c; b to c", "AB AC BC", "A→B\nA→C\nB→C", "(A, B), (A, C), (B, C)",
        '[["A", "B"], ["A", "C"], ["B", "C"]]', "1. A->B\n2. A->C\n3. B->C", "- A -> B\n- A -> C\n- B -> C",
        "Move disk 1 from A to B\nMove disk 2 from A to C\nMove disk 1 from B to C", "Moves: `A->B`, `A->C`, `B->C`.",
        "```text\nA->B\nA->C\nB->C\n```", "A-B, A-C, B-C", "disk 1: A -> B, disk 2: A -> C, disk 1: B -> C",
        "1) move disk 1 from peg A to peg B\n2) move disk 2 from peg A to peg C\n3) move disk 1 from peg B to peg C",
    ]),
    "FifteenPuzzle": (SLIDING, [
        "3, 5", "3 5", "[3, 5]", "3 -> 5", "3\n5", "1. 3\n2. 5", "slide tile 3, slide tile 5", "- 3\n- 5", "**3**, **5**",
        "Plan: 3, then 5.", "Step 1: 3\nStep 2: 5", '["3", "5"]', "3,5,4,4",
    ]),
    "Sokoban": (BOXES, [
        "R", "r", "right", "→", "Moves: →", "1. R", '["R"]', "DUR", "down, up, right", "↓↑→", "D -> U -> R",
        "d → u → r", "Down then Up then Right", "1. D\n2. U\n3. R",
    ]),
    "RushHour": (TRAFFIC, [
        "A+2, X+2", "a+2 x+2", "A down 2, X right 2", "Move car A down by 2, then move car X to the right by 2.",
        "1. A+2\n2. X+2", '["A+2", "X+2"]', "A +1, A + 1, X+2", "A: down 2; X: right 2", "A+2 -> X+2",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(n, text) for n, (_, texts) in RIGHT.items() for text in texts])
def test_ways_of_writing_a_right_plan(name, text):
    assert reason(name, RIGHT[name][0], text) == Reason.CORRECT


@pytest.mark.parametrize(
    "text",
    [
        "R U R' U'", "RUR'U'", "R, U, R', U'", "r u r' u'", "R U R’ U’", '["R", "U", "R\'", "U\'"]',
        "['R', 'U', \"R'\", \"U'\"]", "1. R\n2. U\n3. R'\n4. U'", "R -> U -> R' -> U'", "('R', 'U', \"R'\", \"U'\")", "`R U R' U'`", "`R`, `U`, `R'`, `U'`", "```\nR U R' U'\n```",
    ],
)  # fmt: skip
def test_ways_of_writing_turns(text):
    back = verdict("RubiksTiny", CUBE, f"<answer>{text}</answer>")
    assert back.reason == Reason.RULE_BROKEN  # they are read, and mix a solved cube
    task = Task("", {"stickers": mixed("U R U' R'"), "limit": 9, "reference": ""})
    assert reason("RubiksTiny", task, text) == Reason.CORRECT


def mixed(turns):
    rules = load_problem("RubiksTinyPlan").puzzle
    stickers = "wwwwrrrrggggyyyyoooobbbb"
    for turn in turns.split():
        stickers = rules.make(stickers, turn)
    return stickers


@pytest.mark.parametrize("text", ["R2 F2'", "R2, F2", "r2f2", "R2' F2"])
def test_half_turns(text):
    assert reason("RubiksTiny", Task("", CUBE.answer | {"stickers": mixed("F2 R2")}), text) == Reason.CORRECT


@pytest.mark.parametrize(
    "text",
    ["(1, 1), (2, 3)", "1,1; 2,3", "[[1, 1], [2, 3]]", "r1c1, r2c3", "Row 1, column 1; row 2, column 3", "(1,1)(2,3)",
     "1. (1, 1)\n2. (2, 3)", "- (1, 1)\n- (2, 3)", "Presses: (1,1), (2,3)."],
)  # fmt: skip
def test_ways_of_writing_cells(text):
    rules = load_problem("LightsOutPlan").puzzle
    assert rules.parse(text) == [(0, 0), (1, 2)]


@pytest.mark.parametrize(
    ("text", "cars"),
    [
        ("B+2", "B+2"), ("b + 2, x-1", "B+2 X-1"), ("B right 2", "B+2"), ("Move car B down 2", "B+2"), ("A up 1", "A-1"),
        ("car A to the left by 1", "A-1"), ("A−1", "A-1"), ("1. A+1\n2. B-2", "A+1 B-2"), ("[\"A+1\", 'B-2']", "A+1 B-2"),
    ],
)  # fmt: skip
def test_ways_of_writing_drives(text, cars):
    rules = load_problem("RushHourPlan").puzzle
    assert " ".join(map(rules.write, rules.parse(text))) == cars


@pytest.mark.parametrize(
    ("name", "task", "text"),
    [
        ("Hanoi", HANOI, "A->B->C"), ("Hanoi", HANOI, "A->B, A->D"), ("Hanoi", HANOI, "A->B and so on"),
        ("Hanoi", HANOI, "none"), ("FifteenPuzzle", SLIDING, "3.5"), ("FifteenPuzzle", SLIDING, "-3, 5"),
        ("FifteenPuzzle", SLIDING, "3 or 5"), ("FifteenPuzzle", SLIDING, "3, x, 5"), ("FifteenPuzzle", SLIDING, "３, 5"),
        ("Sokoban", BOXES, "R or L"), ("Sokoban", BOXES, "right2"), ("Sokoban", BOXES, "R2"), ("Sokoban", BOXES, "RX"),
        ("RubiksTiny", CUBE, "R3 R"), ("RubiksTiny", CUBE, "R U M"), ("RubiksTiny", CUBE, "R ' U"),
        ("RubiksTiny", CUBE, "(R U)2"), ("RubiksTiny", CUBE, "R` U`"), ("RubiksTiny", CUBE, "R, 'U"), ("RushHour", TRAFFIC, "B2"), ("RushHour", TRAFFIC, "B+"),
        ("RushHour", TRAFFIC, "B+1.5"), ("RushHour", TRAFFIC, "+1"), ("LightsOut", LIGHTS, "(1, 2, 3)"),
        ("LightsOut", LIGHTS, "1.1"), ("LightsOut", LIGHTS, "1 2"), ("LightsOut", LIGHTS, "not (1, 1)"),
        ("LightsOut", LIGHTS, "(1, 1) or (1, 2)"), ("LightsOut", LIGHTS, "(-1, 1)"),
    ],
)  # fmt: skip
def test_other_texts_are_not_read(name, task, text):
    assert reason(name, task, text) == Reason.UNPARSEABLE


@pytest.mark.parametrize(
    ("name", "task", "text", "rule"),
    [
        ("Hanoi", HANOI, "A->C, A->C", "move 2: the top disk of peg C is smaller"),
        ("Hanoi", HANOI, "B->C", "move 1: peg B is empty"),
        ("Hanoi", HANOI, "A->A", "move 1: a disk has to go to another peg"),
        ("Hanoi", HANOI, "Move disk 2 from A to C", "move 1: disk 2 is not on top of peg A"),
        ("Hanoi", HANOI, "A->B, A->C, B->C, C->A", "it does not reach the goal"),
        ("Hanoi", HANOI, "A->B, B->A, " * 5 + "A->B, A->C, B->C", "it has more than 9 moves"),
        ("FifteenPuzzle", SLIDING, "5, 3", "move 1: the tile is not beside the gap"),
        ("FifteenPuzzle", SLIDING, "3, 5, 5", "it does not reach the goal"),
        ("FifteenPuzzle", SLIDING, "0, 3", "move 1: there is no such tile"),
        ("FifteenPuzzle", SLIDING, "9", "move 1: there is no such tile"),
        ("Sokoban", BOXES, "RR", "move 2: the box cannot be pushed there"),
        ("Sokoban", BOXES, "UR", "move 1: a wall is in the way"),
        ("Sokoban", BOXES, "RLLL", "move 3: a wall is in the way"),
        ("RushHour", TRAFFIC, "X+2", "move 1: another car is in the way"),
        ("RushHour", TRAFFIC, "X+3", "move 1: it would leave the grid"),
        ("RushHour", TRAFFIC, "Z+1", "move 1: there is no car Z"),
        ("RushHour", TRAFFIC, "X+0", "move 1: a car has to go by a cell at least"),
        ("RushHour", TRAFFIC, "X down 1", "move 1: car X only goes left and right"),
        ("RushHour", TRAFFIC, "A right 1", "move 1: car A only goes up and down"),
        ("LightsOut", LIGHTS, "(4, 1)", "move 1: there is no such cell"),
        ("LightsOut", LIGHTS, "(0, 1)", "move 1: there is no such cell"),
    ],
)  # fmt: skip
def test_plans_that_break_a_rule(name, task, text, rule):
    got = verdict(name, task, f"<answer>{text}</answer>")
    assert (got.reason, got.details.get("rule")) == (Reason.RULE_BROKEN, rule)


def test_several_different_plans_count_only_if_all_are_right():
    assert (
        verdict("Hanoi", HANOI, "<answer>A->B, A->C, B->C</answer> <answer>A->B</answer>").reason
        == "ambiguous"
    )
    both = "<answer>A->B, A->C, B->C</answer> or <answer>A->C, C->B, A->C, B->C</answer>"
    assert verdict("Hanoi", HANOI, both).score == 1.0


def test_impossible_is_no_way_out_of_a_puzzle_that_can_be_solved():
    for name in ("LightsOut", "FifteenPuzzle"):
        source = load_problem(f"{name}Plan", difficulty=5).source(0)
        judge = load_problem(f"{name}Plan").make_verifier()
        for task in (source[i] for i in range(30)):
            if task.answer["reference"] is not None:
                assert judge.verify("<answer>impossible</answer>", task).score == 0.0
                hedged = f"<answer>impossible</answer> <answer>{task.answer['reference']}</answer>"
                assert judge.verify(hedged, task).score == 0.0
    for name in ("Hanoi", "RushHour", "Sokoban", "RubiksTiny"):
        task = load_problem(f"{name}Plan").source(0)[0]
        assert reason(name, task, "impossible") == Reason.UNPARSEABLE


@pytest.mark.parametrize("name", ["Hanoi", "LightsOut", "FifteenPuzzle", "RubiksTiny", "RushHour", "Sokoban"])
def test_a_worked_solution_without_thinking_tags_leaves_one_answer(name):
    problem = load_problem(f"{name}Plan", difficulty=(1, 10))
    judge = problem.make_verifier()
    for task in (problem.source(4)[i] for i in range(15)):
        text = f"{task.solution}\n<answer>{problem.answer_text(task)}</answer>"
        assert judge.verify(text, task).score == 1.0
        assert judge.verify(task.prompt, task).score == 0.0
        assert task.solution.endswith(problem.answer_text(task))
