"""Makes ``datasets/optimisation/minimal_energy.jsonl``: the least energies of points on a sphere that a search finds.

    python benchmarks/records/minimal_energy.py --starts 60

Random starts, each improved by L-BFGS until the energy stands still. The table of Thomson's problem (power 1) is
compared with the values that have been known for decades; the tests hold them, too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

FILE = Path(__file__).parents[2] / "datasets" / "optimisation" / "minimal_energy.jsonl"
COUNTS = range(4, 33)
POWERS = (1, 2, 3)
PLACES = 9


def energy(flat: np.ndarray, power: int) -> tuple[float, np.ndarray]:
    """The energy of the projected points, and its gradient in the free coordinates ``[3 n]``."""
    free = flat.reshape(-1, 3)
    length = np.linalg.norm(free, axis=1, keepdims=True)
    points = free / length
    gap = points[:, None] - points[None]
    square = (gap**2).sum(-1)
    np.fill_diagonal(square, np.inf)
    terms = square ** (-power / 2)
    slope = -power * ((terms / square)[:, :, None] * gap).sum(1)
    slope -= (slope * points).sum(1, keepdims=True) * points
    return terms.sum() / 2, (slope / length).ravel()


def least(n: int, power: int, starts: int, rng: np.random.Generator) -> tuple[np.ndarray, float, int]:
    """The best points ``[n, 3]``, their energy, and how many of the starts came there."""
    found = []
    for _ in range(starts):
        start = rng.normal(size=3 * n)
        result = minimize(
            energy, start, args=(power,), jac=True, method="L-BFGS-B",
            options={"maxiter": 5000, "ftol": 1e-16, "gtol": 1e-9, "maxcor": 30},
        )  # fmt: skip
        found.append((result.fun, result.x))
    best, flat = min(found, key=lambda pair: pair[0])
    points = flat.reshape(-1, 3)
    hits = sum(bool(value < best * (1 + 1e-9)) for value, _ in found)
    return points / np.linalg.norm(points, axis=1, keepdims=True), best, hits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    lines = []
    for n in COUNTS:
        for power in POWERS:
            points, best, hits = least(n, power, options.starts, rng)
            print(n, power, f"{best:.9f}", f"{hits}/{options.starts}", flush=True)
            row = {
                "n": n,
                "power": power,
                "energy": round(float(best), 9),
                "starts": options.starts,
                "hits": hits,
            }
            row["points"] = [[round(value, PLACES) + 0.0 for value in point] for point in points.tolist()]
            lines.append(json.dumps(row))
    FILE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
