"""Functions of lists of whole numbers."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import ANY_INTS, Draw, ints

_SORTED = Draw(lambda rng: sorted(ANY_INTS.make(rng)), ([], [1], [2, 2, 2], [-3, 0, 8]))


@spec(ANY_INTS)
def second_largest(numbers: list[int]) -> int:
    """Give the second largest of the different numbers in the list; 0 if there are fewer than two different ones."""
    distinct = sorted(set(numbers))
    return distinct[-2] if len(distinct) > 1 else 0


@spec(ANY_INTS)
def running_sums(numbers: list[int]) -> list[int]:
    """Replace every number by the sum of all numbers up to it, itself included."""
    sums = []
    total = 0
    for number in numbers:
        total += number
        sums.append(total)
    return sums


@spec(ANY_INTS, places=range(1, 6))
def rotate_left(numbers: list[int], *, places: int) -> list[int]:
    """Rotate the list by {places} places to the left: what leaves at the front comes in at the back."""
    if not numbers:
        return []
    cut = places % len(numbers)
    return numbers[cut:] + numbers[:cut]


@spec(ANY_INTS)
def without_repeats(numbers: list[int]) -> list[int]:
    """Keep only the first occurrence of every number, in the given order."""
    kept: list[int] = []
    for number in numbers:
        if number not in kept:
            kept.append(number)
    return kept


@spec(ANY_INTS, size=range(2, 5))
def chunk_sums(numbers: list[int], *, size: int) -> list[int]:
    """Cut the list into pieces of {size} numbers (the last one may be shorter) and give the sum of each piece."""
    return [sum(numbers[i : i + size]) for i in range(0, len(numbers), size)]


@spec(ANY_INTS)
def longest_rising_run(numbers: list[int]) -> int:
    """Give the length of the longest stretch of adjacent numbers in which each is greater than the one before; 0 for
    the empty list.
    """
    best = 0
    current = 0
    for i, number in enumerate(numbers):
        current = current + 1 if i > 0 and number > numbers[i - 1] else 1
        best = max(best, current)
    return best


@spec(ANY_INTS, total=range(-6, 9))
def count_pairs(numbers: list[int], *, total: int) -> int:
    """Count the pairs of positions i < j whose numbers add up to {total}."""
    count = 0
    for i in range(len(numbers)):
        for j in range(i + 1, len(numbers)):
            if numbers[i] + numbers[j] == total:
                count += 1
    return count


@spec(_SORTED, _SORTED)
def merge_sorted(first: list[int], second: list[int]) -> list[int]:
    """Merge two lists that are sorted in ascending order into one sorted list."""
    merged = []
    i = j = 0
    while i < len(first) and j < len(second):
        if first[i] <= second[j]:
            merged.append(first[i])
            i += 1
        else:
            merged.append(second[j])
            j += 1
    return merged + first[i:] + second[j:]


@spec(ints(-5, 5, 7))
def products_of_others(numbers: list[int]) -> list[int]:
    """Replace every number by the product of all the others; the product of no numbers is 1."""
    products = []
    for skipped in range(len(numbers)):
        product = 1
        for position, number in enumerate(numbers):
            if position != skipped:
                product *= number
        products.append(product)
    return products


@spec(ints(-2, 2))
def zeros_last(numbers: list[int]) -> list[int]:
    """Move all zeros to the end of the list; the other numbers keep their order."""
    others = [number for number in numbers if number != 0]
    return others + [0] * (len(numbers) - len(others))


@spec(ANY_INTS)
def peaks(numbers: list[int]) -> list[int]:
    """List the positions, from 0, of the numbers that are greater than both neighbours; the first and the last number
    have only one neighbour and never count.
    """
    return [i for i in range(1, len(numbers) - 1) if numbers[i - 1] < numbers[i] > numbers[i + 1]]


@spec(ANY_INTS, size=range(2, 5))
def window_maxima(numbers: list[int], *, size: int) -> list[int]:
    """Give the maximum of every stretch of {size} adjacent numbers, from left to right; none if the list is shorter."""
    return [max(numbers[i : i + size]) for i in range(len(numbers) - size + 1)]


@spec(ANY_INTS)
def alternating_sum(numbers: list[int]) -> int:
    """Add the first number, subtract the second, add the third, and so on."""
    total = 0
    for i, number in enumerate(numbers):
        total += number if i % 2 == 0 else -number
    return total


@spec(ints(1, 3, 9))
def majority(numbers: list[int]) -> int:
    """Give the number that makes up more than half of the list; 0 if there is none."""
    for number in set(numbers):
        if 2 * numbers.count(number) > len(numbers):
            return number
    return 0


@spec(ANY_INTS)
def differences(numbers: list[int]) -> list[int]:
    """Give the difference between each number, from the second on, and the one before it."""
    return [numbers[i] - numbers[i - 1] for i in range(1, len(numbers))]


@spec(ANY_INTS)
def ranks(numbers: list[int]) -> list[int]:
    """Replace every number by its rank: 1 for the smallest; equal numbers have the same rank, and no rank is skipped."""
    order = sorted(set(numbers))
    return [order.index(number) + 1 for number in numbers]


@spec(ANY_INTS, pivot=range(-5, 6))
def partition(numbers: list[int], *, pivot: int) -> list[int]:
    """Put the numbers below {pivot} first, then those equal to it, then those above it; each group keeps its order."""
    below = [number for number in numbers if number < pivot]
    equal = [number for number in numbers if number == pivot]
    above = [number for number in numbers if number > pivot]
    return below + equal + above


@spec(ANY_INTS)
def count_inversions(numbers: list[int]) -> int:
    """Count the pairs of positions i < j with a greater number at i than at j."""
    return sum(numbers[i] > numbers[j] for i in range(len(numbers)) for j in range(i + 1, len(numbers)))


@spec(ANY_INTS)
def next_greater(numbers: list[int]) -> list[int]:
    """Replace every number by the nearest greater number to its right, or by -1 if there is none."""
    answer = []
    for i, number in enumerate(numbers):
        found = -1
        for later in numbers[i + 1 :]:
            if later > number:
                found = later
                break
        answer.append(found)
    return answer


@spec(ints(0, 9, 7))
def trapped_water(heights: list[int]) -> int:
    """The numbers are the heights of walls of width 1 side by side. Give the amount of rain water that stays between
    them: over each wall up to the lower of the highest walls on its two sides.
    """
    total = 0
    for i, height in enumerate(heights):
        left = max(heights[: i + 1])
        right = max(heights[i:])
        total += min(left, right) - height
    return total
