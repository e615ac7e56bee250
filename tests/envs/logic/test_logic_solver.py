"""The solver against brute force, and its explanations."""

from itertools import permutations, product

import numpy as np
import pytest

from rlvr_gym.envs.logic._explain import explain
from rlvr_gym.envs.logic._latin import latin_model, latin_rules, random_square
from rlvr_gym.envs.logic._solver import AllDifferent, Model, Relation, Table, reveal_until_solved, take_back


def random_model(rng):
    """A few variables with random tables, and an all-different rule now and then."""
    count, size = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    rules = []
    for number in range(int(rng.integers(1, 5))):
        scope = rng.permutation(count)[: int(rng.integers(1, min(3, count) + 1))].tolist()
        rows = [row for row in product(range(size), repeat=len(scope)) if rng.random() < 0.6]
        rules.append(Table(scope, Relation(rows), f"table {number}"))
    if rng.random() < 0.5 and count <= size:
        rules.append(AllDifferent(range(count), "all different", (1 << size) - 1 if count == size else 0))
    return Model([(1 << size) - 1] * count, rules), count, size


def brute_force(model, count, size):
    """All assignments that every rule accepts, each rule applied to fixed domains alone."""
    return [
        list(row)
        for row in product(range(size), repeat=count)
        if all(rule.prune([1 << value for value in row]) is not None for rule in model.constraints)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_search_finds_what_brute_force_finds(seed):
    model, count, size = random_model(np.random.default_rng(seed))
    found = model.search(limit=10_000)
    assert found.complete
    assert sorted(found.solutions) == brute_force(model, count, size)


@pytest.mark.parametrize("seed", range(60))
def test_explanations_reach_a_solution_or_show_that_there_is_none(seed):
    model, count, size = random_model(np.random.default_rng(seed))
    told = explain(model, lambda var, value: f"v{var}={value}")
    solutions = brute_force(model, count, size)
    if solutions:
        assert told.solution in solutions
    else:
        assert told.solution is None
        assert told.lines[-1].endswith("so there is no solution.")


def test_all_different_accepts_exactly_the_permutations():
    rule = AllDifferent(range(3), "row", 0b111)
    accepted = [row for row in product(range(3), repeat=3) if rule.prune([1 << v for v in row]) is not None]
    assert accepted == list(permutations(range(3)))


def test_a_search_that_gives_up_proves_nothing():
    model = latin_model(5, latin_rules(5))
    found = model.search(limit=10_000, max_nodes=50)
    assert not found.complete
    assert not found.unique


@pytest.mark.parametrize(("size", "box"), [(3, None), (7, None), (4, (2, 2)), (6, (2, 3)), (9, (3, 3))])
def test_random_squares_obey_rows_columns_and_boxes(size, box):
    rng = np.random.default_rng(size)
    squares = [random_square(rng, size, box) for _ in range(5)]
    for square in squares:
        assert Model([1 << v for v in square], latin_rules(size, box)).search().unique
    assert len({tuple(square) for square in squares}) > 1


@pytest.mark.parametrize("seed", range(10))
def test_revealed_cells_leave_one_solution_and_taking_back_keeps_it(seed):
    rng = np.random.default_rng(seed)
    square = random_square(rng, 4)
    model = latin_model(4, latin_rules(4))
    revealed = reveal_until_solved(model, square, rng)
    fewer = take_back(model, square, revealed)
    assert set(fewer) <= set(revealed)
    for cells in (revealed, fewer):
        found = latin_model(4, latin_rules(4), square, cells).search()
        assert found.unique
        assert found.solutions == [square]
