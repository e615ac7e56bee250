"""Records in exact arithmetic, answers that are off by a hair, and texts that are made to break a verifier."""

import json
import math
import time
from fractions import Fraction
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pytest

from rlvr_gym import load_problem
from rlvr_gym.verdict import Reason

FOLDER = Path(__file__).parents[3] / "datasets" / "optimisation"
THOMSON = {
    4: 3.674234614, 5: 6.474691495, 6: 9.985281374, 7: 14.452977414, 8: 19.675287861, 9: 25.759986531,
    10: 32.716949460, 11: 40.596450510, 12: 49.165253058, 13: 58.853230612, 14: 69.306363297, 15: 80.670244114,
    16: 92.911655302, 17: 106.050404829, 18: 120.084467447, 19: 135.089467557, 20: 150.881568334,
    21: 167.641622399, 22: 185.287536149, 23: 203.930190663, 24: 223.347074052, 25: 243.812760299,
    26: 265.133326317, 27: 287.302615033, 28: 310.491542358, 29: 334.634439920, 30: 359.603945904,
    31: 385.530838063, 32: 412.261274651,
}  # fmt: skip
"""The published minima of Thomson's problem (Wikipedia, "Thomson problem", after Wales and Ulker 2006)."""


def rows(name):
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def classic(name, difficulty):
    return load_problem(name, difficulty=difficulty, classic=True).source(0)[0]


# --- the records ---


def test_packings_are_feasible_exactly():
    found = {(row["n"], *row["shape"]): row for row in rows("circle_packing")}
    assert found.keys() == {(n, *shape) for n in range(3, 27) for shape in ((1, 1), (3, 4), (2, 3), (1, 2))}
    for (n, width, height), row in found.items():
        circles = [[Fraction(number) for number in circle] for circle in row["circles"]]
        assert len(circles) == n
        assert sum(r for _, _, r in circles) == Fraction(row["sum"])
        assert all(r > 0 and r <= x <= width - r and r <= y <= height - r for x, y, r in circles)
        for (a, b, c), (x, y, r) in combinations(circles, 2):
            assert (a - x) ** 2 + (b - y) ** 2 >= (c + r) ** 2
    assert float(found[26, 1, 1]["sum"]) > 2.6359, "AlphaEvolve reported 2.635"


def test_sums_rise_with_the_number_of_circles():
    """One circle more can always be added; a record that breaks this was not searched for long enough."""
    sums = {(row["n"], *row["shape"]): float(row["sum"]) for row in rows("circle_packing")}
    assert all(sums[n + 1, w, h] > total for (n, w, h), total in sums.items() if n < 26)


def test_energies_are_those_that_are_published():
    found = {(row["n"], row["power"]): row for row in rows("minimal_energy")}
    assert all(abs(found[n, 1]["energy"] - energy) < 1e-8 for n, energy in THOMSON.items())
    for (n, power), row in found.items():
        points = np.array(row["points"])
        assert len(points) == n
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        total = sum(np.linalg.norm(a - b) ** -power for a, b in combinations(points, 2))
        assert total == pytest.approx(row["energy"], rel=1e-9)


def test_networks_sort():
    for row in rows("sorting_networks"):
        assert len(row["network"]) == row["size"] == row["best_known"]
        inputs = np.array(list(product((0, 1), repeat=row["n"])), dtype=np.int8)
        for a, b in row["network"]:
            assert a < b
            inputs[:, [a, b]] = np.sort(inputs[:, [a, b]], axis=1)
        assert (np.diff(inputs, axis=1) >= 0).all()


def test_rulers_of_the_literature():
    from rlvr_gym.envs.optimisation.golomb_ruler import OPTIMAL_RULERS, greedy, shortest

    lengths = [3, 6, 11, 17, 25, 34, 44, 55, 72, 85, 106, 127, 151, 177]  # OEIS A003022
    assert [ruler[-1] for ruler in OPTIMAL_RULERS.values()] == lengths
    for marks, ruler in OPTIMAL_RULERS.items():
        distances = [b - a for a, b in combinations(ruler, 2)]
        assert len(ruler) == marks
        assert len(set(distances)) == len(distances)
        if marks <= 9:
            assert shortest(marks, [], greedy(marks, []))[0][-1] == ruler[-1]


