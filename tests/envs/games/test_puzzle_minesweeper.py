"""Minesweeper: the first cell is safe wherever it is, nothing is given away, and reasoning is sound and wins."""

import random
from itertools import combinations

import pytest

from rlvr_gym import load_problem
from rlvr_gym.envs.games._mines import Field, bits, deduce, flood, lay, neighbours, numbers
from rlvr_gym.testing.subject import act, begin
from rlvr_gym.verdict import Reason

PROBLEM = load_problem("Minesweeper", difficulty=4)


def tagged(*cells):
    return "<answer>" + ", ".join(f"({r}, {c})" for r, c in cells) + "</answer>"


@pytest.mark.parametrize("difficulty", [1, 3, 6, 10])
def test_the_oracle_wins_from_any_first_cell(difficulty):
    problem, rng = load_problem("Minesweeper", difficulty=difficulty), random.Random(difficulty)
    for task in (problem.source(9)[i] for i in range(8)):
        rows, columns = task.answer["rows"], task.answer["columns"]
        corners = [(1, 1), (rows, columns), (1, columns), (rng.randint(1, rows), rng.randint(1, columns))]
        for first in corners:
            episode = begin(problem, task)
            act(problem, episode, tagged(first))
            while not episode.done:
                act(problem, episode, problem.oracle(task, episode.state))
            assert episode.verdict.correct
            assert episode.metrics["illegal_moves"] == 0.0


def arrangements(field, opened, shown):
    """All sets of mines that fit what is shown; brute force."""
    near = neighbours(field.rows, field.columns)
    hidden = bits(field.cells & ~opened)
    for chosen in combinations(hidden, field.mines):
        mines = sum(1 << cell for cell in chosen)
        if all((near[cell] & mines).bit_count() == count for cell, count in shown.items()):
            yield mines


def test_what_is_called_safe_or_a_mine_is_so_in_every_arrangement_that_fits():
    rng, told = random.Random(1), 0
    for _ in range(120):
        field = Field(4, 4, rng.randint(2, 4), 0)
        mines = sum(1 << cell for cell in rng.sample(range(16), field.mines))
        opened = 0
        for cell in rng.sample(bits(field.cells & ~mines), rng.randint(1, 8)):
            opened = flood(field, mines, opened, cell)
        shown = numbers(field, mines, opened)
        fitting = list(arrangements(field, opened, shown))
        found = deduce(field, opened, shown)
        assert mines in fitting
        assert not found.safe & opened
        assert all(not other & found.safe and other & found.mines == found.mines for other in fitting)
        told += bool(found.safe)
    assert told > 60


def test_mines_are_as_many_as_said_and_not_around_the_first_cell():
    for seed in range(20):
        for first in (0, 7, 17, 29):
            field = Field(5, 6, 6, seed)
            mines = lay(field, first)
            assert mines.bit_count() == 6
            assert not mines & (neighbours(5, 6)[first] | 1 << first)
            assert mines == lay(field, first)


def test_a_mine_ends_the_game_with_nothing():
    task = PROBLEM.source(0)[0]
    episode = begin(PROBLEM, task)
    act(PROBLEM, episode, tagged((1, 1)))
    mine = divmod(bits(episode.state.position.mines)[0], task.answer["columns"])
    act(PROBLEM, episode, tagged((mine[0] + 1, mine[1] + 1)))
    assert episode.verdict.reason == Reason.RULE_BROKEN
    assert episode.verdict.score == 0.0
    assert episode.messages[-1]["content"].endswith("Lost.")


def test_the_prompt_and_the_first_reply_tell_nothing_that_is_hidden():
    tasks = [PROBLEM.source(0)[i] for i in range(6)]
    assert len({task.prompt for task in tasks}) == 1
    for task in tasks:
        episode = begin(PROBLEM, task)
        act(PROBLEM, episode, tagged((3, 3)))
        position = episode.state.position
        text = episode.messages[-1]["content"].partition("\n\n")[2].split()
        assert len(text) == task.answer["rows"] * task.answer["columns"]
        assert {i for i, cell in enumerate(text) if cell == "."} == set(
            bits(position.field.cells & ~position.opened)
        )
        assert "*" not in text


def test_open_cells_may_be_opened_again_but_that_counts():
    task = PROBLEM.source(0)[0]
    episode = begin(PROBLEM, task)
    act(PROBLEM, episode, tagged((1, 1)))
    before = episode.messages[-1]["content"].partition("\n\n")[2]
    act(PROBLEM, episode, tagged((1, 1), (1, 1)))
    assert episode.messages[-1]["content"].partition("\n\n")[2] == before
    assert episode.state.left == task.answer["limit"] - 3
    act(PROBLEM, episode, tagged((0, 1)))
    assert "there is no such cell" in episode.messages[-1]["content"]


def test_the_verifier_judges_a_whole_game():
    judge = PROBLEM.make_verifier()
    for task in (PROBLEM.source(3)[i] for i in range(5)):
        reference = task.answer["reference"]
        assert judge.verify(f"<answer>{reference}</answer>", task).correct
        everything = [
            (r + 1, c + 1) for r in range(task.answer["rows"]) for c in range(task.answer["columns"])
        ]
        assert judge.verify(tagged(*everything), task).score == 0.0
