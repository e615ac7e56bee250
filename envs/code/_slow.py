"""Slow functions, and fast ones that do the same: the classes of their running times differ, not the constants."""

# ruff: noqa: D205 - the slow function's docstring is the statement that the policy reads; the fast one has none

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlvr_gym.envs.code._specs.base import Program, read_definition
from rlvr_gym.envs.code._specs.inputs import ANY_INTS, Draw, Inputs, each, integer, text

__all__ = ["PAIRS", "Pair"]

Rng = np.random.Generator


@dataclass(frozen=True)
class Pair:
    """A slow program and a fast one.

    Attributes:
        slow: the program to be made faster, with its statement and small inputs.
        fast: the reference's source.
        large: arguments for which the slow program takes about a tenth of a second or more.
    """

    slow: Program
    fast: str
    large: Callable[[Rng], tuple[Any, ...]]


PAIRS: list[Pair] = []


def _pair(
    slow: Callable[..., Any], fast: Callable[..., Any], small: Inputs, large: Callable[[Rng], tuple[Any, ...]]
) -> None:
    """Adds a pair; ``fast`` is called ``fast_`` and the slow function's name."""
    definition, statement = read_definition(slow)
    better, _ = read_definition(fast)
    better.name = slow.__name__
    PAIRS.append(
        Pair(Program(slow.__name__, statement, ast.unparse(definition), small), ast.unparse(better), large)
    )


def _numbers(size: int, highest: int) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: ([int(v) for v in rng.integers(0, highest, size)],)


def _distinct(size: int) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: ([int(v) for v in rng.permutation(size)],)


def count_distinct(numbers: list[int]) -> int:
    """Count the different numbers in the list."""
    seen: list[int] = []
    for number in numbers:
        if number not in seen:
            seen.append(number)
    return len(seen)


def fast_count_distinct(numbers: list[int]) -> int:
    return len(set(numbers))


_pair(count_distinct, fast_count_distinct, each(ANY_INTS), _distinct(5500))


def count_pairs_with_sum(numbers: list[int], target: int) -> int:
    """Count the pairs of positions i < j whose numbers add up to the target."""
    count = 0
    for i in range(len(numbers)):
        for j in range(i + 1, len(numbers)):
            if numbers[i] + numbers[j] == target:
                count += 1
    return count


def fast_count_pairs_with_sum(numbers: list[int], target: int) -> int:
    seen: dict[int, int] = {}
    count = 0
    for number in numbers:
        count += seen.get(target - number, 0)
        seen[number] = seen.get(number, 0) + 1
    return count


_pair(
    count_pairs_with_sum, fast_count_pairs_with_sum, each(ANY_INTS, integer(-9, 9)),
    lambda rng: (*_numbers(2600, 500)(rng), int(rng.integers(300, 700))),
)  # fmt: skip


def longest_chain(numbers: list[int]) -> int:
    """Give the largest k for which there are k numbers x, x + 1, ..., x + k - 1 that all are in the list; 0 if it is
    empty.
    """
    best = 0
    for number in numbers:
        length = 1
        while number + length in numbers:
            length += 1
        best = max(best, length)
    return best


def fast_longest_chain(numbers: list[int]) -> int:
    present = set(numbers)
    best = 0
    for number in present:
        if number - 1 not in present:
            length = 1
            while number + length in present:
                length += 1
            best = max(best, length)
    return best


_pair(longest_chain, fast_longest_chain, each(ANY_INTS), _numbers(2600, 3100))


def count_inversions(numbers: list[int]) -> int:
    """Count the pairs of positions i < j with a greater number at i than at j."""
    count = 0
    for i in range(len(numbers)):
        for j in range(i + 1, len(numbers)):
            if numbers[i] > numbers[j]:
                count += 1
    return count


def fast_count_inversions(numbers: list[int]) -> int:
    from bisect import bisect_right, insort

    seen: list[int] = []
    count = 0
    for number in numbers:
        count += len(seen) - bisect_right(seen, number)
        insort(seen, number)
    return count


