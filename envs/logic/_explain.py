"""How a person would solve a puzzle, in short lines, out of the solver's own steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rlvr_gym.envs.logic._solver import Constraint, Domains, Model, bits_of, smallest_open, values_of

__all__ = ["Explanation", "explain"]

ASSUMPTION_EFFORT = 4
"""A case that is tried and given up counts as much as four direct steps."""

Say = Callable[[int, int], str]


@dataclass(slots=True)
class Explanation:
    """A worked solution.

    Attributes:
        lines: the steps.
        solution: a value for each variable; None if there is no solution.
        steps: how many values followed directly from a rule.
        assumptions: how many values were ruled out by trying them.
    """

    lines: list[str] = field(default_factory=list)
    solution: list[int] | None = None
    steps: int = 0
    assumptions: int = 0

    @property
    def effort(self) -> int:
        """The measured hardness: direct steps and, at a higher price, assumptions."""
        return self.steps + ASSUMPTION_EFFORT * self.assumptions


def explain(model: Model, say: Say) -> Explanation:
    """Solves ``model`` by its rules; where they are not enough, values are tried and ruled out.

    Args:
        model: the puzzle. With several solutions, one of them is reached; with none, the lines show why.
        say: the text that a variable has a value, as in ``r1c2 = 3``.
    """
    told = Explanation()
    domains = list(model.domains)
    changed: tuple[int, ...] | None = None
    while True:
        conflict = _follow(model, domains, changed, say, told)
        if conflict is not None:
            told.lines.append(f"Now {conflict.label} cannot hold, so there is no solution.")
            return told
        if smallest_open(domains) is None:
            told.solution = values_of(domains)
            return told
        changed = (_try_values(model, domains, say, told),)


def _follow(
    model: Model, domains: Domains, changed: tuple[int, ...] | None, say: Say, told: Explanation
) -> Constraint | None:
    """Propagates and tells the values that became fixed, those of one rule in one line."""
    if changed and not domains[changed[0]] & (domains[changed[0]] - 1):
        told.steps += 1
    before = [not domain & (domain - 1) for domain in domains]
    trace: list[tuple[Constraint, int]] = []
    conflict = model.propagate(domains, changed, trace)
    # A variable may be narrowed several times: the last rule that touched it is the one that fixed it.
    fixed_by = {var: (index, rule) for index, (rule, var) in enumerate(trace)}
    last_rule: Constraint | None = None
    for var, (_, rule) in sorted(fixed_by.items(), key=lambda item: item[1][0]):
        domain = domains[var]
        if before[var] or domain & (domain - 1):
            continue
        told.steps += 1
        fact = say(var, domain.bit_length() - 1)
        if rule is last_rule:
            told.lines[-1] += f", {fact}"
        else:
            told.lines.append(f"By {rule.label}: {fact}")
        last_rule = rule
    return conflict


def _try_values(model: Model, domains: Domains, say: Say, told: Explanation) -> int:
    """Rules out one value by trying it, or settles on one; returns the variable whose domain changed."""
    open_vars = [var for var, domain in enumerate(domains) if domain & (domain - 1)]
    open_vars.sort(key=lambda var: domains[var].bit_count())
    for var in open_vars:
        for value in bits_of(domains[var]):
            branch = domains.copy()
            branch[var] = 1 << value
            conflict = model.propagate(branch, (var,))
            if conflict is not None:
                _rule_out(domains, var, value, f"then {conflict.label} could not hold", say, told)
                return var
    var = open_vars[0]
    for value in bits_of(domains[var]):
        branch = domains.copy()
        branch[var] = 1 << value
        found = model.search(branch, limit=1)
        if found.solutions:
            told.lines.append(f"Nothing is forced now; take {say(var, value)}, which can be completed.")
            domains[var] = 1 << value
            return var
        told.assumptions += found.nodes - 1
        _rule_out(domains, var, value, "then every case ends in a contradiction", say, told)
        if not domains[var] & (domains[var] - 1):
            return var
    raise AssertionError("unreachable: the last value returns")


def _rule_out(domains: Domains, var: int, value: int, why: str, say: Say, told: Explanation) -> None:
    told.assumptions += 1
    domains[var] &= ~(1 << value)
    line = f"Suppose {say(var, value)}: {why}, so it is not."
    rest = domains[var]
    if not rest & (rest - 1):
        line += f" Hence {say(var, rest.bit_length() - 1)}."
    told.lines.append(line)