# --- circles ---


def text_of(circles):
    return "\n".join(", ".join(str(number) for number in circle) for circle in circles)


QUARTERS = [
    ["0.25", "0.25", "0.25"],
    ["0.75", "0.25", "0.25"],
    ["0.25", "0.75", "0.25"],
    ["0.75", "0.75", "0.25"],
]


@pytest.mark.parametrize(
    ("circle", "number", "value", "rule"),
    [
        (3, 2, "0.25" + "0" * 400 + "1", "a circle is not in the rectangle"),
        (3, 0, "0.75" + "0" * 60 + "1", "a circle is not in the rectangle"),
        (0, 0, "0.24" + "9" * 60, "a circle is not in the rectangle"),
        (1, 2, "-0.25", "a radius is not positive"),
        (1, 2, "0", "a radius is not positive"),
        (1, 2, "-0.0", "a radius is not positive"),
    ],
)
def test_a_hair_too_much_is_invalid(circle, number, value, rule, judged):
    task = classic("CirclePacking", 1)
    assert judged("CirclePacking", task, text_of(QUARTERS)).score > 0.1
    circles = [list(c) for c in QUARTERS]
    circles[circle][number] = value
    verdict = judged("CirclePacking", task, text_of(circles))
    assert (verdict.score, verdict.reason, verdict.details["rule"]) == (0.0, Reason.RULE_BROKEN, rule)


def test_a_hair_of_overlap_is_invalid(judged):
    """Inner circles, so that no side is in the way; floats could not tell the two apart."""
    task = classic("CirclePacking", 1)
    apart = [["0.3", "0.5", "0.2"], ["0.7", "0.5", "0.2"], ["0.5", "0.1", "0.01"], ["0.5", "0.9", "0.01"]]
    assert judged("CirclePacking", task, text_of(apart)).score > 0
    apart[1][2] = "0.2" + "0" * 100 + "1"
    assert judged("CirclePacking", task, text_of(apart)).details["rule"] == "two circles overlap"


def test_packings_written_otherwise_and_mirrored(tasks, scored):
    for task in tasks("CirclePacking", (2, 6, 10), 3):
        left, bottom, right, top = task.answer["box"]
        circles = [
            [Fraction(n) for n in c.strip("() ").split(", ")] for c in task.answer["reference"].split("), ")
        ]
        mirrored = [[left + right - x, bottom + top - y, r] for x, y, r in circles]
        as_json = json.dumps(
            [[float(f"{float(n):.9f}") for n in (x, y, r - Fraction(1, 10**8))] for x, y, r in mirrored]
        )
        assert scored("CirclePacking", task, as_json) == 1.0
        assert scored("CirclePacking", task, text_of([[x, y, r] for x, y, r in mirrored])) == 1.0, "fractions"
        assert scored("CirclePacking", task, text_of([[x + 1000, y, r] for x, y, r in circles])) == 0.0


def test_packings_between_poor_and_best(tasks, scored):
    for task in tasks("CirclePacking", (1, 5, 10), 2):
        circles = [
            [Fraction(n) for n in c.strip("() ").split(", ")] for c in task.answer["reference"].split("), ")
        ]
        scores = [
            scored("CirclePacking", task, text_of([[x, y, r * share] for x, y, r in circles]))
            for share in (Fraction(p, 100_000) for p in (10, 50_000, 95_000, 98_000, 99_900, 99_980, 99_991))
        ]
        assert scores == sorted(scores)
        assert scores[0] < 1e-4
        assert scores[1] == pytest.approx(0.1 * 0.5 / 0.95, rel=1e-6)
        assert scores[2] == pytest.approx(0.1, rel=1e-6)
        assert scores[3] == pytest.approx(0.1 + 0.9 * 0.6**3, rel=1e-6)
        assert 0.9 < scores[4] < scores[5] < scores[6] == 1.0
    task = classic("CirclePacking", 10)
    grid = [[f"0.{2 * i + 1}", f"0.{2 * j + 1}", "0.1"] for i in range(5) for j in range(5)]
    assert scored("CirclePacking", task, text_of([*grid, ["0.2", "0.2", "0.0414"]])) < 0.15


