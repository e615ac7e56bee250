"""Plans against second models of the puzzles: what those call a solution scores 1, and nothing else does.

The models are written anew on other data structures, and share no code with the environments.
"""

import random
from collections import deque
from itertools import product

import pytest

from rlvr_gym.registration import load_problem


class Hanoi:
    """Pegs as stacks."""

    levels = (1, 2, 3, 4, 5)

    def start(self, board):
        return self.stacks(board["start"]), self.stacks(board["goal"])

    def stacks(self, pegs):
        return tuple(tuple(d for d in reversed(range(len(pegs))) if pegs[d] == peg) for peg in range(3))

    def moves(self, state):
        return [f"{a}->{b}" for a, b in product("ABC", repeat=2)]

    def step(self, state, move):
        pegs, goal = [list(stack) for stack in state[0]], state[1]
        source, target = pegs["ABC".index(move[0])], pegs["ABC".index(move[-1])]
        if source is target or not source or (target and target[-1] < source[-1]):
            return None
        target.append(source.pop())
        return tuple(map(tuple, pegs)), goal

    def won(self, state):
        return state[0] == state[1]


class LightsOut:
    """The set of the lights that are on."""

    levels = (1, 2, 3)

    def start(self, board):
        rows = board["lights"]
        lit = {(r, c) for r, row in enumerate(rows) for c, light in enumerate(row) if light == "1"}
        return len(rows), len(rows[0]), frozenset(lit)

    def moves(self, state):
        return [f"({r}, {c})" for r in range(1, state[0] + 1) for c in range(1, state[1] + 1)]

    def step(self, state, move):
        row, column = (int(part) - 1 for part in move.strip("()").split(","))
        cells = [(row, column), (row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        inside = {(r, c) for r, c in cells if r in range(state[0]) and c in range(state[1])}
        return *state[:2], state[2] ^ inside

    def won(self, state):
        return not state[2]


class FifteenPuzzle:
    """Tile -> (row, column)."""

    levels = (1, 2, 3, 4)

    def start(self, board):
        return self.places(board["start"]), self.places(board["goal"])

    def places(self, rows):
        return tuple(sorted((tile, r, c) for r, row in enumerate(rows) for c, tile in enumerate(row)))

    def moves(self, state):
        return [str(tile) for tile, _, _ in state[0]]

    def step(self, state, move):
        places = {tile: (r, c) for tile, r, c in state[0]}
        (row, column), (r, c) = places[0], places[int(move)]
        if {abs(row - r), abs(column - c)} != {0, 1}:
            return None
        places[0], places[int(move)] = (r, c), (row, column)
        return tuple(sorted((tile, *place) for tile, place in places.items())), state[1]

    def won(self, state):
        return state[0] == state[1]


class RubiksTiny:
    """Corners with the tables of Kociemba's cubie level: which corner comes where, and how it is twisted."""

    levels = (1, 2)
    corners = (
        (3, 4, 9), (2, 8, 17), (0, 16, 21), (1, 20, 5), (13, 11, 6), (12, 19, 10), (14, 23, 18), (15, 7, 22),
    )  # fmt: skip
    tables = {
        "U": ((3, 0, 1, 2, 4, 5, 6, 7), (0, 0, 0, 0, 0, 0, 0, 0)),
        "R": ((4, 1, 2, 0, 7, 5, 6, 3), (2, 0, 0, 1, 1, 0, 0, 2)),
        "F": ((1, 5, 2, 3, 0, 4, 6, 7), (1, 2, 0, 0, 2, 1, 0, 0)),
        "D": ((0, 1, 2, 3, 5, 6, 7, 4), (0, 0, 0, 0, 0, 0, 0, 0)),
        "L": ((0, 2, 6, 3, 4, 1, 5, 7), (0, 1, 2, 0, 0, 2, 1, 0)),
        "B": ((0, 1, 3, 7, 4, 5, 2, 6), (0, 0, 1, 2, 0, 0, 2, 1)),
    }

    def start(self, board):
        return board["stickers"]

    def moves(self, state):
        return [face + amount for face in "URFDLB" for amount in ("", "2", "'")]

    def step(self, state, move):
        for _ in range({"": 1, "2": 2, "'": 3}[move[1:]]):
            after = list(state)
            for place, (source, twist) in enumerate(zip(*self.tables[move[0]], strict=True)):
                for k in range(3):
                    after[self.corners[place][(k + twist) % 3]] = state[self.corners[source][k]]
            state = "".join(after)
        return state

    def won(self, state):
        return all(state[i] == state[i + 1] == state[i + 2] == state[i + 3] for i in range(0, 24, 4))


class RushHour:
    """Letters on a grid, moved cell by cell."""

    levels = (1, 2, 3, 5)

    def start(self, board):
        return tuple(board["grid"])

    def moves(self, state):
        letters = sorted(set("".join(state)) - {"."})
        return [
            f"{letter}{way}{cells}" for letter in letters for way in "+-" for cells in range(1, len(state))
        ]

    def step(self, state, move):
        for _ in range(int(move[2])):
            state = self.nudge(state, move[0], 1 if move[1] == "+" else -1)
            if state is None:
                return None
        return state

    def nudge(self, state, letter, by):
        cells = [(r, c) for r, row in enumerate(state) for c, text in enumerate(row) if text == letter]
        lying = cells[0][0] == cells[1][0]
        grid = [list(row) for row in state]
        for r, c in cells:
            grid[r][c] = "."
        for r, c in cells:
            r, c = (r, c + by) if lying else (r + by, c)
            if not (0 <= r < len(grid) and 0 <= c < len(grid)) or grid[r][c] != ".":
                return None
            grid[r][c] = letter
        return tuple("".join(row) for row in grid)

    def won(self, state):
        return any(row.endswith("X") for row in state)


class Sokoban:
    """A person and a set of boxes."""

    levels = (1, 2, 3, 4)

    def start(self, board):
        cells = {(r, c): text for r, row in enumerate(board["rows"]) for c, text in enumerate(row)}
        find = lambda kinds: frozenset(place for place, text in cells.items() if text in kinds)  # noqa: E731
        (player,) = find("@+")
        return player, find("$*"), find(".*+"), find("X")

    def moves(self, state):
        return list("UDLR")

    def step(self, state, move):
        (row, column), boxes, goals, walls = state
        down, right = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}[move]
        ahead, beyond = (row + down, column + right), (row + 2 * down, column + 2 * right)
        if ahead in walls or (ahead in boxes and (beyond in walls or beyond in boxes)):
            return None
        if ahead in boxes:
            boxes = boxes - {ahead} | {beyond}
        return ahead, boxes, goals, walls

    def won(self, state):
        return state[1] == state[2]


MODELS = {
    model.__name__: model() for model in (Hanoi, LightsOut, FifteenPuzzle, RubiksTiny, RushHour, Sokoban)
}


def shortest(model, start, moves_order):
    """A shortest list of moves to the goal, or None; exhaustive."""
    before = {start: None}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        if model.won(state):
            plan = []
            while before[state] is not None:
                state, move = before[state]
                plan.append(move)
            return plan[::-1]
        for move in moves_order(model.moves(state)):
            after = model.step(state, move)
            if after is not None and after not in before:
                before[after] = (state, move)
                queue.append(after)
    return None


def outcome(model, state, plan):
    """Whether a plan is legal and ends at the goal."""
    for move in plan:
        if move not in model.moves(state):
            return False
        state = model.step(state, move)
        if state is None:
            return False
    return model.won(state)


def mutations(model, state, plan, rng):
    """Plans with one move left out, put in, changed, or swapped with the next one."""
    moves = model.moves(state)
    for i in range(len(plan)):
        yield [*plan[:i], *plan[i + 1 :]]
        yield [*plan[:i], rng.choice(moves), *plan[i + 1 :]]
        yield [*plan[:i], rng.choice(moves), *plan[i:]]
        yield [*plan[:i], *plan[i : i + 2][::-1], *plan[i + 2 :]]
    yield [*plan, rng.choice(moves)]


def solvable_tasks(name, count):
    for level in MODELS[name].levels:
        source = load_problem(f"{name}Plan", difficulty=level).source(7)
        tasks = (source[i] for i in range(4 * count))
        yield from [task for task in tasks if task.answer["reference"] is not None][:count]


def score(name, task, plan):
    text = plan if isinstance(plan, str) else ", ".join(plan)
    verdict = load_problem(f"{name}Plan").make_verifier().verify(f"<answer>{text}</answer>", task)
    assert verdict.valid, verdict
    return verdict.score


def compact(plan):
    return "".join(plan).replace(",", "").replace(" ", "")


@pytest.mark.parametrize("name", MODELS)
def test_plans_of_a_second_solver_and_detours_score(name):
    model, rng = MODELS[name], random.Random(0)
    different = 0

    def shuffled(moves):
        # three faces are enough to solve a cube
        return rng.sample(moves, len(moves)) if name != "RubiksTiny" else [m for m in moves if m[0] in "FRU"]

    for task in solvable_tasks(name, 4):
        start, limit = model.start(task.answer), task.answer["limit"]
        plan = shortest(model, start, shuffled)
        assert score(name, task, plan) == 1.0
        first = rng.choice([move for move in model.moves(start) if model.step(start, move) is not None])
        rest = shortest(model, model.step(start, first), shuffled)
        if rest is not None and len(rest) < limit:  # a step in Sokoban may be one too many
            assert score(name, task, [first, *rest]) == 1.0
            different += compact([first, *rest]) != compact(task.answer["reference"])
        different += compact(plan) != compact(task.answer["reference"])
    assert different >= 6


@pytest.mark.parametrize("name", MODELS)
def test_mutated_plans_score_what_a_second_model_says(name):
    model, rng = MODELS[name], random.Random(1)
    scores = {0.0: 0, 1.0: 0}
    for task in solvable_tasks(name, 3):
        start = model.start(task.answer)
        plan = shortest(model, start, list)
        for mutated in mutations(model, start, plan, rng):
            if mutated:
                expected = outcome(model, start, mutated) and len(mutated) <= task.answer["limit"]
                assert score(name, task, mutated) == float(expected), (task.prompt, mutated)
                scores[float(expected)] += 1
    assert scores[0.0] > 30


@pytest.mark.parametrize("name", MODELS)
def test_random_walks_score_what_a_second_model_says(name):
    model, rng = MODELS[name], random.Random(2)
    legal = 0
    for task in solvable_tasks(name, 6):
        state = start = model.start(task.answer)
        walk = []
        for _ in range(rng.randrange(1, task.answer["limit"] + 3)):
            options = [(move, model.step(state, move)) for move in model.moves(state)]
            move, state = rng.choice([option for option in options if option[1] is not None])
            walk.append(move)
            if model.won(state):
                break
        expected = outcome(model, start, walk) and len(walk) <= task.answer["limit"]
        assert score(name, task, walk) == float(expected)
        legal += 1
    assert legal == 6 * len(model.levels)


@pytest.mark.parametrize("name", ["Hanoi", "FifteenPuzzle", "RubiksTiny", "RushHour"])
def test_the_reference_is_a_shortest_plan(name):
    model = MODELS[name]
    for task in solvable_tasks(name, 4):
        plan = shortest(model, model.start(task.answer), list)
        assert task.metadata["hardness"] == len(plan)


def test_every_shortest_solution_of_a_cube_counts_also_those_that_turn_the_whole_cube():
    model, turned = MODELS["RubiksTiny"], 0
    source = load_problem("RubiksTinyPlan", difficulty=1).source(3)
    for task in (source[i] for i in range(6)):
        start = model.start(task.answer)
        solutions = [pair for pair in product(model.moves(start), repeat=2) if outcome(model, start, pair)]
        assert all(score("RubiksTiny", task, pair) == 1.0 for pair in solutions)
        turned += sum(bool({"D", "L", "B"} & {turn[0] for turn in pair}) for pair in solutions)
        assert sum(score("RubiksTiny", task, p) for p in product(model.moves(start), repeat=2)) == len(
            solutions
        )
    assert turned > 0


def chased(rows):
    """All sets of presses that turn the lights off, by trying the first row and chasing the rest down."""
    height, width = len(rows), len(rows[0])
    lit = {(r, c) for r, row in enumerate(rows) for c, light in enumerate(row) if light == "1"}
    for first in product((False, True), repeat=width):
        left, presses = set(lit), []
        for r in range(height):
            for c in range(width):
                if first[c] if r == 0 else (r - 1, c) in left:
                    presses.append(f"({r + 1}, {c + 1})")
                    left ^= {(r, c), (r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)}
        if not any(0 <= r < height and 0 <= c < width for r, c in left):
            yield presses


@pytest.mark.parametrize(("level", "solutions"), [(3, 1), (4, 16), (5, 16), (7, 4)])
def test_all_solutions_of_lights_out_count_and_impossible_just_if_there_is_none(level, solutions):
    source = load_problem("LightsOutPlan", difficulty=level).source(5)
    found = []
    for task in (source[i] for i in range(24)):
        plans = list(chased(task.answer["lights"]))
        found.append(len(plans))
        assert all(
            score("LightsOut", task, plan) == float(len(plan) <= task.answer["limit"]) for plan in plans
        )
        assert score("LightsOut", task, "impossible") == float(not plans)
        if plans:
            assert task.answer["reference"].count("(") == min(map(len, plans))
            assert not any(score("LightsOut", task, plan[1:]) for plan in plans if plan[1:])
    assert set(found) == ({0, solutions} if solutions > 1 else {1})


def test_sliding_puzzles_are_impossible_just_if_a_full_search_finds_nothing():
    model = MODELS["FifteenPuzzle"]
    found = []
    for level in (1, 3):
        source = load_problem("FifteenPuzzlePlan", difficulty=level).source(5)
        for task in (source[i] for i in range(25)):
            plan = shortest(model, model.start(task.answer), list)
            found.append(plan is None)
            assert score("FifteenPuzzle", task, "Impossible.") == float(plan is None)
            assert task.metadata["hardness"] <= task.answer["limit"]
    assert 0 < sum(found) < 25


def inversions(tiles):
    return sum(a > b > 0 for i, a in enumerate(tiles) for b in tiles[i:])


@pytest.mark.parametrize("level", [4, 7, 8, 10])
def test_larger_sliding_puzzles_are_impossible_just_if_inversions_and_gap_say_so(level):
    source = load_problem("FifteenPuzzlePlan", difficulty=level).source(6)
    found = set()
    for task in (source[i] for i in range(16)):
        start, goal = ([t for row in task.answer[name] for t in row] for name in ("start", "goal"))
        width = len(task.answer["start"][0])
        odd = inversions(start) + inversions(goal)
        if width % 2 == 0:
            odd += start.index(0) // width + goal.index(0) // width
        found.add(odd % 2)
        assert score("FifteenPuzzle", task, "impossible") == odd % 2
    assert found == {0, 1}
