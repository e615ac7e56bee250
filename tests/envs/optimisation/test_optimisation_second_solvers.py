"""Optima against brute force and other solvers; other best answers score 1, worse ones in between."""

import random
import re
from itertools import combinations, pairwise, permutations, product

import pytest


def brute_tours(cities):
    """All tours from the first city as names, and their lengths."""
    first, *others = cities
    for rest in permutations(others):
        tour = [first, *rest]
        sides = zip(tour, [*rest, first], strict=True)
        yield (
            tour,
            sum(
                round(((cities[a][0] - cities[b][0]) ** 2 + (cities[a][1] - cities[b][1]) ** 2) ** 0.5)
                for a, b in sides
            ),
        )


def test_tours(tasks, scored):
    for task in tasks("TSP", (1, 3), 3):
        found = sorted((length, tour) for tour, length in brute_tours(task.answer["cities"]))
        best = [tour for length, tour in found if length == found[0][0]]
        assert found[0][0] == task.answer["best"]
        assert len(best) >= 2, "each tour has its reverse"
        for tour in best:
            turned = [*tour[2:], *tour[:2]]
            assert scored("TSP", task, " -> ".join([*turned, turned[0]])) == 1.0
        scores = [scored("TSP", task, ", ".join(tour)) for _, tour in found[:: len(found) // 20]]
        assert scores == sorted(scores, reverse=True)
        assert 0 < scores[-1] < 0.1


def test_tours_of_a_library(tasks, judged):
    nx = pytest.importorskip("networkx")
    for task in tasks("TSP", (10,), 3):
        cities = task.answer["cities"]
        graph = nx.Graph()
        for a, b in combinations(cities, 2):
            (x, y), (u, v) = cities[a], cities[b]
            graph.add_edge(a, b, weight=round(((x - u) ** 2 + (y - v) ** 2) ** 0.5))
        tour = nx.approximation.christofides(graph)
        length = sum(graph.edges[a, b]["weight"] for a, b in pairwise(tour))
        verdict = judged("TSP", task, ", ".join(tour))
        assert verdict.details["value"] == length >= task.answer["best"]
        assert verdict.score > 0


def test_cuts(tasks, scored):
    several = 0
    for task in tasks("MaxCut", (1, 4), 4):
        nodes, edges = task.answer["nodes"], task.answer["edges"]
        cuts = {}
        for sides in product((False, True), repeat=len(nodes)):
            group = {node for node, side in zip(nodes, sides, strict=True) if side}
            cuts[", ".join(sorted(group))] = sum(w for a, b, w in edges if (a in group) != (b in group))
        assert max(cuts.values()) == task.answer["best"]
        best = [text for text, weight in cuts.items() if weight == task.answer["best"]]
        assert all(scored("MaxCut", task, text) == 1.0 for text in best)
        several += len(best) > 2
        assert all(0 < scored("MaxCut", task, t) < 1 for t, w in cuts.items() if 0 < w < task.answer["best"])
        assert scored("MaxCut", task, ", ".join(nodes)) == 0.0
    assert several


def model_of(jobs):
    """The job shop as a model of OR-Tools."""
    cp_model = pytest.importorskip("ortools.sat.python.cp_model")
    model = cp_model.CpModel()
    horizon = sum(time for steps in jobs.values() for _, time in steps)
    end = model.new_int_var(0, horizon, "end")
    intervals, begins = {}, {}
    for job, steps in jobs.items():
        ready = 0
        for machine, time in steps:
            begin = begins[job, machine] = model.new_int_var(0, horizon, f"{job}{machine}")
            intervals.setdefault(machine, []).append(model.new_fixed_size_interval_var(begin, time, ""))
            model.add(begin >= ready)
            ready = begin + time
        model.add(end >= ready)
    for those in intervals.values():
        model.add_no_overlap(those)
    model.minimize(end)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    starts = {key: solver.value(begin) for key, begin in begins.items()}
    orders = {m: sorted(jobs, key=lambda job, m=m: starts[job, m]) for m in intervals}
    return solver.value(end), orders


def test_shop_plans_of_another_solver(tasks, scored):
    different = 0
    for task in tasks("JobShop", (1, 5, 10), 3):
        best, orders = model_of(task.answer["jobs"])
        assert best == task.answer["best"]
        text = "\n".join(f"Machine {m}: {' '.join(order)}" for m, order in orders.items())
        assert scored("JobShop", task, text) == 1.0
        assert scored("JobShop", task, str({f"M{m}": order for m, order in orders.items()})) == 1.0
        same = "; ".join(f"M{m}: {', '.join(orders[m])}" for m in sorted(orders))
        different += same != task.answer["reference"]
    assert different


def test_every_plan_of_a_small_shop(tasks, judged):
    """The time of each plan, by the length of the longest path."""
    circles = 0
    for task in tasks("JobShop", (1,), 4):
        jobs = task.answer["jobs"]
        for one, two in product(permutations(jobs), repeat=2):
            verdict = judged("JobShop", task, f"M1: {', '.join(one)}; M2: {', '.join(two)}")
            time = longest_path(jobs, {1: one, 2: two})
            circles += time is None
            assert verdict.details.get("value") == time
            assert verdict.correct == (time == task.answer["best"])
    assert circles


def longest_path(jobs, orders):
    """The time when all is done, by relaxing all edges; None if that does not end."""
    length = {(job, machine): time for job, steps in jobs.items() for machine, time in steps}
    edges = [((j, a[0]), (j, b[0])) for j, steps in jobs.items() for a, b in pairwise(steps)]
    edges += [((a, m), (b, m)) for m, order in orders.items() for a, b in pairwise(order)]
    end = dict(length)
    for _ in range(len(length) + 1):
        before = dict(end)
        for a, b in edges:
            end[b] = max(end[b], end[a] + length[b])
        if before == end:
            return max(end.values())
    return None


def test_rulers(tasks, scored):
    """All rulers of the best length and none shorter, by trying all sets of marks."""
    several = 0
    for task in tasks("GolombRuler", (1, 2, 4), 4):
        marks, best, forbidden = (task.answer[key] for key in ("marks", "best", "forbidden"))

        def valid(length, marks=marks, forbidden=forbidden):
            for inner in combinations(range(1, length), marks - 2):
                ruler = (0, *inner, length)
                gaps = [b - a for a, b in combinations(ruler, 2)]
                if len(set(gaps)) == len(gaps) and not set(gaps) & set(forbidden):
                    yield ruler

        assert not any(True for length in range(marks - 1, best) for _ in valid(length))
        rulers = list(valid(best))
        several += len(rulers) > 2
        for ruler in rulers:
            assert scored("GolombRuler", task, ", ".join(str(mark - 7) for mark in reversed(ruler))) == 1.0
        longer = next(ruler for length in range(best + 1, best + 9) for ruler in valid(length))
        assert 0 < scored("GolombRuler", task, str(longer)) < 1
    assert several


def batcher(n):
    """Odd-even merge sort for n channels."""
    p = 1
    while p < n:
        k = p
        while k:
            for j in range(k % p, n - k, 2 * k):
                for i in range(min(k, n - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield (i + j, i + j + k)
            k //= 2
        p *= 2


def bubble(n):
    return [(i, i + 1) for end in range(n - 1, 0, -1) for i in range(end)]


def named(network, order):
    return ", ".join(f"({order[a]}, {order[b]})" for a, b in network)


@pytest.mark.parametrize("n", range(4, 11))
def test_other_networks(n, tasks, scored):
    """Batcher's networks are the smallest up to 8 channels, and better than bubble sort beyond."""
    task = next(
        t for d in range(1, 11) for t in tasks("SortingNetwork", (d,), 12)
        if len(t.answer["order"]) == n and not t.answer["given"]
    )  # fmt: skip
    order = task.answer["order"]
    score = scored("SortingNetwork", task, named(batcher(n), order))
    assert (score == 1.0) == (n <= 8)
    assert score > 0.4
    assert scored("SortingNetwork", task, named(bubble(n), order)) == pytest.approx(0.1)
    twice = [*bubble(n), *bubble(n)]
    assert scored("SortingNetwork", task, named(twice, order)) == pytest.approx(0.05)


def test_what_sorts_is_the_same_by_the_0_1_principle_and_by_permutations(tasks, judged):
    rng = random.Random(0)
    sorting = 0
    for task in tasks("SortingNetwork", (1, 2), 6):
        order, given = task.answer["order"], [tuple(pair) for pair in task.answer["given"]]
        for _ in range(60):
            tail = [tuple(rng.sample(order, 2)) for _ in range(rng.randrange(4, 14))]
            network = (
                [*given, *tail]
                if rng.random() < 0.5
                else [*given, *(sorted(pair, key=order.index) for pair in tail)]
            )
            verdict = judged("SortingNetwork", task, ", ".join(f"{a}-{b}" for a, b in network))
            expected = all(run(network, order, values) for values in permutations(range(len(order))))
            sorting += expected
            assert (verdict.score > 0) == expected
    assert sorting > 10


def run(network, order, values):
    state = dict(zip(sorted(order), values, strict=True))
    for a, b in network:
        state[a], state[b] = min(state[a], state[b]), max(state[a], state[b])
    return [state[channel] for channel in order] == sorted(values)


def test_networks_that_lack_a_comparator_or_the_given_ones(tasks, judged):
    for task in tasks("SortingNetwork", (1, 4, 7), 6):
        comparators = task.answer["reference"].split("), ")
        for i in range(len(comparators)):
            shorter = "), ".join(comparators[:i] + comparators[i + 1 :])
            assert judged("SortingNetwork", task, shorter).score == 0.0
        if task.answer["given"]:
            moved = (
                "), ".join([c.strip(")") for c in [*comparators[len(task.answer["given"]) :], *comparators]])
                + ")"
            )
            verdict = judged("SortingNetwork", task, moved)
            assert verdict.details["rule"] == "it does not begin with the given comparators"


MERIT = {7: 3, 8: 8, 9: 12, 10: 13, 11: 5, 12: 10, 13: 6, 14: 19, 15: 15, 16: 24}
"""The least energies of sequences without given signs (Mertens 1996, table 1)."""


def test_least_energies_are_those_of_the_literature(tasks):
    for task in tasks("LowAutocorrelation", range(1, 11), 1, classic=True):
        assert task.answer["best"] == MERIT[len(task.answer["given"])]


def test_sequences(tasks, judged):
    """Every sequence, its energy by convolution; reversed or negated ones keep the energy, not the given signs."""
    import numpy as np

    several = 0
    for task in tasks("LowAutocorrelation", (1,), 5):
        given, energies = task.answer["given"], {}
        for signs in product((1, -1), repeat=len(given)):
            full = np.correlate(signs, signs, "full")
            valid = all(g in (0, s) for g, s in zip(given, signs, strict=True))
            verdict = judged("LowAutocorrelation", task, ", ".join(map(str, signs)))
            assert (verdict.score > 0) == valid
            if valid:
                energies[signs] = int((full[len(given) :] ** 2).sum())
                assert verdict.details["value"] == energies[signs]
        assert min(energies.values()) == task.answer["best"]
        best = [signs for signs, energy in energies.items() if energy == task.answer["best"]]
        several += len(best) > 1
        assert all(
            judged("LowAutocorrelation", task, "".join("+-"[s < 0] for s in signs)).correct for signs in best
        )
    assert several


@pytest.mark.parametrize(
    "text",
    [
        "+ - + +",
        "+-++",
        "+1, -1, +1, +1",
        "1 -1 1 1",
        "[1, \u22121, 1, 1]",
        "(+, \u2212, +, +)",
        "**+ - + +**",
    ],
)
def test_how_signs_may_be_written(text):
    from rlvr_gym.envs.optimisation.low_autocorrelation import parse_signs

    assert parse_signs(text) == [1, -1, 1, 1]


@pytest.mark.parametrize("text", ["", "1, 11", "+ 0 -", "1.0, -1.0", "+ - x", "1 2", "11", "?", "+" * 501])
def test_what_are_no_signs(text):
    from rlvr_gym.envs.optimisation.low_autocorrelation import parse_signs

    assert parse_signs(text) is None


EQUAL_FORMULAS = [
    ("3*x^2 - 2*sin(2*x) + 1", "3x² - 4 sin(x) cos(x) + 1"),
    ("-x + 4/(x + 2) - 3", "(4 - (x + 3)(x + 2)) / (x + 2)"),
    ("2*sqrt(x + 1) + 5", r"y = 5 + \sqrt{4x + 4}"),
    ("3*exp(-x/2) + 2", "f(x) = 2 + 3/e^{x/2}"),
    ("4*ln(x + 3) - 1", r"2\ln((x+3)^2) - 1"),
]


@pytest.mark.parametrize(("hidden", "other"), EQUAL_FORMULAS)
def test_formulas_written_otherwise(hidden, other, tasks, scored):
    (task,) = tasks("SymbolicRegression", (1,), 1)
    replace_formula(task, hidden)
    assert scored("SymbolicRegression", task, hidden) == 1.0
    assert scored("SymbolicRegression", task, other) == 1.0
    assert 0 < scored("SymbolicRegression", task, f"{hidden} + 0.0001*x") < 0.3


def replace_formula(task, text):
    """Puts another formula behind a task, evaluated by SymPy."""
    import sympy

    x = sympy.Symbol("x")
    function = sympy.lambdify(x, sympy.sympify(text.replace("^", "**")), "math")
    for group in ("inside", "outside"):
        for pair in task.answer[group]:
            pair[1] = function(pair[0])


def test_fits_of_the_shown_points_earn_little(tasks, scored):
    """Polynomials of all degrees through the table, a constant, and the hidden formula with one number changed."""
    import numpy as np

    earned = []
    for task in tasks("SymbolicRegression", (3, 5, 7, 10), 4):
        rows = re.findall(r"^([\d.]+): (-?[\d.]+)$", task.prompt, re.MULTILINE)
        x, y = np.array(rows, dtype=float).T
        assert scored("SymbolicRegression", task, f"{y.mean():.6f}") == 0.0
        for degree in (1, 2, 4, 7, len(x) - 1):
            factors = np.polynomial.Polynomial.fit(x, y, degree).convert().coef
            text = " + ".join(f"({c:.6g})*x^{i}" for i, c in enumerate(factors))
            score = scored("SymbolicRegression", task, text.replace("e-", "*10^-"))
            assert score <= 0.3
            earned.append(score)
    assert sum(earned) / len(earned) < 0.1


def test_held_out_points_are_not_shown(tasks):
    for task in tasks("SymbolicRegression", range(1, 11), 3):
        shown = {line.partition(":")[0] for line in task.prompt.splitlines() if re.match(r"[\d.]+: ", line)}
        inside, outside = ({x for x, _ in task.answer[group]} for group in ("inside", "outside"))
        assert len(shown) >= 10
        assert len(inside) == len(outside) == 8
        assert not {f"{x:g}" for x in inside | outside} & shown
        assert 0 < min(inside) < max(inside) < 4 < min(outside) < max(outside) <= 6


def test_two_formulas_on_two_lines_are_no_formula(tasks, scored):
    """The parser multiplies what stands side by side, and a line break is white space to it."""
    (task,) = tasks("SymbolicRegression", (1,), 1)
    hidden = task.answer["formula"]
    assert scored("SymbolicRegression", task, f"1\n({hidden})") == 0.0
    assert scored("SymbolicRegression", task, f"({hidden})\n1") == 0.0
    assert scored("SymbolicRegression", task, f"{hidden} +\n0*x") == 1.0
    assert scored("SymbolicRegression", task, f"{hidden}\n- 0*x") == 1.0