def test_five_circles_by_hand_and_by_another_solver(scored):
    """Four corners and the gap between them; SLSQP from random starts comes to the same."""
    from scipy.optimize import minimize

    row = next(row for row in rows("circle_packing") if row["n"] == 5 and row["shape"] == [1, 1])
    assert float(row["sum"]) == pytest.approx(1 + (math.sqrt(2) - 1) / 4, abs=1e-8)
    i, j = np.triu_indices(5, 1)

    def room(v):
        x, y, r = v.reshape(3, 5)
        pairs = np.hypot(x[i] - x[j], y[i] - y[j]) - r[i] - r[j]
        return np.concatenate([x - r, y - r, 1 - x - r, 1 - y - r, pairs])

    rng, best = np.random.default_rng(0), 0.0
    for _ in range(12):
        start = np.concatenate([rng.random(10), np.full(5, 0.05)])
        found = minimize(
            lambda v: -v[10:].sum(), start, constraints={"type": "ineq", "fun": room}, method="SLSQP"
        )
        if room(found.x).min() > -1e-9:
            best = max(best, -found.fun)
    assert best == pytest.approx(float(row["sum"]), abs=1e-6)


def test_more_than_the_best_known_is_capped(judged):
    task = classic("CirclePacking", 1)
    task.answer.update(best=0.9, plain=0.8)
    verdict = judged("CirclePacking", task, text_of(QUARTERS))
    assert verdict.correct
    assert verdict.details["value"] > verdict.details["best"]


@pytest.mark.parametrize("form", ["- ({})", "* [{}]", "{n}. ({})", "{}", "[{}],"])
def test_lists_of_circles(form, scored):
    task = classic("CirclePacking", 1)
    lines = [form.replace("{n}", str(i)).replace("{}", ", ".join(c)) for i, c in enumerate(QUARTERS, start=1)]
    assert (
        scored("CirclePacking", task, "\n".join(lines))
        == scored("CirclePacking", task, text_of(QUARTERS))
        > 0.1
    )


# --- points ---


def points_of(task):
    return np.array(
        [[float(n) for n in p.strip("() ").split(", ")] for p in task.answer["reference"].split("), ")]
    )


def written(points):
    return ", ".join(f"({x:.6f}, {y:.6f}, {z:.6f})" for x, y, z in points)


def test_points_mirrored_scaled_and_moved(tasks, judged):
    for task in tasks("MinimalEnergyPoints", (1, 4, 8), 3):
        points, pole = points_of(task), np.array([float(c) for c in task.answer["given"]])
        normal = np.cross(pole, [1.0, 2.0, 3.0])
        normal /= np.linalg.norm(normal)
        mirrored = points - 2 * np.outer(points @ normal, normal)
        assert judged("MinimalEnergyPoints", task, written(mirrored)).correct
        scaled = judged("MinimalEnergyPoints", task, written(points * 1.0008))
        assert scaled.correct, "a larger radius is no advantage, and no disadvantage"
        assert judged("MinimalEnergyPoints", task, written(points * 1.0011)).score == 0.0
        assert judged("MinimalEnergyPoints", task, written(-points)).score == 0.0 or any(
            np.linalg.norm(points + pole, axis=1) < 1e-3
        )
        shaken = points.copy()
        other = int(np.argmax(np.linalg.norm(points - pole, axis=1)))
        shaken[other] += 0.02 * np.cross(points[other], normal)
        shaken[other] /= np.linalg.norm(shaken[other])
        near = judged("MinimalEnergyPoints", task, written(shaken))
        assert 0.5 < near.score < 1
        same = points.copy()
        same[1] = same[0]
        assert judged("MinimalEnergyPoints", task, written(same)).score == 0.0


def test_poor_points_earn_little(scored):
    for difficulty in (2, 6, 10):
        task = classic("MinimalEnergyPoints", difficulty)
        turn = 2 * np.pi * np.arange(task.answer["points"]) / task.answer["points"]
        ring = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
        assert 0 < scored("MinimalEnergyPoints", task, written(ring)) < 0.1
        assert scored("MinimalEnergyPoints", task, written(0 * ring)) == 0.0


