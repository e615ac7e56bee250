"""A small finite-domain solver: bitmask domains, propagation, search, and a proof in words.

A variable's domain is an int whose bit v says that value v is still possible. Puzzles state their rules as
constraints; generators use :meth:`Model.search` to prove that a puzzle has exactly one solution (or none), and
:func:`rlvr_gym.envs.logic._explain.explain` to write down how a person would solve it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "AllDifferent",
    "Constraint",
    "Domains",
    "Model",
    "Relation",
    "Search",
    "Table",
    "reveal_until_solved",
    "take_back",
    "values_of",
]

Domains = list[int]
Narrowings = list[tuple[int, int]]
"""Positions, and the domains that are left there."""
REMEMBERED, REMEMBERED_WIDTH = 512, 3
"""How many prunings a relation remembers, if it is so narrow: few domains make most of the work."""


class Constraint(ABC):
    """A rule over some variables.

    Attributes:
        scope: the variables.
        label: how a person calls it: ``row 3``.
    """

    __slots__ = ("label", "scope")

    def __init__(self, scope: Sequence[int], label: str) -> None:
        self.scope = tuple(scope)
        self.label = label

    @abstractmethod
    def prune(self, domains: Domains) -> list[int] | None:
        """Takes impossible values out of ``domains``, to its own fixpoint.

        Returns:
            The variables that changed, or None if the rule cannot hold any more.
        """


class AllDifferent(Constraint):
    """No two variables are equal; with ``values``, each value of that mask is also taken by one of them."""

    __slots__ = ("values",)

    def __init__(self, scope: Sequence[int], label: str, values: int = 0) -> None:
        super().__init__(scope, label)
        self.values = values

    def prune(self, domains: Domains) -> list[int] | None:
        """Naked singles, and hidden singles where every value is needed."""
        scope, values = self.scope, self.values
        changed: list[int] = []
        while True:
            fixed = seen = seen_twice = open_seen = 0
            for var in scope:
                domain = domains[var]
                seen_twice |= seen & domain
                seen |= domain
                if domain & (domain - 1):
                    open_seen |= domain
                elif domain & fixed:
                    return None
                else:
                    fixed |= domain
            if values & ~seen:
                return None
            lone = values & ~seen_twice & ~fixed
            if not lone and not open_seen & fixed:
                return changed
            open_values = ~fixed
            before = len(changed)
            for var in scope:
                domain = domains[var]
                if domain & (domain - 1):
                    narrowed = domain & open_values
                    only_here = narrowed & lone
                    if only_here:
                        if only_here & (only_here - 1):
                            return None
                        narrowed = only_here
                    if narrowed != domain:
                        if not narrowed:
                            return None
                        domains[var] = narrowed
                        changed.append(var)
            if len(changed) == before:
                return changed


class Relation:
    """The allowed tuples of a :class:`Table` as bitsets, so that one pruning costs a few operations on ints.

    Bit i of what ``supports[position]`` holds for a value, which is told by its bit, says that tuple i has that value
    there (after Demeulenaere et al., "Compact-Table", CP 2016). Relations do not know their variables, so that tables
    share them.
    """

    __slots__ = ("all", "pruned", "supports", "unions")

    def __init__(self, tuples: Iterable[Sequence[int]]) -> None:
        rows = list(tuples)
        width = 1 + max((max(row) for row in rows), default=0)
        bits = [
            [bytearray(len(rows) // 8 + 1) for _ in range(width)] for _ in range(len(rows[0]) if rows else 0)
        ]
        for index, row in enumerate(rows):
            for position, value in enumerate(row):
                bits[position][value][index >> 3] |= 1 << (index & 7)
        self.all = (1 << len(rows)) - 1
        self.supports = [
            [(1 << value, int.from_bytes(b, "little")) for value, b in enumerate(column)] for column in bits
        ]
        self.unions: list[dict[int, int]] = [{} for _ in bits]
        self.pruned: dict[tuple[int, ...], Narrowings | None] = {}

    def union(self, position: int, domain: int) -> int:
        """The tuples whose value at ``position`` lies in ``domain``; remembered, since masks come back often."""
        known = self.unions[position].get(domain)
        if known is None:
            known = 0
            for bit, support in self.supports[position]:
                if domain & bit:
                    known |= support
            self.unions[position][domain] = known
        return known

    def narrow(self, domains: Sequence[int]) -> Narrowings | None:
        """Where fewer values are possible than ``domains`` has, and which; None if no tuple is possible."""
        alive = self.all
        if not alive:
            return None
        for position, domain in enumerate(domains):
            known = self.unions[position].get(domain)  # nearly always there: saves a call
            alive &= self.union(position, domain) if known is None else known
        if not alive:
            return None
        found: Narrowings = []
        for position, domain in enumerate(domains):
            if domain & (domain - 1):
                narrowed = 0
                for bit, support in self.supports[position]:
                    if domain & bit and support & alive:
                        narrowed |= bit
                if narrowed != domain:
                    found.append((position, narrowed))
        return found


class Table(Constraint):
    """The variables, all different ones, take in order one of the tuples of a relation."""

    __slots__ = ("relation",)

    def __init__(self, scope: Sequence[int], relation: Relation, label: str) -> None:
        super().__init__(scope, label)
        self.relation = relation

    def prune(self, domains: Domains) -> list[int] | None:
        """Keeps exactly the values that stand in a tuple that is still possible."""
        scope, table = self.scope, self.relation
        masks = tuple([domains[var] for var in scope])
        if masks in table.pruned:
            found = table.pruned[masks]
        else:
            found = table.narrow(masks)
            if len(scope) <= REMEMBERED_WIDTH and len(table.pruned) < REMEMBERED:
                table.pruned[masks] = found
        if not found:
            return None if found is None else []
        changed = []
        for position, narrowed in found:
            domains[scope[position]] = narrowed
            changed.append(scope[position])
        return changed


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found.

    Attributes:
        solutions: a value for each variable, at most as many as were asked for.
        nodes: how many assignments were tried.
        complete: False if the limit of nodes was met, so that there may be more solutions.
    """

    solutions: list[list[int]]
    nodes: int
    complete: bool

    @property
    def unique(self) -> bool:
        """Whether there is proof of exactly one solution."""
        return self.complete and len(self.solutions) == 1


