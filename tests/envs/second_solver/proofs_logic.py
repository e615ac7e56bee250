"""Formulas, circuits, sums and timetables: PySAT, z3 and OR-tools against the verifiers."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from functools import reduce
from itertools import islice, permutations

import z3
from ortools.sat.python import cp_model
from proof import Proof, cp_solutions, reassigned, some, z3_solutions
from pysat.solvers import Solver


def write_bits(bits):
    return ", ".join(f"{name}={int(bit)}" for name, bit in bits.items())


def bit_mutations(_, bits):
    """One bit turned, or left out."""
    for name, bit in bits.items():
        yield {**bits, name: not bit}
        yield {other: value for other, value in bits.items() if other != name}


def assignments(puzzle):
    with Solver("glucose4", bootstrap_with=puzzle["clauses"]) as solver:
        for variable in range(1, puzzle["variables"] + 1):
            solver.add_clause([variable, -variable])
        models = some(solver.enum_models(), 12)
    return [{f"x{abs(v)}": v > 0 for v in model} for model in models]


def satisfies(puzzle, bits):
    if len(bits) < puzzle["variables"]:
        return False
    return all(any((v > 0) == bits[f"x{abs(v)}"] for v in clause) for clause in puzzle["clauses"])


# --- entailment ---


def formula(tree, values, signs):
    if isinstance(tree, int):
        return values[tree]
    return signs[tree[0]](*(formula(part, values, signs) for part in tree[1:]))


Z3_SIGNS = {
    "not": z3.Not,
    "and": z3.And,
    "or": z3.Or,
    "implies": z3.Implies,
    "iff": lambda a, b: a == b,
    "xor": z3.Xor,
}
SIGNS = {
    "not": lambda a: not a,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "implies": lambda a, b: b or not a,
    "iff": lambda a, b: a == b,
    "xor": lambda a, b: a != b,
}


def countermodels(puzzle):
    names = "ABCDE"[: puzzle["variables"]]
    values = [z3.Bool(name) for name in names]
    solver = z3.Solver()
    solver.add([formula(premise, values, Z3_SIGNS) for premise in puzzle["premises"]])
    solver.add(z3.Not(formula(puzzle["conclusion"], values, Z3_SIGNS)))
    return [dict(zip(names, map(z3.is_true, row), strict=True)) for row in z3_solutions(solver, values, 8)]


def is_countermodel(puzzle, bits):
    if len(bits) < puzzle["variables"]:
        return False
    values = [bits[name] for name in "ABCDE"[: puzzle["variables"]]]
    told = all(formula(premise, values, SIGNS) for premise in puzzle["premises"])
    return told and not formula(puzzle["conclusion"], values, SIGNS)


# --- circuits ---

GATES = {
    "AND": (z3.And, lambda a, b: a and b),
    "OR": (z3.Or, lambda a, b: a or b),
    "XOR": (z3.Xor, lambda a, b: a != b),
    "NAND": (lambda a, b: z3.Not(z3.And(a, b)), lambda a, b: not (a and b)),
    "NOR": (lambda a, b: z3.Not(z3.Or(a, b)), lambda a, b: not (a or b)),
}


def outputs(puzzle, inputs, engine):
    wires = list(inputs)
    for name, a, b in puzzle["gates"]:
        wires.append(GATES[name][engine](wires[a], wires[b]))
    return wires[-len(puzzle["wanted"]) :]


def circuit_inputs(puzzle):
    names = "abcdefgh"[: puzzle["inputs"]]
    values = [z3.Bool(name) for name in names]
    solver = z3.Solver()
    for out, wanted in zip(outputs(puzzle, values, 0), puzzle["wanted"], strict=True):
        solver.add(out == bool(wanted))
    return [dict(zip(names, map(z3.is_true, row), strict=True)) for row in z3_solutions(solver, values, 8)]


def drives(puzzle, bits):
    if len(bits) < puzzle["inputs"]:
        return False
    inputs = [bits[name] for name in "abcdefgh"[: puzzle["inputs"]]]
    return [int(out) for out in outputs(puzzle, inputs, 1)] == puzzle["wanted"]


# --- cryptarithms ---


def digits(puzzle):
    letters = sorted(set("".join(puzzle["words"])))
    model = cp_model.CpModel()
    value = {letter: model.new_int_var(0, 9, letter) for letter in letters}
    model.add_all_different(list(value.values()))
    for word in puzzle["words"]:
        if len(word) > 1:
            model.add(value[word[0]] > 0)
    first, second, total = (
        sum(value[letter] * 10**place for place, letter in enumerate(reversed(word)))
        for word in puzzle["words"]
    )
    model.add(first + second == total)
    return [dict(zip(letters, row, strict=True)) for row in cp_solutions(model, list(value.values()), 10)]


def digits_hold(puzzle, value):
    if len(set(value.values())) < len(value):
        return False
    if any(len(word) > 1 and not value[word[0]] for word in puzzle["words"]):
        return False
    numbers = [reduce(lambda n, letter: 10 * n + value[letter], word, 0) for word in puzzle["words"]]
    return numbers[0] + numbers[1] == numbers[2]


# --- timetables ---

DAYS = ("Mon", "Tue", "Wed")


def timetables(puzzle):
    length, talks = puzzle["day_length"], puzzle["talks"]
    slots = [(day, number) for day in range(puzzle["days"]) for number in range(1, length + 1)]
    tables = (dict(zip(talks, places, strict=True)) for places in permutations(reversed(slots), len(talks)))
    return some((table for table in tables if timetable_holds(puzzle, table)), 12)


def timetable_holds(puzzle, table):
    slots = [(d, n) for d in range(puzzle["days"]) for n in range(1, puzzle["day_length"] + 1)]
    inside = all(place in slots for place in table.values())
    apart = len(set(table.values())) == len(table) == len(puzzle["talks"])
    return inside and apart and all(obeyed(table, slots, *rule) for rule in puzzle["rules"])


def obeyed(table, slots, kind, talk, other):
    a = table[talk]
    b = table.get(other)
    match kind:
        case "before":
            return a < b
        case "next":
            return (a[0], a[1] + 1) == b
        case "same_day":
            return a[0] == b[0]
        case "other_day":
            return a[0] != b[0]
        case "same_time":
            return a[1] == b[1]
        case "not_at":
            return a != slots[other]
        case "on_day":
            return a[0] == other
        case "not_on_day":
            return a[0] != other
    raise AssertionError(kind)


def write_timetable(table):
    return "\n".join(f"{talk} = {DAYS[day]}{number}" for talk, (day, number) in table.items())


# --- countdown ---


def expressions(puzzle):
    """Trees over all the numbers, by joining any two parts in any way."""
    target = puzzle["target"]

    def join(parts):
        if len(parts) == 1:
            if parts[0][0] == target:
                yield parts[0][1]
            return
        for i in range(len(parts)):
            for j in range(len(parts)):
                if i == j:
                    continue
                rest = [part for k, part in enumerate(parts) if k not in (i, j)]
                (a, left), (b, right) = parts[i], parts[j]
                for sign in "+-*/":
                    if not (sign in "+*" and i > j) and not (sign == "/" and b == 0):
                        yield from join([*rest, (apply(sign, a, b), (sign, left, right))])

    found: dict[object, object] = {}
    for tree in islice(join([(Fraction(n), n) for n in puzzle["numbers"]]), 300):
        found.setdefault(signs_of(write_tree(tree)), tree)
    return list(found.values())


def apply(sign, a, b):
    if sign == "/":
        return a / b if b else None
    return {"+": a + b, "-": a - b, "*": a * b}[sign]


def value_of(tree):
    if isinstance(tree, int):
        return Fraction(tree)
    a, b = value_of(tree[1]), value_of(tree[2])
    return None if a is None or b is None else apply(tree[0], a, b)


def leaves(tree):
    return Counter([tree]) if isinstance(tree, int) else leaves(tree[1]) + leaves(tree[2])


def write_tree(tree):
    return str(tree) if isinstance(tree, int) else f"({write_tree(tree[1])} {tree[0]} {write_tree(tree[2])})"


def expression_holds(puzzle, tree):
    return leaves(tree) == Counter(puzzle["numbers"]) and value_of(tree) == puzzle["target"]


def expression_mutations(_, tree):
    """Another sign, the two sides exchanged, another number, a side left out."""
    if isinstance(tree, int):
        yield from (tree + 1, tree + 10)
        return
    sign, left, right = tree
    yield from ((other, left, right) for other in "+-*/" if other != sign)
    yield from ((sign, right, left), left, right)
    yield from ((sign, changed, right) for changed in expression_mutations(_, left))
    yield from ((sign, left, changed) for changed in expression_mutations(_, right))


def signs_of(text):
    """Trees with other signs are other answers, and no other form of the same one."""
    return "".join(sorted(re.findall(r"[-+*/]", text)))


PROOFS = {
    "SAT": Proof(
        assignments, satisfies, write_bits, bit_mutations, impossible="unsatisfiable", difficulties=(2, 5, 9)
    ),
    "Entailment": Proof(
        countermodels, is_countermodel, write_bits, bit_mutations, impossible="entailed", difficulties=(3, 6, 9)
    ),
    "Circuit": Proof(
        circuit_inputs, drives, write_bits, bit_mutations, impossible="impossible", difficulties=(3, 6, 9)
    ),
    "Cryptarithm": Proof(
        digits,
        digits_hold,
        write_bits,
        lambda p, s: [
            *reassigned(s, range(10)),
            *({**s, a: s[b], b: s[a]} for a in s for b in s if a < b),
        ],
        difficulties=(1, 2, 4),
    ),
    "ZebraScheduling": Proof(
        timetables,
        timetable_holds,
        write_timetable,
        lambda p, s: [
            *reassigned(s, [(d, n) for d in range(p["days"]) for n in range(1, p["day_length"] + 1)]),
            *({talk: place for talk, place in s.items() if talk != left} for left in s),
        ],
        impossible="impossible",
        difficulties=(1, 2, 3, 4),
    ),
    "Countdown": Proof(
        expressions, expression_holds, write_tree, expression_mutations, key=signs_of, difficulties=(2, 3, 4)
    ),
}  # fmt: skip
