"""Functions for which dynamic programming is the way."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import (
    ANY_INTS,
    Draw,
    Inputs,
    Rng,
    each,
    grid,
    integer,
    ints,
    text,
    together,
)

_COINS = each(
    Draw(lambda rng: sorted({int(v) for v in rng.integers(1, 12, 3)}), ([], [1], [2, 4], [5])),
    integer(0, 30, 1, 3),
)

_PIECES = Draw(
    lambda rng: [
        str(piece) for piece in rng.choice(["a", "b", "ab", "ba", "aa", "bb", "aba"], int(rng.integers(1, 6)))
    ],
    ([], ["a", "a"], ["b", "ab", "a"]),
)


def _items() -> Inputs:
    def make(rng: Rng) -> tuple[list[int], list[int], int]:
        size = int(rng.integers(1, 6))
        weights, values = ([int(v) for v in rng.integers(1, 12, size)] for _ in range(2))
        return weights, values, int(rng.integers(0, 25))

    return together(make, ([], [], 5), ([3], [4], 2), ([3], [4], 3), ([2, 2, 3], [3, 3, 5], 4))


@spec(integer(0, 16, 1, 2), longest=range(2, 5))
def climb_stairs(steps: int, *, longest: int) -> int:
    """Count the ways to climb a stair of the given number of steps if you take from 1 to {longest} of them at a time. There
    is one way to climb no steps.
    """
    ways = [1]
    for step in range(1, steps + 1):
        ways.append(sum(ways[max(0, step - longest) :]))
    return ways[steps]


@spec(_COINS)
def coin_ways(coins: list[int], amount: int) -> int:
    """Count the ways to pay the amount with coins of the given different values, as many of each as you like; the order of
    the coins does not matter. There is one way to pay 0.
    """
    ways = [1] + [0] * amount
    for coin in coins:
        for paid in range(coin, amount + 1):
            ways[paid] += ways[paid - coin]
    return ways[amount]


@spec(_COINS)
def fewest_coins(coins: list[int], amount: int) -> int:
    """Give the least number of coins of the given values, as many of each as you like, that pay the amount exactly; -1 if it
    cannot be paid.
    """
    far = amount + 1
    best = [0] + [far] * amount
    for paid in range(1, amount + 1):
        for coin in coins:
            if coin <= paid:
                best[paid] = min(best[paid], best[paid - coin] + 1)
    return best[amount] if best[amount] < far else -1


@spec(ANY_INTS)
def longest_rising_subsequence(numbers: list[int]) -> int:
    """Give the length of the longest strictly rising subsequence of the numbers: they keep their order but need not be
    adjacent. It is 0 for the empty list.
    """
    best: list[int] = []
    for i, number in enumerate(numbers):
        best.append(1 + max((best[j] for j in range(i) if numbers[j] < number), default=0))
    return max(best, default=0)


@spec(text("abc", 9), text("abc", 9, "b", "cba", "aab"))
def common_subsequence(first: str, second: str) -> int:
    """Give the length of the longest string that is a subsequence of both texts: its characters stand in both in this order,
    but need not be adjacent.
    """
    row = [0] * (len(second) + 1)
    for a in first:
        before = row
        row = [0]
        for j, b in enumerate(second):
            row.append(before[j] + 1 if a == b else max(row[j], before[j + 1]))
    return row[-1]


@spec(text("abc", 7), text("abc", 7, "b", "cba", "aab"))
def edit_distance(first: str, second: str) -> int:
    """Give the least number of single characters to insert, delete or replace that makes the second text of the first."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first):
        before = row
        row = [i + 1]
        for j, b in enumerate(second):
            row.append(min(before[j] + (a != b), before[j + 1] + 1, row[j] + 1))
    return row[-1]


@spec(ANY_INTS)
def best_stretch(numbers: list[int]) -> int:
    """Give the largest sum of a stretch of adjacent numbers; the empty stretch, with the sum 0, counts as well."""
    best = 0
    current = 0
    for number in numbers:
        current = max(0, current + number)
        best = max(best, current)
    return best