class Model:
    """Variables with their domains, and the rules between them."""

    def __init__(self, domains: Sequence[int], constraints: Sequence[Constraint]) -> None:
        self.domains = list(domains)
        self.constraints = list(constraints)
        self.watchers: list[list[int]] = [[] for _ in self.domains]
        for index, constraint in enumerate(self.constraints):
            for var in constraint.scope:
                self.watchers[var].append(index)

    def propagate(
        self,
        domains: Domains,
        changed: Iterable[int] | None = None,
        trace: list[tuple[Constraint, int]] | None = None,
    ) -> Constraint | None:
        """Applies the rules until nothing changes.

        Args:
            domains: narrowed in place.
            changed: the variables that have changed since the last time; None looks at every rule.
            trace: gets ``(rule, variable)`` for each narrowing, in order.

        Returns:
            None, or the rule that cannot hold.
        """
        constraints, watchers = self.constraints, self.watchers
        if changed is None:
            pending = deque(range(len(constraints)))
        else:
            pending = deque(dict.fromkeys(index for var in changed for index in watchers[var]))
        queued = set(pending)
        while pending:
            index = pending.popleft()
            queued.discard(index)
            narrowed = constraints[index].prune(domains)
            if narrowed is None:
                return constraints[index]
            for var in narrowed:
                if trace is not None:
                    trace.append((constraints[index], var))
                for other in watchers[var]:
                    if other != index and other not in queued:
                        queued.add(other)
                        pending.append(other)
        return None

    def search(
        self,
        domains: Domains | None = None,
        *,
        limit: int = 2,
        max_nodes: int = 20_000,
        rng: np.random.Generator | None = None,
    ) -> Search:
        """Up to ``limit`` solutions, by propagation and branching on a smallest domain.

        Args:
            domains: where to begin; left as it is. None begins with the model's own domains.
            limit: how many solutions to look for; 2 decides uniqueness.
            max_nodes: gives up after so many assignments.
            rng: tries values in random order, for random solutions.
        """
        solutions: list[list[int]] = []
        first = list(self.domains if domains is None else domains)
        stack: list[tuple[Domains, tuple[int, ...] | None]] = [(first, None)]
        nodes = 0
        while stack and len(solutions) < limit:
            if nodes >= max_nodes:
                return Search(solutions, nodes, False)
            current, changed = stack.pop()
            nodes += 1
            if self.propagate(current, changed) is not None:
                continue
            var = smallest_open(current)
            if var is None:
                solutions.append(values_of(current))
                continue
            choices = [1 << value for value in bits_of(current[var])]
            if rng is not None:
                rng.shuffle(choices)
            for choice in reversed(choices):
                branch = current.copy()
                branch[var] = choice
                stack.append((branch, (var,)))
        return Search(solutions, nodes, not stack or len(solutions) >= limit)


