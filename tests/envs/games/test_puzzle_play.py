"""Puzzles that are played: what counts, how they end, and an oracle that finds its way from anywhere."""

import random

import pytest

from rlvr_gym import load_problem, make
from rlvr_gym.testing.subject import act, begin, play_oracle
from rlvr_gym.verdict import Reason

NAMES = ["Hanoi", "LightsOut", "FifteenPuzzle", "RubiksTiny", "RushHour", "Sokoban"]
REVERSIBLE = [name for name in NAMES if name != "Sokoban"]


def tagged(text):
    return f"<answer>{text}</answer>"


@pytest.mark.parametrize("name", NAMES)
def test_one_move_a_turn_or_all_moves_in_one_turn(name):
    problem = load_problem(name, difficulty=4)
    for task in (problem.source(2)[i] for i in range(3)):
        slow = play_oracle(problem, task)
        fast = begin(problem, task)
        act(problem, fast, tagged(task.answer["reference"]))
        assert slow.verdict.correct
        assert fast.verdict.correct
        assert fast.turns == 1 < slow.turns == slow.metrics["moves"] == fast.metrics["moves"]
        assert slow.metrics["illegal_moves"] == fast.metrics["illegal_moves"] == 0.0


@pytest.mark.parametrize("name", REVERSIBLE)
def test_the_oracle_finds_its_way_after_moves_of_somebody_else(name):
    problem, rng = load_problem(name, difficulty=2), random.Random(5)
    strayed = 0
    for task in (problem.source(3)[i] for i in range(4)):
        episode = begin(problem, task)
        puzzle, position = problem.puzzle, episode.state.position
        wrong = next(text for text in candidates(name, rng) if stays_open(puzzle, position, text))
        act(problem, episode, tagged(wrong))
        assert not episode.done
        while not episode.done:
            act(problem, episode, problem.oracle(task, episode.state))
        assert episode.verdict.correct
        strayed += 1
    assert strayed == 4


def candidates(name, rng):
    """Moves of any kind, in a random order, as long as one likes."""
    options = {
        "Hanoi": ["A->B", "A->C", "B->A", "B->C", "C->A", "C->B"],
        "LightsOut": ["(1, 1)", "(1, 2)", "(2, 1)", "(2, 2)"],
        "FifteenPuzzle": ["1", "2", "3", "4", "5"],
        "RubiksTiny": ["R", "U'", "L2", "D", "B'", "F"],
        "RushHour": [f"{car}{way}1" for car in "XABCDE" for way in "+-"],
    }[name]
    while True:
        yield rng.choice(options)


def stays_open(puzzle, position, text):
    after = puzzle.make(position, puzzle.parse(text)[0])
    return hasattr(after, "why") is False and not puzzle.solved(after)


def test_moves_that_are_refused_or_not_understood_count():
    env = make("Hanoi", difficulty=3)
    env.reset(seed=1)
    task = env.unwrapped.task
    limit = task.answer["limit"]
    first = task.answer["reference"].partition(",")[0]
    back = "->".join(reversed(first.split("->")))
    for action, told, left in [
        ("hello", "That is no move", limit - 1),
        (tagged("A->A"), "A->A is not possible: a disk has to go to another peg.", limit - 2),
        (tagged("A->B") + tagged("B->A"), "That is no move", limit - 3),
        (
            tagged(f"{first}, {back}, C->C, {first}"),
            f"Made: {first}, {back}. C->C is not possible",
            limit - 6,
        ),
    ]:
        observation, reward, terminated, truncated, _ = env.step(action)
        reply = observation.rpartition("[user]\n")[2]
        assert reply.startswith(told)
        assert f"Moves left: {left}." in reply
        assert (reward, terminated, truncated) == (0.0, False, False)
    _, reward, terminated, _, info = env.step(tagged(task.answer["reference"]))
    assert (reward, terminated) == (1.0, True)
    assert info["metrics"]["illegal_moves"] == 4.0


@pytest.mark.parametrize("name", [*NAMES, "Minesweeper"])
def test_the_game_ends_when_no_move_is_left(name):
    problem = load_problem(name)
    task = problem.source(0)[0]
    episode = begin(problem, task)
    while not episode.done:
        act(problem, episode, "banana")
    assert episode.turns == task.answer["limit"] == episode.metrics["illegal_moves"]
    assert episode.verdict.reason == Reason.MAX_TURNS
    assert episode.verdict.score == 0.0


def test_more_moves_than_allowed_in_one_turn_are_not_made():
    problem = load_problem("RubiksTiny")
    task = problem.source(0)[0]
    episode = begin(problem, task)
    act(problem, episode, tagged("R R' " * 500))
    assert episode.done
    assert not episode.verdict.correct
    assert episode.metrics["moves"] == task.answer["limit"]


def test_passing_through_the_goal_ends_the_game():
    problem = load_problem("LightsOut")
    task = problem.source(0)[0]
    episode = begin(problem, task)
    act(problem, episode, tagged(f"{task.answer['reference']}, (1, 1)"))
    assert episode.verdict.correct


def test_a_box_in_a_corner_leaves_the_oracle_without_a_way():
    problem = load_problem("Sokoban")
    task = next(t for t in (problem.source(1)[i] for i in range(60)) if dead_end(problem, t))
    episode = begin(problem, task)
    act(problem, episode, tagged(dead_end(problem, task)))
    assert not episode.done
    assert "No moves lead from here" in problem.oracle(task, episode.state)
    while not episode.done:
        act(problem, episode, problem.oracle(task, episode.state))
    assert episode.verdict.score == 0.0


def dead_end(problem, task):
    """A step that pushes a box to where it cannot be solved any more."""
    puzzle = problem.puzzle
    position = puzzle.position(task.answer)
    after = {step: puzzle.make(position, step) for step in "UDLR"}
    return next(
        (
            s
            for s, p in after.items()
            if not hasattr(p, "why") and p.boxes != position.boxes and not puzzle.solve(p)
        ),
        "",
    )


def test_sokoban_can_be_solved_from_positions_off_the_plan():
    problem, rng = load_problem("Sokoban", difficulty=3), random.Random(0)
    solved = 0
    for task in (problem.source(1)[i] for i in range(12)):
        episode = begin(problem, task)
        act(problem, episode, tagged(rng.choice("UDLR") + rng.choice("UDLR")))
        while not episode.done:
            act(problem, episode, problem.oracle(task, episode.state))
        solved += episode.verdict.correct
    assert solved >= 8


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_is_the_position(name):
    problem = load_problem(name)
    task = problem.source(0)[1]
    assert problem.puzzle.show(problem.puzzle.position(task.answer)) in task.prompt
    assert task.answer["reference"] not in task.prompt
