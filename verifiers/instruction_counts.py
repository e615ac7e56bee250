"""Constraints that count: words, sentences, paragraphs, lists, repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym.verifiers.instruction_constraint import (
    Constraint,
    Finding,
    Relation,
    compare,
    constraint_kind,
)
from rlvr_gym.verifiers.instruction_text import Text, words_of

__all__ = [
    "BulletCount",
    "CapitalWords",
    "KeywordFrequency",
    "MaxRepeats",
    "NumberedList",
    "ParagraphCount",
    "PlaceholderCount",
    "SentenceCount",
    "SentenceLength",
    "WordCount",
]


@constraint_kind
@dataclass(frozen=True)
class WordCount(Constraint):
    """So many words."""

    relation: Relation
    count: int
    kind: ClassVar[str] = "word_count"
    counts: ClassVar[str] = "words"
    wordings: ClassVar[tuple[str, ...]] = (
        "Use {relation} {count} words.",
        "The text has {relation} {count} words.",
        "Length: {relation} {count} words.",
    )

    def check(self, text: Text) -> Finding:
        """Counts the words."""
        return compare(len(text.words), self.relation, self.count, "words")


@constraint_kind
@dataclass(frozen=True)
class SentenceCount(Constraint):
    """So many sentences."""

    relation: Relation
    count: int
    kind: ClassVar[str] = "sentence_count"
    counts: ClassVar[str] = "sentences"
    wordings: ClassVar[tuple[str, ...]] = (
        "Write {relation} {count} sentences.",
        "The number of sentences is {relation} {count}.",
        "Use {relation} {count} sentences in all.",
    )

    def check(self, text: Text) -> Finding:
        """Counts the sentences."""
        return compare(len(text.sentences), self.relation, self.count, "sentences")


@constraint_kind
@dataclass(frozen=True)
class SentenceLength(Constraint):
    """No sentence is longer than so many words."""

    count: int
    kind: ClassVar[str] = "sentence_length"
    counts: ClassVar[str] = "sentences"
    wordings: ClassVar[tuple[str, ...]] = (
        "No sentence has more than {count} words.",
        "Keep every sentence to at most {count} words.",
    )

    def check(self, text: Text) -> Finding:
        """Measures the longest sentence."""
        longest = max((len(words_of(sentence)) for sentence in text.sentences), default=0)
        return Finding(0 < longest <= self.count, f"the longest sentence has {longest} words")


@constraint_kind
@dataclass(frozen=True)
class ParagraphCount(Constraint):
    """So many paragraphs."""

    relation: Relation
    count: int
    kind: ClassVar[str] = "paragraph_count"
    counts: ClassVar[str] = "paragraphs"
    wordings: ClassVar[tuple[str, ...]] = (
        "Write {relation} {count} paragraphs.",
        "Divide the text into {relation} {count} paragraphs.",
    )

    def check(self, text: Text) -> Finding:
        """Counts the paragraphs."""
        return compare(len(text.paragraphs), self.relation, self.count, "paragraphs")


@constraint_kind
@dataclass(frozen=True)
class KeywordFrequency(Constraint):
    """A word comes so often."""

    word: str
    relation: Relation
    count: int
    kind: ClassVar[str] = "keyword_frequency"
    wordings: ClassVar[tuple[str, ...]] = (
        'Use the word "{word}" {relation} {count} times.',
        'The word "{word}" comes {relation} {count} times.',
    )

    def check(self, text: Text) -> Finding:
        """Counts the word, as a word of its own, in any case."""
        found = text.counts[self.word.casefold()]
        return compare(found, self.relation, self.count, f'times "{self.word}"')


@constraint_kind
@dataclass(frozen=True)
class MaxRepeats(Constraint):
    """No word comes more often than so many times, and no longer sentence twice: filler does not count as text."""

    count: int
    kind: ClassVar[str] = "max_repeats"
    wordings: ClassVar[tuple[str, ...]] = (
        "Use no word more than {count} times, and no sentence twice.",
        "No sentence stands twice, and no single word comes more than {count} times.",
    )

    def check(self, text: Text) -> Finding:
        """Finds the most frequent word, and a repeated sentence."""
        word, most = text.counts.most_common(1)[0] if text.counts else ("", 0)
        if text.repeated_line is not None:
            return Finding(False, f"this stands twice: {text.repeated_line[:80]}")
        return Finding(0 < most <= self.count, f'the most frequent word is "{word[:40]}", {most} times')


@constraint_kind
@dataclass(frozen=True)
class BulletCount(Constraint):
    """So many bullet points."""

    relation: Relation
    count: int
    kind: ClassVar[str] = "bullet_count"
    wordings: ClassVar[tuple[str, ...]] = (
        'Use {relation} {count} bullet points: lines that begin with "- ".',
        'Include a list of {relation} {count} bullet points (each a line that begins with "- ").',
    )

    def check(self, text: Text) -> Finding:
        """Counts the bullets."""
        return compare(len(text.bullets), self.relation, self.count, "bullet points")


@constraint_kind
@dataclass(frozen=True)
class NumberedList(Constraint):
    """A list numbered from 1 to exactly ``count``."""

    count: int
    kind: ClassVar[str] = "numbered_list"
    wordings: ClassVar[tuple[str, ...]] = (
        'Include a list with exactly {count} items, each on a line of its own that begins with its number: "1. " and so on.',
        'Number {count} points from 1 to {count}, each on a line that begins like "1. ".',
    )

    def check(self, text: Text) -> Finding:
        """Reads the numbers of the lines."""
        numbers = text.item_numbers
        return Finding(
            numbers == list(range(1, self.count + 1)), f"the lines are numbered {str(numbers)[:100]}"
        )


@constraint_kind
@dataclass(frozen=True)
class CapitalWords(Constraint):
    """So many words all in capitals."""

    relation: Relation
    count: int
    kind: ClassVar[str] = "capital_words"
    wordings: ClassVar[tuple[str, ...]] = (
        "Write {relation} {count} words of three or more letters in CAPITALS.",
        "The text has {relation} {count} words of three or more letters that are all in capital letters.",
    )

    def check(self, text: Text) -> Finding:
        """Counts words of three or more letters without a small one."""
        found = [w for w in text.written_words if w.isupper() and sum(map(str.isalpha, w)) >= 3]
        return compare(len(found), self.relation, self.count, "words in capitals")


@constraint_kind
@dataclass(frozen=True)
class PlaceholderCount(Constraint):
    """At least so many different placeholders in square brackets."""

    count: int
    kind: ClassVar[str] = "placeholders"
    wordings: ClassVar[tuple[str, ...]] = (
        "Leave at least {count} different placeholders in square brackets, such as [address].",
        "Include at least {count} different placeholders in square brackets, for example [name].",
    )

    def check(self, text: Text) -> Finding:
        """Counts the different ones."""
        return compare(len(text.placeholders), "at least", self.count, "placeholders")
