"""Choices of items: OR-tools, z3 and plain enumeration against the verifiers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from itertools import combinations, pairwise

import z3
from ortools.sat.python import cp_model
from proof import Proof, cp_best, cp_solutions, extended, replaced, shortened, some, swapped, z3_solutions


def as_set(text):
    return frozenset(re.findall(r"\w+", text))


def best_choices(names, gains, forbid):
    """The subsets of ``names`` with the greatest gain; ``forbid(model, chosen)`` adds the rules."""
    model = cp_model.CpModel()
    chosen = {name: model.new_bool_var(name) for name in names}
    forbid(model, chosen)
    gain = sum(gains[name] * chosen[name] for name in names)
    model.maximize(gain)
    best = cp_best(model)
    model.clear_objective()
    model.add(gain == best)
    found = cp_solutions(model, list(chosen.values()), 12)
    return [[name for name, used in zip(names, values, strict=True) if used] for values in found]


def knapsacks(puzzle):
    items, capacity = puzzle["items"], puzzle["capacity"]

    def rules(model, chosen):
        model.add(sum(items[name][0] * used for name, used in chosen.items()) <= capacity)

    return best_choices(list(items), {name: value for name, (_, value) in items.items()}, rules)


def knapsack_holds(puzzle, names):
    weight = sum(puzzle["items"][name][0] for name in names)
    return len(set(names)) == len(names) and weight <= puzzle["capacity"]


def schedules(puzzle):
    jobs = puzzle["jobs"]

    def rules(model, chosen):
        for a, b in combinations(jobs, 2):
            if overlap(jobs[a], jobs[b]):
                model.add(chosen[a] + chosen[b] <= 1)

    return best_choices(list(jobs), {name: job[2] for name, job in jobs.items()}, rules)


def overlap(first, second):
    return first[0] < second[1] and second[0] < first[1]


def schedule_holds(puzzle, names):
    apart = all(not overlap(puzzle["jobs"][a], puzzle["jobs"][b]) for a, b in combinations(names, 2))
    return apart and len(set(names)) == len(names)


def sums(puzzle):
    numbers = puzzle["numbers"]
    used = [z3.Bool(f"n{i}") for i in range(len(numbers))]
    solver = z3.Solver()
    solver.add(z3.Sum([z3.If(u, n, 0) for u, n in zip(used, numbers, strict=True)]) == puzzle["target"])
    found = z3_solutions(solver, used, 8)
    return [[n for n, u in zip(numbers, values, strict=True) if z3.is_true(u)] for values in found]


def sum_holds(puzzle, chosen):
    return sum(chosen) == puzzle["target"] and not Counter(chosen) - Counter(puzzle["numbers"])


def packings(puzzle):
    """With the fewest bins: one fewer is shown to be too few."""
    count = -(-sum(puzzle["sizes"]) // puzzle["capacity"])
    while not (found := pack(puzzle, count)):
        count += 1
    return found


def pack(puzzle, count):
    model = cp_model.CpModel()
    sizes = puzzle["sizes"]
    place = [[model.new_bool_var(f"{i}{b}") for b in range(count)] for i in range(len(sizes))]
    for row in place:
        model.add_exactly_one(row)
    for b in range(count):
        model.add(sum(size * row[b] for size, row in zip(sizes, place, strict=True)) <= puzzle["capacity"])
    flat = [variable for row in place for variable in row]
    packed = []
    for values in cp_solutions(model, flat, 12):
        rows = [values[i * count : (i + 1) * count] for i in range(len(sizes))]
        packed.append([[s for s, row in zip(sizes, rows, strict=True) if row[b]] for b in range(count)])
    return packed


def packing_holds(puzzle, bins):
    everything = sorted(size for one in bins for size in one) == sorted(puzzle["sizes"])
    return everything and all(sum(one) <= puzzle["capacity"] for one in bins)


def packing_mutations(puzzle, bins):
    """An item in another bin, in a bin of its own, or nowhere."""
    for b, one in enumerate(bins):
        for i, size in enumerate(one):
            rest = [*bins[:b], [*one[:i], *one[i + 1 :]], *bins[b + 1 :]]
            yield [other for other in rest if other]
            yield [*(other for other in rest if other), [size]]
            for c in range(len(bins)):
                if c != b:
                    moved = [*rest[:c], [*rest[c], size], *rest[c + 1 :]]
                    yield [other for other in moved if other]


def packing_key(text):
    bins = re.findall(r"\[([^\]]*)\]", text)
    return frozenset(Counter(tuple(sorted(map(int, one.split(",")))) for one in bins).items())


def longest_subsequences(puzzle):
    """All increasing subsequences of the length that patience sorting finds."""
    tails: list[int] = []
    for number in puzzle["numbers"]:
        place = bisect_left(tails, number)
        tails[place : place + 1] = [number]
    found = (c for c in combinations(puzzle["numbers"], len(tails)) if all(a < b for a, b in pairwise(c)))
    return [list(one) for one in dict.fromkeys(some(found, 12))]


def subsequence_holds(puzzle, chosen):
    place = 0
    for number in chosen:
        if number not in puzzle["numbers"][place:]:
            return False
        place = puzzle["numbers"].index(number, place) + 1
    return all(a < b for a, b in pairwise(chosen))


def swaps_of(puzzle):
    """Cycle by cycle from the right, and from the left with the cycle's other places."""
    found = []
    for places in (range(len(puzzle["numbers"]) - 1, -1, -1), range(len(puzzle["numbers"]))):
        numbers, swaps = list(puzzle["numbers"]), []
        wanted = sorted(numbers)
        for place in places:
            while numbers[place] != wanted[place]:
                home = wanted.index(numbers[place])
                numbers[place], numbers[home] = numbers[home], numbers[place]
                swaps.append((place + 1, home + 1))
        found.append(swaps)
    return found


