"""Functions of text."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import ANY_TEXT, ANY_WORDS, Rng, text, together, words

_SMALL = text("abc", 14)


def _pair(rng: Rng) -> tuple[str, str]:
    """Two texts that are anagrams about half of the time."""
    first = _SMALL.make(rng)
    mixed = "".join(first[int(i)] for i in rng.permutation(len(first)))
    return first, mixed if rng.random() < 0.5 else mixed[1:] + "abc"[int(rng.integers(3))]


_PAIR = together(_pair, ("", ""), ("a", ""), ("aab", "abb"), ("abc", "cab"), ("a", "aa"))


@spec(ANY_TEXT)
def count_vowels(text: str) -> int:
    """Count the vowels (a, e, i, o, u, in either case) of the text."""
    return sum(c in "aeiou" for c in text.lower())


@spec(ANY_TEXT)
def reverse_words(text: str) -> str:
    """Reverse the order of the words of the text, which are separated by single spaces; the words stay as they are."""
    return " ".join(reversed(text.split(" ")))


@spec(ANY_TEXT, shift=range(1, 25))
def caesar(text: str, *, shift: int) -> str:
    """Shift every letter a-z and A-Z of the text by {shift} places in the alphabet, after z comes a again; the case is
    kept and all other characters stay as they are.
    """
    shifted = ""
    for c in text:
        if c.isalpha():
            first = ord("a") if c.islower() else ord("A")
            shifted += chr((ord(c) - first + shift) % 26 + first)
        else:
            shifted += c
    return shifted


@spec(_SMALL)
def run_length(text: str) -> str:
    """Replace every run of equal characters by the character and the run's length: "aaab" becomes "a3b1"."""
    encoded = ""
    position = 0
    while position < len(text):
        end = position
        while end < len(text) and text[end] == text[position]:
            end += 1
        encoded += text[position] + str(end - position)
        position = end
    return encoded


@spec(text("abAB ", 7, "a", "ab", "A man a", "abba", "Ab bA", "  a "))
def is_palindrome(text: str) -> bool:
    """Tell whether the letters of the text are the same read backwards; case does not matter, and all characters that
    are no letters are left out.
    """
    letters = [c.lower() for c in text if c.isalpha()]
    return letters == letters[::-1]


@spec(ANY_WORDS)
def longest_word(words: list[str]) -> str:
    """Give the longest of the words, the first one of several; the empty text if there are none."""
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best


@spec(_SMALL)
def first_unique(text: str) -> int:
    """Give the position (from 0) of the first character that occurs only once in the text, or -1 if there is none."""
    for position, c in enumerate(text):
        if text.count(c) == 1:
            return position
    return -1


@spec(_PAIR)
def is_anagram(first: str, second: str) -> bool:
    """Tell whether the second text has the same letters as the first, each as often, in any order."""
    return sorted(first) == sorted(second)


@spec(text("aBcD", 12, "a", "A", "aB", "ABC", "camelCaseName"))
def to_snake_case(text: str) -> str:
    """Put an underscore before every capital letter that is not the first character, and make all letters small."""
    pieces = []
    for position, c in enumerate(text):
        if c.isupper() and position > 0:
            pieces.append("_")
        pieces.append(c.lower())
    return "".join(pieces)


@spec(words(5))
def common_prefix(words: list[str]) -> str:
    """Give the longest text that all of the words begin with; the empty text if there are no words."""
    if not words:
        return ""
    prefix = words[0]
    for word in words:
        while not word.startswith(prefix):
            prefix = prefix[:-1]
    return prefix


@spec(text("()[]<>", 8, "()", ")(", "([)]", "([<>])", "((", "()[]"))
def is_balanced(text: str) -> bool:
    """Tell whether the brackets (), [] and <> of the text, which has no other characters, are nested properly."""
    partners = {")": "(", "]": "[", ">": "<"}
    stack: list[str] = []
    for c in text:
        if c in partners:
            if not stack or stack.pop() != partners[c]:
                return False
        else:
            stack.append(c)
    return not stack


@spec(ANY_TEXT, size=range(2, 6))
def count_long_words(text: str, *, size: int) -> int:
    """Count the words of the text, separated by spaces, that have more than {size} characters."""
    return len([word for word in text.split() if len(word) > size])


@spec(_SMALL, text("xyz", 14, "x", "xyzxyz"))
def interleave(first: str, second: str) -> str:
    """Take characters from the two texts in turn, beginning with the first text; when one text is used up, the rest of
    the other follows.
    """
    mixed = ""
    for position in range(max(len(first), len(second))):
        mixed += first[position : position + 1] + second[position : position + 1]
    return mixed


@spec(text("abb", 14, "a", "aabbb", "abba"))
def collapse_pairs(text: str) -> str:
    """Remove two equal adjacent characters, and go on until there are none any more; give what is left."""
    stack: list[str] = []
    for c in text:
        if stack and stack[-1] == c:
            stack.pop()
        else:
            stack.append(c)
    return "".join(stack)


@spec(ANY_TEXT)
def capitalize_every_other(text: str) -> str:
    """Make the letters of the text large and small in turn, beginning with a large one; characters that are no letters
    stay as they are and do not count.
    """
    result = ""
    large = True
    for c in text:
        if c.isalpha():
            result += c.upper() if large else c.lower()
            large = not large
        else:
            result += c
    return result


@spec(ANY_TEXT)
def sum_of_numbers(text: str) -> int:
    """Add up the numbers in the text: every longest run of the digits 0-9 is one number."""
    total = 0
    current = 0
    for c in text:
        if c in "0123456789":
            current = current * 10 + int(c)
        else:
            total += current
            current = 0
    return total + current


@spec(text("abc", 10), text("abc", 2, "a", "ab", "aa"))
def count_overlapping(text: str, part: str) -> int:
    """Count the positions of the text at which the part begins; occurrences may overlap, and the empty part occurs
    nowhere.
    """
    if not part:
        return 0
    return sum(text.startswith(part, i) for i in range(len(text)))