@spec(_items())
def knapsack(weights: list[int], values: list[int], capacity: int) -> int:
    """Item i has weights[i] and values[i]. Give the largest total value of items, each taken at most once, whose total weight
    is at most the capacity.
    """
    best = [0] * (capacity + 1)
    for weight, value in zip(weights, values, strict=True):
        for room in range(capacity, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[capacity]


@spec(ints(0, 30), gap=range(1, 4))
def spaced_maximum(numbers: list[int], *, gap: int) -> int:
    """Give the largest sum of numbers of the list, none of which is negative, if between any two that you take there are at
    least {gap} others. Taking none gives 0.
    """
    best = [0] * (gap + 1)
    for number in numbers:
        best.append(max(best[-1], best[-1 - gap] + number))
    return best[-1]


@spec(grid(0, 9))
def cheapest_descent(cells: list[list[int]]) -> int:
    """Walk from the top left to the bottom right cell of the grid, only to the right or down, and give the least sum of the
    cells on the way, both ends included.
    """
    far = 10**9
    costs = [0] + [far] * (len(cells[0]) - 1)
    for row in cells:
        left = far
        for column, cell in enumerate(row):
            left = min(left, costs[column]) + cell
            costs[column] = left
    return costs[-1]


@spec(text("abc", 9, "a", "abcba", "abcd"))
def palindromic_subsequence(text: str) -> int:
    """Give the length of the longest subsequence of the text that reads the same backwards; its characters keep their order
    but need not be adjacent.
    """
    size = len(text)
    best = [[0] * (size + 1) for _ in range(size + 1)]
    for start in range(size - 1, -1, -1):
        for end in range(start + 1, size + 1):
            if end - start == 1:
                best[start][end] = 1
            elif text[start] == text[end - 1]:
                best[start][end] = best[start + 1][end - 1] + 2
            else:
                best[start][end] = max(best[start + 1][end], best[start][end - 1])
    return best[0][size]


@spec(text("ab", 8), _PIECES)
def count_splits(text: str, words: list[str]) -> int:
    """Count the ways to cut the text into pieces that all are in the list of words, which may hold a word twice (that makes
    no difference). The empty text has one way.
    """
    ways = [1] + [0] * len(text)
    for end in range(1, len(text) + 1):
        for word in set(words):
            if text[:end].endswith(word):
                ways[end] += ways[end - len(word)]
    return ways[-1]


@spec(ints(0, 12, 8))
def can_halve(numbers: list[int]) -> bool:
    """Tell whether the numbers, none of which is negative, can be put into two groups with equal sums. A group may be
    empty.
    """
    sums = {0}
    for number in numbers:
        sums |= {number + other for other in sums}
    return sum(numbers) % 2 == 0 and sum(numbers) // 2 in sums


@spec(text("0123", 8, "0", "10", "30", "11", "1010", "2101"))
def count_decodings(digits: str) -> int:
    """Letters are written as numbers from 1 (a) to 26 (z) without spaces and leading zeros. Count the texts that a string of
    digits can stand for; the empty string stands for one.
    """
    ways = [1]
    for i, digit in enumerate(digits):
        total = ways[i] if digit != "0" else 0
        if i > 0 and digits[i - 1] != "0" and int(digits[i - 1 : i + 1]) <= 26:
            total += ways[i - 1]
        ways.append(total)
    return ways[-1]


@spec(ints(1, 40, 8), fee=range(1, 5))
def best_trades(prices: list[int], *, fee: int) -> int:
    """The list has the price of a share on each day. You may buy and sell as often as you like but hold at most one share at
    a time, and each sale costs a fee of {fee}. Give the largest profit; doing nothing gives 0.
    """
    cash = 0
    holding = -(10**9)
    for price in prices:
        cash, holding = max(cash, holding + price - fee), max(holding, cash - price)
    return cash