_pair(count_inversions, fast_count_inversions, each(ANY_INTS), _numbers(2600, 900))


def best_stretch(numbers: list[int]) -> int:
    """Give the largest sum of a stretch of adjacent numbers; the empty stretch, with the sum 0, counts as well."""
    best = 0
    for i in range(len(numbers)):
        total = 0
        for j in range(i, len(numbers)):
            total += numbers[j]
            best = max(best, total)
    return best


def fast_best_stretch(numbers: list[int]) -> int:
    best = 0
    current = 0
    for number in numbers:
        current = max(0, current + number)
        best = max(best, current)
    return best


_pair(
    best_stretch,
    fast_best_stretch,
    each(ANY_INTS),
    lambda rng: ([int(v) for v in rng.integers(-50, 51, 1800)],),
)


def fibonacci(n: int) -> int:
    """Give the n-th Fibonacci number, where number 0 is 0 and number 1 is 1."""
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def fast_fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


_pair(fibonacci, fast_fibonacci, each(integer(0, 15, 1, 2)), lambda rng: (30 + int(rng.integers(2)),))


def count_primes(n: int) -> int:
    """Count the prime numbers that are smaller than n."""
    count = 0
    for number in range(2, n):
        divisor = 2
        while divisor < number and number % divisor != 0:
            divisor += 1
        if divisor == number:
            count += 1
    return count


def fast_count_primes(n: int) -> int:
    prime = [True] * max(n, 2)
    prime[0] = prime[1] = False
    for number in range(2, int(n**0.5) + 1):
        if prime[number]:
            for multiple in range(number * number, n, number):
                prime[multiple] = False
    return sum(prime)


_pair(
    count_primes,
    fast_count_primes,
    each(integer(0, 60, 2, 3, 4)),
    lambda rng: (int(rng.integers(9000, 10_000)),),
)


def next_greater(numbers: list[int]) -> list[int]:
    """Replace every number by the nearest greater number to its right, or by -1 if there is none."""
    answer = []
    for i in range(len(numbers)):
        found = -1
        for j in range(i + 1, len(numbers)):
            if numbers[j] > numbers[i]:
                found = numbers[j]
                break
        answer.append(found)
    return answer


def fast_next_greater(numbers: list[int]) -> list[int]:
    answer = [-1] * len(numbers)
    waiting: list[int] = []
    for i, number in enumerate(numbers):
        while waiting and numbers[waiting[-1]] < number:
            answer[waiting.pop()] = number
        waiting.append(i)
    return answer


_pair(
    next_greater, fast_next_greater, each(ANY_INTS),
    lambda rng: (sorted((int(v) for v in rng.integers(0, 9000, 3300)), reverse=True),),
)  # fmt: skip


def count_paths(rows: int, columns: int) -> int:
    """Count the ways from the top left to the bottom right field of a board with so many rows and columns, if every step
    goes one field to the right or down. Both numbers are positive.
    """
    if rows == 1 or columns == 1:
        return 1
    return count_paths(rows - 1, columns) + count_paths(rows, columns - 1)


def fast_count_paths(rows: int, columns: int) -> int:
    ways = [1] * columns
    for _ in range(rows - 1):
        for column in range(1, columns):
            ways[column] += ways[column - 1]
    return ways[-1]


_pair(
    count_paths, fast_count_paths, each(integer(1, 6), integer(1, 6)),
    lambda rng: (13, 13) if rng.random() < 0.5 else (12, 14),
)  # fmt: skip


def power_mod(base: int, exponent: int, modulus: int) -> int:
    """Give the remainder of base ** exponent divided by the modulus; exponent and modulus are positive."""
    result = 1
    for _ in range(exponent):
        result = result * base % modulus
    return result % modulus


def fast_power_mod(base: int, exponent: int, modulus: int) -> int:
    return pow(base, exponent, modulus)


_pair(
    power_mod, fast_power_mod, each(integer(0, 30), integer(1, 30), integer(1, 50)),
    lambda rng: (int(rng.integers(2, 10**6)), int(rng.integers(2_500_000, 3_500_000)), int(rng.integers(10**5, 10**6))),
)  # fmt: skip


