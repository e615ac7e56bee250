"""Plans: breadth-first search over states of our own against the verifiers of puzzles and of best moves."""

from __future__ import annotations

import re
from itertools import product

from proof import Proof, extended, replaced, shortened, swapped

MAX_STATES = 40_000


def plans(start, steps, is_goal, limit):
    """Shortest plans, and longer ones that begin with a step and its way back.

    Args:
        start: a hashable state.
        steps: ``steps(state)`` gives pairs of a step's name and the state after it.
        is_goal: whether a state is one.
        limit: the longest plan.
    """
    parents = {start: []}
    level, goals = [start], [start] if is_goal(start) else []
    while level and not goals and len(parents) < MAX_STATES:
        after: dict[object, list[tuple[object, object]]] = {}
        for state in level:
            for name, new in steps(state):
                if new not in parents:
                    after.setdefault(new, []).append((state, name))
        parents |= after
        level = list(after)
        goals = [state for state in level if is_goal(state)]

    def ways(state):
        if state == start:
            yield []
        for before, name in parents[state]:
            yield from ([*way, name] for way in ways(before))

    shortest = [plan for goal in goals for plan in ways(goal)][:8]
    detours = [
        [out, back, *plan]
        for plan in shortest[:1]
        for out, aside in steps(start)
        for back, home in steps(aside)
        if home == start
    ]
    return [plan for plan in (*shortest, *detours) if len(plan) <= limit]


def reaches(start, steps, is_goal, plan):
    state = start
    for name in plan:
        state = dict(steps(state)).get(name)
        if state is None:
            return False
    return is_goal(state)


def proof_of(start, steps, is_goal, names, write, **more):
    """The proof of a puzzle: ``start``, ``steps(puzzle)``, ``is_goal(puzzle)`` and all step ``names(puzzle)``."""

    def solve(puzzle):
        return plans(start(puzzle), steps(puzzle), is_goal(puzzle), puzzle["limit"])

    def holds(puzzle, plan):
        short = len(plan) <= puzzle["limit"]
        return short and reaches(start(puzzle), steps(puzzle), is_goal(puzzle), plan)

    def mutate(puzzle, plan):
        options = names(puzzle)
        yield from shortened(plan)
        yield from swapped(plan)
        yield from extended(plan, options)
        yield from replaced(plan, options)
        yield [*plan, *plan[-1:] * (puzzle["limit"] + 2)]

    return Proof(solve, holds, write, mutate, **more)


# --- Hanoi: the peg of each disk, the smallest first ---


def hanoi_steps(_):
    def steps(pegs):
        top = {peg: disk for disk, peg in reversed(list(enumerate(pegs)))}
        for peg, disk in top.items():
            for other in range(3):
                if other != peg and top.get(other, 99) > disk:
                    yield f"{'ABC'[peg]}->{'ABC'[other]}", (*pegs[:disk], other, *pegs[disk + 1 :])

    return steps


# --- Lights out ---


def lights_steps(puzzle):
    size = len(puzzle["lights"]), len(puzzle["lights"][0])

    def steps(lights):
        for r, c in product(*map(range, size)):
            pressed = {(r, c), (r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)}
            yield (
                (r + 1, c + 1),
                lights ^ {(a, b) for a, b in pressed if 0 <= a < size[0] and 0 <= b < size[1]},
            )

    return steps


def lit(puzzle):
    return frozenset(
        (r, c) for r, row in enumerate(puzzle["lights"]) for c, light in enumerate(row) if light == "1"
    )


# --- sliding tiles ---


def as_tiles(rows):
    return tuple(tuple(row) for row in rows)


def tile_steps(_):
    def steps(rows):
        cells = {(r, c): tile for r, row in enumerate(rows) for c, tile in enumerate(row)}
        r, c = next(place for place, tile in cells.items() if tile == 0)
        for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
            if near in cells:
                moved = {**cells, (r, c): cells[near], near: 0}
                yield (
                    str(cells[near]),
                    tuple(tuple(moved[a, b] for b in range(len(rows[0]))) for a in range(len(rows))),
                )

    return steps


# --- Sokoban: the keeper and the boxes ---

DIRECTIONS = {"R": (0, 1), "L": (0, -1), "D": (1, 0), "U": (-1, 0)}


def warehouse(puzzle, marks):
    return frozenset((r, c) for r, row in enumerate(puzzle["rows"]) for c, x in enumerate(row) if x in marks)


def sokoban_start(puzzle):
    return next(iter(warehouse(puzzle, "@+"))), warehouse(puzzle, "$*")


def sokoban_steps(puzzle):
    walls = warehouse(puzzle, "X")

    def steps(state):
        (r, c), boxes = state
        for name, (down, right) in DIRECTIONS.items():
            cell, behind = (r + down, c + right), (r + 2 * down, c + 2 * right)
            if cell in walls or (cell in boxes and (behind in walls or behind in boxes)):
                continue
            yield name, (cell, boxes ^ {cell, behind} if cell in boxes else boxes)

    return steps