def bits_of(mask: int) -> list[int]:
    """The positions of the bits that are set, rising."""
    positions = []
    while mask:
        low = mask & -mask
        positions.append(low.bit_length() - 1)
        mask ^= low
    return positions


def smallest_open(domains: Domains) -> int | None:
    """The variable with the fewest (but at least two) values left; None if all are fixed."""
    best, best_size = None, 1 << 30
    for var, domain in enumerate(domains):
        if domain & (domain - 1):
            size = domain.bit_count()
            if size < best_size:
                best, best_size = var, size
                if size == 2:
                    break
    return best


def values_of(domains: Domains) -> list[int]:
    """The values of fixed variables."""
    return [domain.bit_length() - 1 for domain in domains]


def reveal_until_solved(
    model: Model,
    solution: Sequence[int],
    rng: np.random.Generator,
    *,
    order: Sequence[int] | None = None,
    at_once: int = 0,
) -> list[int]:
    """Variables whose values, given away, let propagation alone find ``solution``: which is then the only one.

    Variables that follow from what is known already are never given away.

    Args:
        model: the rules; ``solution`` must satisfy them.
        solution: a value for each variable.
        rng: draws the order.
        order: the order in which to offer variables, instead of a random one.
        at_once: so many are given away at the beginning without a look at what follows: faster, where few variables
            say little about others.
    """
    domains = list(model.domains)
    offered: list[int] = rng.permutation(len(domains)).tolist() if order is None else list(order)
    revealed = offered[:at_once]
    for var in revealed:
        domains[var] = 1 << solution[var]
    conflict = model.propagate(domains)
    for var in offered[at_once:]:
        if conflict is None and domains[var] & (domains[var] - 1):
            domains[var] = 1 << solution[var]
            revealed.append(var)
            conflict = model.propagate(domains, (var,))
    if conflict is not None:
        raise AssertionError(f"the solution breaks the rule {conflict.label!r}")
    return revealed


def take_back(
    model: Model,
    solution: Sequence[int],
    revealed: Sequence[int],
    *,
    max_nodes: int = 40,
    least: int = 0,
    tries: int | None = None,
) -> list[int]:
    """Revealed variables without some that are not needed for ``solution`` to be the only one.

    A variable goes if a search proves that it can have no other value when it is left open.

    Args:
        model: the rules.
        solution: a value for each variable, the only solution given the revealed ones.
        revealed: the variables that are given away, the first ones tried first.
        max_nodes: the longest proof, and so a bound on how hard the puzzle becomes.
        least: how many to keep at least.
        tries: how many to try at most; None tries all.
    """
    kept = list(revealed)
    for var in revealed[:tries]:
        if len(kept) <= least:
            break
        domains = list(model.domains)
        for other in kept:
            domains[other] = 1 << solution[other]
        domains[var] = model.domains[var] & ~(1 << solution[var])
        found = model.search(domains, limit=1, max_nodes=max_nodes)
        if found.complete and not found.solutions:
            kept.remove(var)
    return kept
