"""Functions that count, group and look up."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import ANY_INTS, ANY_TEXT, ANY_WORDS, counts


@spec(ANY_WORDS)
def word_counts(words: list[str]) -> dict[str, int]:
    """Give a dict from each word to how often it occurs."""
    table: dict[str, int] = {}
    for word in words:
        table[word] = table.get(word, 0) + 1
    return table


@spec(counts())
def invert(table: dict[str, int]) -> dict[int, list[str]]:
    """Give a dict from each value of the table to the alphabetically sorted list of the keys that have it."""
    inverse: dict[int, list[str]] = {}
    for key in sorted(table):
        inverse.setdefault(table[key], []).append(key)
    return inverse


@spec(ANY_WORDS)
def group_by_length(words: list[str]) -> dict[int, list[str]]:
    """Group the words by their length: a dict from each length to the list of the words of that length, in their order
    and with repetitions.
    """
    groups: dict[int, list[str]] = {}
    for word in words:
        groups.setdefault(len(word), []).append(word)
    return groups


@spec(ANY_WORDS)
def most_common_word(words: list[str]) -> str:
    """Give the word that occurs most often, the alphabetically first of several; the empty text if there are none."""
    if not words:
        return ""
    return min(words, key=lambda word: (-words.count(word), word))


@spec(counts(), counts())
def merge_counts(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    """Add the two tables: a dict with the keys of both, and the sum of the values of each key."""
    merged = dict(first)
    for key, value in second.items():
        merged[key] = merged.get(key, 0) + value
    return merged


@spec(ANY_WORDS, size=range(1, 4))
def top_words(words: list[str], *, size: int) -> list[str]:
    """List the {size} words that occur most often (fewer if there are not so many different ones), the most frequent
    first, and equally frequent ones in alphabetical order.
    """
    table: dict[str, int] = {}
    for word in words:
        table[word] = table.get(word, 0) + 1
    return sorted(table, key=lambda word: (-table[word], word))[:size]


@spec(counts(), counts())
def shared_keys(first: dict[str, int], second: dict[str, int]) -> list[str]:
    """List, in alphabetical order, the keys that both tables have."""
    return sorted(key for key in first if key in second)


@spec(ANY_WORDS)
def count_anagram_groups(words: list[str]) -> int:
    """Count how many groups there are if words with the same letters (each as often) are put into one group."""
    return len({"".join(sorted(word)) for word in words})


@spec(ANY_WORDS)
def initials(words: list[str]) -> dict[str, int]:
    """Give a dict from each first letter to the number of different words that begin with it."""
    table: dict[str, int] = {}
    for word in set(words):
        table[word[0]] = table.get(word[0], 0) + 1
    return table


@spec(counts(), least=range(2, 8))
def keep_large(table: dict[str, int], *, least: int) -> dict[str, int]:
    """Keep only the entries of the table whose value is {least} or more."""
    return {key: value for key, value in table.items() if value >= least}


@spec(ANY_INTS, modulus=range(2, 6))
def sums_by_remainder(numbers: list[int], *, modulus: int) -> dict[int, int]:
    """Group the numbers by their remainder when divided by {modulus} (from 0 to {modulus} - 1, for negative numbers as
    well) and give a dict from each remainder that occurs to the sum of its numbers.
    """
    table: dict[int, int] = {}
    for number in numbers:
        table[number % modulus] = table.get(number % modulus, 0) + number
    return table


@spec(ANY_TEXT)
def last_positions(text: str) -> dict[str, int]:
    """Give a dict from each letter a-z of the text, in either case, to the position (from 0) of its last occurrence; the
    keys are small letters.
    """
    return {c: position for position, c in enumerate(text.lower()) if c.isalpha()}


@spec(ANY_INTS)
def mode_count(numbers: list[int]) -> int:
    """Count the different numbers that occur as often as the most frequent number does; 0 for the empty list."""
    table: dict[int, int] = {}
    for number in numbers:
        table[number] = table.get(number, 0) + 1
    most = max(table.values(), default=0)
    return sum(count == most for count in table.values())