# --- Rush hour: rows of letters ---


def car_steps(_):
    def steps(rows):
        cells: dict[str, list[tuple[int, int]]] = {}
        for r, row in enumerate(rows):
            for c, car in enumerate(row):
                if car != ".":
                    cells.setdefault(car, []).append((r, c))
        for car, places in cells.items():
            along = (0, 1) if places[0][0] == places[1][0] else (1, 0)
            for sign in (1, -1):
                for far in range(1, 7):
                    moved = [(r + sign * far * along[0], c + sign * far * along[1]) for r, c in places]
                    front = moved[-1] if sign > 0 else moved[0]
                    if not (0 <= front[0] < len(rows) and 0 <= front[1] < len(rows[0])):
                        break
                    if rows[front[0]][front[1]] not in (".", car):
                        break
                    yield f"{car}{'+' if sign > 0 else '-'}{far}", redrawn(rows, car, moved)

    return steps


def redrawn(rows, car, places):
    grid = [["." if x == car else x for x in row] for row in rows]
    for r, c in places:
        grid[r][c] = car
    return tuple("".join(row) for row in grid)


# --- best moves on small boards ---


def lines(rows, columns, length):
    for r, c in product(range(rows), range(columns)):
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            cells = [(r + i * down, c + i * right) for i in range(length)]
            if all(0 <= a < rows and 0 <= b < columns for a, b in cells):
                yield {a * columns + b for a, b in cells}


def result(own, other, cells, won, known):
    """1, 0 or -1 for who is to move, by trying everything."""
    key = (own, other)
    if key not in known:
        if any(line <= other for line in won):
            known[key] = -1
        else:
            free = cells - own - other
            known[key] = max((-result(other, own | {x}, cells, won, known) for x in free), default=0)
    return known[key]


def tic_tac_toe(puzzle):
    """What each move of the first player, who is to move, is worth; and the names of all cells."""
    rows, columns, length, _ = puzzle["rules"]
    first, second = (
        frozenset(i for i in range(rows * columns) if bits >> i & 1) for bits in puzzle["position"]
    )
    won, known = list(lines(rows, columns, length)), {}
    cells = frozenset(range(rows * columns))
    values = {x: -result(second, first | {x}, cells, won, known) for x in cells - first - second}
    names = {x: f"{'abcdef'[x % columns]}{x // columns + 1}" for x in cells}
    return {names[x]: value for x, value in values.items()}, [names[x] for x in sorted(cells)]


def best_cells(puzzle):
    values, _ = tic_tac_toe(puzzle)
    return [cell for cell, value in values.items() if value == max(values.values())]


def is_best(puzzle, cell):
    return cell in best_cells(puzzle)


def numbers_of(text):
    return tuple(re.findall(r"\d+", text))


PROOFS = {
    "HanoiPlan": proof_of(
        lambda p: tuple(p["start"]),
        hanoi_steps,
        lambda p: tuple(p["goal"]).__eq__,
        lambda p: ["A->B", "A->C", "B->A", "B->C", "C->A", "C->B"],
        ", ".join,
        difficulties=(1, 3, 5),
    ),
    "LightsOutPlan": proof_of(
        lit,
        lights_steps,
        lambda p: frozenset().__eq__,
        lambda p: list(product(range(1, len(p["lights"]) + 1), range(1, len(p["lights"][0]) + 1))),
        lambda s: ", ".join(f"({r}, {c})" for r, c in s) or "none",
        impossible="impossible",
        difficulties=(1, 2, 3, 4),
    ),
    "FifteenPuzzlePlan": proof_of(
        lambda p: as_tiles(p["start"]),
        tile_steps,
        lambda p: as_tiles(p["goal"]).__eq__,
        lambda p: [str(tile) for row in p["start"] for tile in row if tile],
        ", ".join,
        impossible="impossible",
        difficulties=(1, 2),
        tasks=30,
    ),
    "SokobanPlan": proof_of(
        sokoban_start,
        sokoban_steps,
        lambda p: lambda state: state[1] == warehouse(p, ".*+"),
        lambda p: list("UDLR"),
        ", ".join,
        difficulties=(1, 3, 5),
    ),
    "RushHourPlan": proof_of(
        lambda p: tuple(p["grid"]),
        car_steps,
        lambda p: lambda rows: any(row.endswith("X") for row in rows),
        lambda p: [f"{car}{sign}{n}" for car in "XAB" for sign in "+-" for n in (1, 2)],
        ", ".join,
        difficulties=(1, 3, 5),
    ),
    "TicTacToeMove": Proof(
        best_cells,
        is_best,
        str,
        lambda p, s: [*tic_tac_toe(p)[1], "z9"],
        difficulties=(1, 2, 3, 4),
    ),
}