# --- texts that are made to break a verifier ---

HOSTILE_NUMBERS = [
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1e-999",
    "0." + "3" * 1_000_000,
    "9" * 4_000,
    "1/0",
    "1/" + "9" * 4_000,
    "0x1",
    "1_0",
    "٣",
]


@pytest.mark.parametrize("number", HOSTILE_NUMBERS, ids=lambda text: text[:8])
@pytest.mark.parametrize("name", ["CirclePacking", "MinimalEnergyPoints", "GolombRuler"])
def test_hostile_numbers(name, number, judged):
    task = classic(name, 1)
    start = time.monotonic()
    for text in (
        f"0, 1, 3, 7, {number}",
        text_of([[number] * 3] * 4),
        text_of([*QUARTERS[:3], ["0.75", "0.75", number]]),
    ):
        assert judged(name, task, text).score == 0.0
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "text",
    [
        "exp(exp(exp(x)))", "x^x^x^x", "9^9^9^9", "(10^100000)!", "1/0", "1/(x-x)", "ln(-x-1)", "sqrt(-1-x)", "nan", "inf",
        "x = 3", "y < x", "3*t", "sin", "x!", "__import__('os')", "lambda x: x", "+".join(["exp(sin(x))"] * 400),
        "(" * 290 + "x", "-" * 299 + "x", "0*" * 140 + "x", "10^99*x", "exp(100*x)", "1, 2", "{x}", "x + i", "x%",
    ],
)  # fmt: skip
def test_formulas_without_a_value(text, tasks, judged):
    for task in tasks("SymbolicRegression", (2, 8), 2):
        start = time.monotonic()
        verdict = judged("SymbolicRegression", task, text)
        assert verdict.score < 0.2
        assert not verdict.correct
        assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("TSP", "A, B, C", "a city is left out"),
        ("TSP", "A, B, C, D, E, F, B", "a city is visited twice"),
        ("MaxCut", "A, B, A", "a node is named twice"),
        ("JobShop", "M1: A, B, C", "an order is asked for machines 1 to 2"),
        ("JobShop", "M1: A, B, C; M2: A, A, B", "a machine does not work on every job once"),
        ("GolombRuler", "0, 1, 3", "4 marks are asked for"),
        ("GolombRuler", "0, 50, 100, 170", "a distance is measured twice, or two marks are one"),
        ("GolombRuler", "0, 0, 50, 170", "a distance is measured twice, or two marks are one"),
        ("SortingNetwork", "(1, 1)", None),
        ("CirclePacking", "(0, 0, 1)", None),
    ],
)
def test_rules(name, text, rule, judged, tasks):
    (task,) = tasks(name, (1,), 1)
    verdict = judged(name, task, text)
    assert (verdict.score, verdict.reason) == (0.0, Reason.RULE_BROKEN)
    assert rule is None or verdict.details["rule"] == rule


@pytest.mark.parametrize("one", ["\u0661", "\uff11", "\u2160", "01x"])
def test_look_alike_digits_name_no_machine(one, tasks, judged):
    (task,) = tasks("JobShop", (1,), 1)
    text = task.answer["reference"].replace("M1", f"M{one}")
    assert judged("JobShop", task, text).score == 0.0


def test_forbidden_distances(tasks, judged):
    for task in tasks("GolombRuler", (1, 3), 4):
        distance = task.answer["forbidden"][-1]
        ruler = [0, distance, *(1000 * 3**k for k in range(task.answer["marks"] - 2))]
        assert all(b > a for a, b in pairwise(ruler))
        assert (
            judged("GolombRuler", task, str(ruler)).details["rule"] == f"the distance {distance} is forbidden"
        )


def test_hedging_earns_nothing(tasks):
    """A best and a poor answer at once."""
    for name, poor in (("GolombRuler", "0, 100, 300, 700"), ("MaxCut", "A"), ("TSP", "A, B, C, D, E, F")):
        (task,) = tasks(name, (1,), 1)
        verifier = load_problem(name).make_verifier()
        both = f"<answer>{task.answer['reference']}</answer> or <answer>{poor}</answer>"
        assert verifier.verify(both, task).score == 0.0
