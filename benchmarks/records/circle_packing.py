"""Makes ``datasets/optimisation/circle_packing.jsonl``: the best packings that a multi-start search finds.

    python benchmarks/records/circle_packing.py --minutes 30

The search needs no penalty and no tolerance. The distance of two centres is a convex function of their moves, so it
never falls below its linearisation: a linear programme in all centres and radii, with each pair's constraint
linearised, has only feasible solutions. Solving it again and again raises the sum of the radii until nothing moves.
Around that: starts (random ones, or records with a circle more or fewer), and hops that throw one to three circles
somewhere else. A row is kept if it is better than the one in the file, so that several runs add up. What is written is
rounded to ten decimals and then shrunk until it is feasible in exact arithmetic, which the tests check again.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

FILE = Path(__file__).parents[2] / "datasets" / "optimisation" / "circle_packing.jsonl"
SHAPES = ((1, 1), (3, 4), (2, 3), (1, 2))
COUNTS = range(3, 27)
PLACES = 10
TOLERANCE = 1e-13

Shape = tuple[int, int]
Rows = dict[tuple[int, int, int], dict[str, Any]]
"""Rows of the file by number of circles and sides."""


class Improver:
    """Raises the sum of radii of ``n`` circles in a rectangle to a local maximum."""

    def __init__(self, n: int, width: float, height: float) -> None:
        self.n, self.sides = n, np.array([width, height])
        self.first, self.second = np.triu_indices(n, 1)
        pairs, walls = len(self.first), 4 * n
        row = np.arange(pairs)
        i, j = self.first, self.second
        self.pair_rows = np.concatenate([row] * 6)
        self.pair_columns = np.concatenate([3 * i, 3 * i + 1, 3 * j, 3 * j + 1, 3 * i + 2, 3 * j + 2])
        k = np.arange(n)
        rows, columns, values = [], [], []
        for wall, (axis, sign) in enumerate(((0, -1), (1, -1), (0, 1), (1, 1))):
            rows += [pairs + wall * n + k] * 2
            columns += [3 * k + axis, 3 * k + 2]
            values += [np.full(n, float(sign)), np.ones(n)]
        self.wall_rows, self.wall_columns = np.concatenate(rows), np.concatenate(columns)
        self.wall_values = np.concatenate(values)
        self.wall_bounds = np.concatenate([np.zeros(2 * n), np.full(n, width), np.full(n, height)])
        self.shape = (pairs + walls, 3 * n)
        self.cost = np.tile([0.0, 0.0, -1.0], n)

    def __call__(self, centres: np.ndarray, goal: float = 0.0, rounds: int = 200) -> np.ndarray | None:
        """Centres and radii ``[n, 3]`` at a local maximum, from ``centres`` ``[n, 2]``.

        It gives up where it will hardly come to ``goal``: where the last gain, eight times over, would not do.
        """
        best, total = None, 0.0
        for number in range(rounds):
            gap = centres[self.first] - centres[self.second]
            distance = np.maximum(np.hypot(*gap.T), 1e-12)
            u, v = (gap / distance[:, None]).T
            ones = np.ones(len(u))
            matrix = csr_matrix(
                (
                    np.concatenate([-u, -v, u, v, ones, ones, self.wall_values]),
                    (
                        np.concatenate([self.pair_rows, self.wall_rows]),
                        np.concatenate([self.pair_columns, self.wall_columns]),
                    ),
                ),
                shape=self.shape,
            )
            # u * c_i - u * c_j is the linearised distance itself, because the distance is homogeneous
            bounds = np.concatenate([np.zeros(len(u)), self.wall_bounds])
            reach = 0.3 * self.sides.min() if number < 10 else 0.05 * self.sides.min()
            low = np.c_[centres - reach, np.zeros(self.n)].ravel()
            high = np.c_[centres + reach, np.full(self.n, self.sides.min())].ravel()
            result = linprog(self.cost, matrix, bounds, bounds=np.c_[low, high], method="highs-ds")
            if result.x is None:
                return best
            found = result.x.reshape(self.n, 3)
            centres = found[:, :2]
            gained = -result.fun - total
            best, total = found, -result.fun
            if gained < TOLERANCE or (number > 2 and total + 8 * gained < goal):
                break
        return best


def start_of(n: int, shape: Shape, known: Rows, rng: np.random.Generator) -> np.ndarray:
    """Centres ``[n, 2]`` to begin with: random ones, or out of a record for as many, one more or one fewer circles."""
    from_record = [m for m in (n - 1, n, n + 1) if (m, *shape) in known]
    if not from_record or rng.random() < 0.5:
        return rng.random((n, 2)) * shape
    row = known[from_record[rng.integers(len(from_record))], *shape]
    centres = rng.permutation(np.array([circle[:2] for circle in row["circles"]], dtype=float))
    return np.concatenate([centres, rng.random((1, 2)) * shape])[:n]


def search(n: int, shape: Shape, known: Rows, rng: np.random.Generator, seconds: float) -> np.ndarray:
    """The best packing of starts and hops within ``seconds``."""
    improve = Improver(n, *map(float, shape))
    stop = time.monotonic() + seconds
    best, record = None, 0.0
    while best is None or time.monotonic() < stop:
        current = improve(start_of(n, shape, known, rng))
        if current is None:
            continue
        score, stale = current[:, 2].sum(), 0
        while stale < 3 * n and time.monotonic() < stop:
            moved = current[:, :2].copy()
            chosen = rng.permutation(n)[: rng.integers(1, min(4, n))]
            moved[chosen] = rng.random((len(chosen), 2)) * shape
            other = improve(moved, score)
            stale += 1
            if other is not None and other[:, 2].sum() > score + 1e-9:
                current, score, stale = other, other[:, 2].sum(), 0
        if score > record:
            best, record = current, score
    return best


def exact(packing: np.ndarray, shape: Shape) -> list[list[Fraction]]:
    """The packing in decimals, with radii shrunk until it is feasible exactly."""
    unit = Fraction(1, 10**PLACES)
    rows = [
        [Fraction(round(value * 10**PLACES), 10**PLACES) for value in circle] for circle in packing.tolist()
    ]
    for row in rows:
        x, y, r = row
        row[2] = min(r, x, y, shape[0] - x, shape[1] - y)
    for a, b in combinations(rows, 2):
        while (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 < (a[2] + b[2]) ** 2:
            larger = a if a[2] >= b[2] else b
            larger[2] -= unit
    return rows


def stored() -> Rows:
    """The rows that are there."""
    lines = FILE.read_text().splitlines() if FILE.exists() else []
    return {(row["n"], *row["shape"]): row for row in map(json.loads, lines)}


def decimal(value: Fraction) -> str:
    whole, rest = divmod(abs(int(value * 10**PLACES)), 10**PLACES)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{PLACES}d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for all packings together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, help="only this number of circles")
    parser.add_argument("--shape", type=int, nargs=2, help="only this rectangle")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    jobs = [
        (n, shape)
        for n in COUNTS
        for shape in SHAPES
        if options.count in (None, n) and (not options.shape or tuple(options.shape) == shape)
    ]
    weight = sum(n**2 for n, _ in jobs)
    for n, shape in jobs:
        packing = exact(search(n, shape, stored(), rng, options.minutes * 60 * n**2 / weight), shape)
        rows = stored()  # again, because another run may have written
        total = sum(circle[2] for circle in packing)
        before = rows.get((n, *shape))
        print(n, shape, decimal(total), f"before {before['sum']}" if before else "", flush=True)
        if before is None or Fraction(before["sum"]) < total:
            circles = sorted([decimal(value) for value in circle] for circle in packing)
            rows[n, *shape] = {"n": n, "shape": list(shape), "sum": decimal(total), "circles": circles}
            lines = [json.dumps(rows[key]) for key in sorted(rows)]
            FILE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
