"""Functions that call themselves, or whose results do."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from typing import Any

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import Draw, integer, ints, nested, text

_PREFIX = Draw(
    lambda rng: _expression(rng, 3),
    (["7"], ["+", "1", "2"], ["-", "*", "2", "3", "4"], ["*", "0", "-", "1", "9"]),
)


def _expression(rng: Any, depth: int) -> list[str]:
    if depth == 0 or rng.random() < 0.3:
        return [str(int(rng.integers(0, 10)))]
    sign = "+-*"[int(rng.integers(3))]
    return [sign, *_expression(rng, depth - 1), *_expression(rng, depth - 1)]


@spec(nested())
def flatten(items: list) -> list[int]:  # type: ignore[type-arg]
    """Give the numbers in a list that holds numbers and lists, which hold numbers and lists in turn, from left to right."""
    flat: list[int] = []
    for item in items:
        if isinstance(item, list):
            flat += flatten(item)
        else:
            flat.append(item)
    return flat


@spec(nested())
def nesting_depth(items: list) -> int:  # type: ignore[type-arg]
    """Give how deep the lists in the list are nested: 1 for a list without lists in it, and otherwise one more than the
    deepest list in it.
    """
    return 1 + max((nesting_depth(item) for item in items if isinstance(item, list)), default=0)


@spec(nested(), factor=range(2, 5))
def weighted_sum(items: list, *, factor: int) -> int:  # type: ignore[type-arg]
    """Add up the numbers in a nested list, where the sum of every inner list counts {factor} times."""

    def total(values: list) -> int:  # type: ignore[type-arg]
        return sum(factor * total(value) if isinstance(value, list) else value for value in values)

    return total(items)


@spec(integer(0, 6), letters=range(2, 4), longest=range(1, 4))
def strings_without_runs(size: int, *, letters: int, longest: int) -> int:
    """Count the strings of the given size over an alphabet of {letters} letters in which no letter stands more than
    {longest} times in a row. There is one string of size 0.
    """

    def count(left: int, run: int) -> int:
        if left == 0:
            return 1
        total = (letters - 1) * count(left - 1, 1)
        if run < longest:
            total += count(left - 1, run + 1)
        return total

    return letters * count(size - 1, 1) if size > 0 else 1


@spec(integer(0, 5))
def gray_code(bits: int) -> list[int]:
    """List the numbers from 0 to 2**bits - 1 in the order of the reflected Gray code: 0 bits give [0], and one more bit
    gives the list so far and then the same list backwards with 2**(bits - 1) added.
    """
    if bits == 0:
        return [0]
    before: list[int] = gray_code(bits - 1)
    return before + [value + 2 ** (bits - 1) for value in reversed(before)]


@spec(_PREFIX)
def evaluate_prefix(tokens: list[str]) -> int:
    """Give the value of an expression in prefix notation, whose tokens are the signs + - * and whole numbers: - * 2 3 4 is
    2 * 3 - 4.
    """

    def evaluate(position: int) -> tuple[int, int]:
        token = tokens[position]
        if token not in ("+", "-", "*"):
            return int(token), position + 1
        left, middle = evaluate(position + 1)
        right, end = evaluate(middle)
        if token == "+":
            return left + right, end
        if token == "-":
            return left - right, end
        return left * right, end

    return evaluate(0)[0]


@spec(integer(0, 18))
def count_partitions(n: int) -> int:
    """Count the ways to write n as a sum of positive numbers, where the order does not matter. 0 can be written in one
    way.
    """

    def count(left: int, largest: int) -> int:
        if left == 0:
            return 1
        return sum(count(left - part, part) for part in range(1, min(left, largest) + 1))

    return count(n, n)


@spec(ints(-9, 9, 9), target=range(-4, 9))
def count_subsets(numbers: list[int], *, target: int) -> int:
    """Count the subsets of positions whose numbers add up to {target}; the empty subset has the sum 0."""

    def count(position: int, left: int) -> int:
        if position == len(numbers):
            return int(left == 0)
        return count(position + 1, left) + count(position + 1, left - numbers[position])

    return count(0, target)


@spec(integer(0, 6))
def count_queens(size: int) -> int:
    """Count the ways to put `size` queens on a chess board of size x size so that no two share a row, a column or a
    diagonal. There is one way for size 0.
    """

    def place(row: int, columns: list[int]) -> int:
        if row == size:
            return 1
        total = 0
        for column in range(size):
            if all(column != c and abs(column - c) != row - r for r, c in enumerate(columns)):
                total += place(row + 1, [*columns, column])
        return total

    return place(0, [])


@spec(integer(0, 12))
def pascal_row(n: int) -> list[int]:
    """Give row n of Pascal's triangle: row 0 is [1], and each number is the sum of the two above it."""
    if n == 0:
        return [1]
    above: list[int] = pascal_row(n - 1)
    return [1] + [above[i] + above[i + 1] for i in range(n - 1)] + [1]


@spec(text("abcd", 4, "a", "ba", "cab"))
def distinct_permutations(text: str) -> list[str]:
    """List all different strings that have the letters of the text in any order, sorted alphabetically; the empty text
    gives one empty string.
    """
    if not text:
        return [""]
    found = set()
    for position, letter in enumerate(text):
        for rest in distinct_permutations(text[:position] + text[position + 1 :]):
            found.add(letter + rest)
    return sorted(found)


@spec(integer(0, 4))
def hanoi_moves(disks: int) -> list[str]:
    """List the moves of the shortest solution of the tower of Hanoi with the given number of disks from peg A to peg C by
    way of peg B; each move is two letters, the pegs from and to: one disk gives ["AC"].
    """

    def move(count: int, start: str, spare: str, end: str) -> list[str]:
        if count == 0:
            return []
        return [*move(count - 1, start, end, spare), start + end, *move(count - 1, spare, start, end)]

    return move(disks, "A", "B", "C")
