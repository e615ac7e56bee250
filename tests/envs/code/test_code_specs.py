"""The specifications: their form, and second solutions for many of them."""

import copy
import itertools
import math
import re
from collections import Counter

import numpy as np
import pytest

from rlvr_gym.envs.code._mutation import MAX_STEPS, Failed, bounded_function, kills, mutants
from rlvr_gym.envs.code._programs import draw_cases, draw_program
from rlvr_gym.envs.code._slow import PAIRS
from rlvr_gym.envs.code._specs import SPECS, compile_function
from rlvr_gym.envs.code._specs.pipelines import draw_pipeline

# second solutions, in another way than the reference
SECOND = {
    "count_vowels": lambda text: len(re.findall("[aeiou]", text, re.IGNORECASE)),
    "run_length": lambda text: "".join(f"{c}{len(list(group))}" for c, group in itertools.groupby(text)),
    "is_anagram": lambda first, second: Counter(first) == Counter(second),
    "common_prefix": lambda words: max(
        (words[0][:k] for k in range(len(words[0]) + 1) if all(w.startswith(words[0][:k]) for w in words)), key=len
    )
    if words
    else "",
    "sum_of_numbers": lambda text: sum(map(int, re.findall("[0-9]+", text))),
    "to_snake_case": lambda text: re.sub(r"(?<!^)(?=[A-Z])", "_", text).lower(),
    "running_sums": lambda numbers: list(itertools.accumulate(numbers)),
    "without_repeats": lambda numbers: list(dict.fromkeys(numbers)),
    "merge_sorted": lambda first, second: sorted(first + second),
    "products_of_others": lambda numbers: [
        math.prod(numbers[:i] + numbers[i + 1 :]) for i in range(len(numbers))
    ],
    "count_inversions": lambda numbers: sum(a > b for a, b in itertools.combinations(numbers, 2)),
    "common_divisor": lambda numbers: math.gcd(*numbers),
    "is_prime": lambda n: n > 1 and math.gcd(n, math.factorial(n - 1)) == 1,
    "from_binary": lambda bits: int("0" + "".join(map(str, bits)), 2),
    "digital_root": lambda n: 1 + (n - 1) % 9 if n else 0,
    "word_counts": lambda words: dict(Counter(words)),
    "merge_counts": lambda first, second: {k: first.get(k, 0) + second.get(k, 0) for k in first | second},
    "pascal_row": lambda n: [math.comb(n, k) for k in range(n + 1)],
    "gray_code": lambda bits: [i ^ (i >> 1) for i in range(2**bits)],
    "distinct_permutations": lambda text: sorted({"".join(p) for p in itertools.permutations(text)}),
    "flatten": lambda items: [int(n) for n in re.findall(r"-?\d+", repr(items))],
    "best_stretch": lambda numbers: max(
        sum(numbers[i:j]) for i in range(len(numbers) + 1) for j in range(i, len(numbers) + 1)
    ),
    "longest_rising_subsequence": lambda numbers: max(
        k
        for k in range(len(numbers) + 1)
        if any(
            all(a < b for a, b in itertools.pairwise(chosen)) for chosen in itertools.combinations(numbers, k)
        )
    ),
    "knapsack": lambda weights, values, capacity: max(
        sum(v for v, take in zip(values, chosen, strict=True) if take)
        for chosen in itertools.product((0, 1), repeat=len(values))
        if sum(w for w, take in zip(weights, chosen, strict=True) if take) <= capacity
    ),
    "can_halve": lambda numbers: any(
        2 * sum(chosen) == sum(numbers) for k in range(len(numbers) + 1) for chosen in itertools.combinations(numbers, k)
    ),
    "is_two_colorable": lambda nodes, edges: any(
        all(colors[a] != colors[b] for a, b in edges) for colors in itertools.product((0, 1), repeat=nodes)
    ),
    "count_triangles": lambda nodes, edges: sum(
        sum({a, b} <= set(three) for a, b in edges) == 3 for three in itertools.combinations(range(nodes), 3)
    ),
    "is_balanced": lambda text: not _without_pairs(text),
    "spiral": lambda cells: _walk_spiral(cells),
}  # fmt: skip