def swaps_hold(puzzle, swaps):
    numbers = list(puzzle["numbers"])
    for a, b in swaps:
        numbers[a - 1], numbers[b - 1] = numbers[b - 1], numbers[a - 1]
    return numbers == sorted(numbers)


def slots(puzzle):
    """All that begin at a full five minutes, by looking at every minute."""
    busy = {minute for person in puzzle["busy"].values() for a, b in person for minute in range(a, b)}
    length = puzzle["length"]
    starts = (s for s in range(480, 1081 - length, 5) if not busy & set(range(s, s + length)))
    return [(start, start + length) for start in starts]


def slot_holds(puzzle, slot):
    busy = {minute for person in puzzle["busy"].values() for a, b in person for minute in range(a, b)}
    inside = slot[0] >= 480 and slot[1] <= 1080
    return inside and slot[1] - slot[0] == puzzle["length"] and not busy & set(range(*slot))


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


NUMBERS = ", "

PROOFS = {
    "Knapsack": Proof(
        knapsacks,
        knapsack_holds,
        NUMBERS.join,
        lambda p, s: [*shortened(s), *replaced(s, p["items"]), *extended(s, p["items"])],
        lambda p, s: sum(p["items"][name][1] for name in s),
        key=as_set,
        difficulties=(1, 2, 3),
        tasks=16,
    ),
    "JobScheduling": Proof(
        schedules,
        schedule_holds,
        NUMBERS.join,
        lambda p, s: [*shortened(s), *replaced(s, p["jobs"]), *extended(s, p["jobs"])],
        lambda p, s: sum(p["jobs"][name][2] for name in s),
        key=as_set,
        difficulties=(2, 4, 6, 8),
    ),
    "SubsetSum": Proof(
        sums,
        sum_holds,
        lambda s: NUMBERS.join(map(str, s)),
        lambda p, s: [*shortened(s), *replaced(s, p["numbers"]), *extended(s, p["numbers"])],
        impossible="impossible",
        key=as_set,
        difficulties=(3, 5, 7, 8),
    ),
    "BinPacking": Proof(
        packings,
        packing_holds,
        lambda s: NUMBERS.join(map(str, s)),
        packing_mutations,
        lambda p, s: len(s),
        key=packing_key,
    ),
    "LIS": Proof(
        longest_subsequences,
        subsequence_holds,
        lambda s: NUMBERS.join(map(str, s)),
        lambda p, s: [*shortened(s), *swapped(s), *replaced(s, p["numbers"]), *extended(s, p["numbers"])],
        lambda p, s: len(s),
    ),
    "Sorting": Proof(
        swaps_of,
        swaps_hold,
        lambda s: NUMBERS.join(f"{a}-{b}" for a, b in s),
        lambda p, s: [*shortened(s), *swapped(s), *extended(s, [(1, 2), (2, 3)]), [*s, s[-1], s[-1]]],
        lambda p, s: len(s),
        difficulties=(2, 5, 9),
    ),
    "TimeIntervals": Proof(
        slots,
        slot_holds,
        lambda s: f"{clock(s[0])}-{clock(s[1])}",
        lambda p, s: [
            (s[0] + a, s[1] + b) for a in (-60, -5, 0, 5, 60) for b in (-60, -5, 0, 5, 60) if a or b
        ],
        impossible="none",
        difficulties=(1, 3, 5, 9),
    ),
}
