"""What a proof of a verifier is made of, and how to change an answer by one step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

Puzzle = Any
Solution = Any


def _no_space(text: str) -> Hashable:
    return "".join(text.split())


@dataclass(frozen=True)
class Proof:
    """A second solver for an environment, and a checker of its own; nothing in it comes from the environment.

    Attributes:
        solve: solutions of a puzzle (``task.answer``), none if there is none.
        holds: whether something is a solution, but for ``objective``.
        write: a solution as an answer.
        mutate: what is one step away from a solution.
        objective: where the best solutions are asked for: what all of them have in common.
        impossible: the answer that says that there is no solution.
        key: two answers with the same key are the same answer in another form.
        difficulties: where the second solver is fast enough.
        tasks: how many of each difficulty; more where few puzzles have several solutions.
    """

    solve: Callable[[Puzzle], Iterable[Solution]]
    holds: Callable[[Puzzle, Solution], bool]
    write: Callable[[Solution], str]
    mutate: Callable[[Puzzle, Solution], Iterable[Solution]]
    objective: Callable[[Puzzle, Solution], Any] | None = None
    impossible: str | None = None
    key: Callable[[str], Hashable] = _no_space
    difficulties: Sequence[int] = (1, 3, 5)
    tasks: int = 5


def swapped(items: Sequence[Any]) -> Iterator[list[Any]]:
    """Two neighbours exchanged."""
    for i in range(len(items) - 1):
        yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def shortened(items: Sequence[Any]) -> Iterator[list[Any]]:
    """One item left out."""
    for i in range(len(items)):
        if len(items) > 1:
            yield [*items[:i], *items[i + 1 :]]


def replaced(items: Sequence[Any], options: Iterable[Any]) -> Iterator[list[Any]]:
    """One item exchanged for another option."""
    for option in options:
        for i, item in enumerate(items):
            if item != option:
                yield [*items[:i], option, *items[i + 1 :]]


def extended(items: Sequence[Any], options: Iterable[Any]) -> Iterator[list[Any]]:
    """One option more, at the end."""
    for option in options:
        yield [*items, option]


def reassigned(mapping: dict[Any, Any], options: Iterable[Any]) -> Iterator[dict[Any, Any]]:
    """One name with another value."""
    for option in options:
        for name, value in mapping.items():
            if value != option:
                yield {**mapping, name: option}


def some(items: Iterable[Any], count: int) -> list[Any]:
    """At most so many."""
    return list(islice(items, count))


def cp_solutions(model: Any, variables: Sequence[Any], count: int) -> list[list[int]]:
    """Values of ``variables`` in different solutions of an OR-tools model; the optimum has to be a constraint."""
    from ortools.sat.python import cp_model

    found: list[list[int]] = []

    class Collect(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            found.append([self.value(v) for v in variables])
            if len(found) >= count:
                self.stop_search()

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.max_time_in_seconds = 20
    solver.solve(model, Collect())
    return found


def cp_best(model: Any) -> int:
    """The optimum of an OR-tools model that has an objective."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


def z3_solutions(solver: Any, variables: Sequence[Any], count: int) -> list[list[Any]]:
    """Values of ``variables`` in different models."""
    import z3

    found: list[list[Any]] = []
    while len(found) < count and solver.check() == z3.sat:
        values = [solver.model().eval(v, model_completion=True) for v in variables]
        found.append(values)
        solver.add(z3.Or([v != value for v, value in zip(variables, values, strict=True)]))
    return found