def _without_pairs(text):
    while (shorter := re.sub(r"\(\)|\[\]|<>", "", text)) != text:
        text = shorter
    return text


def _walk_spiral(cells):
    rows, columns = len(cells), len(cells[0])
    seen, r, c, dr, dc, listed = set(), 0, 0, 0, 1, []
    for _ in range(rows * columns):
        seen.add((r, c))
        listed.append(cells[r][c])
        if (r + dr, c + dc) in seen or not (0 <= r + dr < rows and 0 <= c + dc < columns):
            dr, dc = dc, -dr
        r, c = r + dr, c + dc
    return listed


def arguments(inputs, count=25):
    rng = np.random.default_rng(3)
    return [*inputs.edges(rng), *(inputs.make(rng) for _ in range(count))]


def test_there_are_many():
    assert len(SPECS) >= 100
    assert len(SECOND) >= 25


@pytest.mark.parametrize("name", SPECS)
def test_a_specification_is_whole(name):
    spec = SPECS[name]
    program = spec.program(np.random.default_rng(1))
    assert "{" not in program.statement
    assert len(program.statement) > 30
    assert program.gives in ("int", "bool", "str") or program.gives.startswith(("list[", "dict["))
    values = set()
    for args in arguments(program.inputs):
        given = copy.deepcopy(args)
        value = program.function(*given)
        assert given == args, "the reference changes its arguments"
        assert value is not None
        assert not isinstance(value, float)
        values.add(repr(value))
    assert len(values) > 1, "a constant would do"


@pytest.mark.parametrize("name", SECOND)
def test_a_second_solution_agrees(name):
    program = SPECS[name].program(np.random.default_rng(2))
    for args in arguments(program.inputs, 40):
        if name == "longest_rising_subsequence" and len(args[0]) > 10:
            continue
        assert SECOND[name](*copy.deepcopy(args)) == program.function(*args), args


def test_every_total_specification_takes_what_others_give():
    rng = np.random.default_rng(0)
    for _ in range(150):
        program = draw_pipeline(rng, 5)
        for args in arguments(program.inputs, 3):
            assert program.function(*args) is not None


def test_cases_are_not_the_examples():
    rng = np.random.default_rng(5)
    for difficulty in range(1, 11):
        for _ in range(10):
            shown, hidden = draw_cases(draw_program(rng, difficulty), rng, 2, 12)
            assert not {repr(args) for args, _ in shown} & {repr(args) for args, _ in hidden}
            assert len(hidden) >= 3


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.slow.name)
def test_slow_and_fast_programs_agree(pair):
    fast = compile_function(pair.fast, pair.slow.name)
    for args in [*arguments(pair.slow.inputs), pair.large(np.random.default_rng(0))]:
        assert fast(*copy.deepcopy(args)) == pair.slow.function(*copy.deepcopy(args))


def test_mutants_are_programs_with_one_change():
    source = SPECS["collatz_steps"].with_constants({}).source
    found = mutants(source)
    assert len(found) == len(set(found)) > 8
    assert source not in found
    assert any("n // 3" in mutant for mutant in found)


def test_a_mutant_that_never_ends_is_noticed():
    program = SPECS["collatz_steps"].with_constants({})
    endless = program.source.replace("n // 2", "n")
    run = bounded_function(endless, program.name)
    value = run((4,))
    assert isinstance(value, Failed)
    assert value.too_long
    assert kills(endless, program.name, [((4,), 2)]) is None
    assert kills(program.source, program.name, [((4,), 2), ((1,), 1)]) == [False, True]
    assert MAX_STEPS > 1000