def common_subsequence(first: str, second: str) -> int:
    """Give the length of the longest string that is a subsequence of both texts: its characters stand in both in this order,
    but need not be adjacent.
    """
    if not first or not second:
        return 0
    if first[0] == second[0]:
        return 1 + common_subsequence(first[1:], second[1:])
    return max(common_subsequence(first[1:], second), common_subsequence(first, second[1:]))


def fast_common_subsequence(first: str, second: str) -> int:
    row = [0] * (len(second) + 1)
    for a in first:
        before = row
        row = [0]
        for j, b in enumerate(second):
            row.append(before[j] + 1 if a == b else max(row[j], before[j + 1]))
    return row[-1]


_pair(
    common_subsequence, fast_common_subsequence, each(text("abc", 6), text("abc", 6, "b", "cba")),
    lambda rng: ("".join("ab"[int(i)] for i in rng.integers(2, size=4)) + "x" * 7, "y" * 7 + "ab" * 2),
)  # fmt: skip


def longest_rising_subsequence(numbers: list[int]) -> int:
    """Give the length of the longest strictly rising subsequence of the numbers: they keep their order but need not be
    adjacent. It is 0 for the empty list.
    """
    best: list[int] = []
    for i in range(len(numbers)):
        longest = 0
        for j in range(i):
            if numbers[j] < numbers[i]:
                longest = max(longest, best[j])
        best.append(longest + 1)
    return max(best, default=0)


def fast_longest_rising_subsequence(numbers: list[int]) -> int:
    from bisect import bisect_left

    ends: list[int] = []
    for number in numbers:
        place = bisect_left(ends, number)
        ends[place : place + 1] = [number]
    return len(ends)


_pair(longest_rising_subsequence, fast_longest_rising_subsequence, each(ANY_INTS), _numbers(2000, 10_000))


def window_maxima(numbers: list[int], size: int) -> list[int]:
    """Give the maximum of every stretch of `size` adjacent numbers, from left to right; none if the list is shorter. The size
    is positive.
    """
    maxima = []
    for start in range(len(numbers) - size + 1):
        largest = numbers[start]
        for number in numbers[start : start + size]:
            if number > largest:
                largest = number
        maxima.append(largest)
    return maxima


def fast_window_maxima(numbers: list[int], size: int) -> list[int]:
    from collections import deque

    maxima = []
    falling: deque[int] = deque()
    for i, number in enumerate(numbers):
        while falling and numbers[falling[-1]] <= number:
            falling.pop()
        falling.append(i)
        if falling[0] <= i - size:
            falling.popleft()
        if i >= size - 1:
            maxima.append(numbers[falling[0]])
    return maxima


_pair(
    window_maxima, fast_window_maxima, each(ANY_INTS, integer(1, 5)),
    lambda rng: (*_numbers(5000, 10_000)(rng), int(rng.integers(2000, 3000))),
)  # fmt: skip


def coin_ways(coins: list[int], amount: int) -> int:
    """Count the ways to pay the amount with coins of the given different values, as many of each as you like; the order of
    the coins does not matter. There is one way to pay 0.
    """
    if amount == 0:
        return 1
    if not coins or amount < 0:
        return 0
    return coin_ways(coins, amount - coins[0]) + coin_ways(coins[1:], amount)


def fast_coin_ways(coins: list[int], amount: int) -> int:
    ways = [1] + [0] * amount
    for coin in coins:
        for paid in range(coin, amount + 1):
            ways[paid] += ways[paid - coin]
    return ways[amount]


_COINS = Draw(lambda rng: sorted({int(v) for v in rng.integers(1, 12, 3)}), ([], [1], [2, 4], [5]))
_pair(
    coin_ways,
    fast_coin_ways,
    each(_COINS, integer(0, 20, 1)),
    lambda rng: ([1, 2, 5, 10], 165 + int(rng.integers(20))),
)
