"""Constraints on which words and characters a text has, and on how it begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym.verifiers.instruction_constraint import Case, Constraint, Finding, constraint_kind, listed
from rlvr_gym.verifiers.instruction_text import Text, words_of

__all__ = [
    "EndPhrase",
    "FirstWord",
    "Forbidden",
    "Keywords",
    "LastWord",
    "LetterCase",
    "Order",
    "ParagraphStart",
    "RepeatRequest",
    "WithoutCharacter",
]

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def _plain(text: str) -> str:
    """In lower case, with straight quotation marks and single spaces: for phrases that have to stand word for word."""
    return " ".join(text.casefold().translate(_QUOTES).split())


@constraint_kind
@dataclass(frozen=True)
class Keywords(Constraint):
    """Words that have to be there."""

    words: tuple[str, ...]
    kind: ClassVar[str] = "keywords"
    wordings: ClassVar[tuple[str, ...]] = (
        "Use {words}, each as a word of its own.",
        "These have to be in the text, each as a word of its own: {words}.",
        "Mention {words}, exactly so.",
    )

    def check(self, text: Text) -> Finding:
        """Looks for each, in any case."""
        missing = [word for word in self.words if word.casefold() not in text.counts]
        return Finding(not missing, f"missing: {listed(tuple(missing))}" if missing else "all are there")


@constraint_kind
@dataclass(frozen=True)
class Forbidden(Constraint):
    """Words that must not be there."""

    words: tuple[str, ...]
    kind: ClassVar[str] = "forbidden"
    wordings: ClassVar[tuple[str, ...]] = (
        "Do not use any of these words: {words}.",
        "Avoid {words}.",
        "These words must not be in the text: {words}.",
    )

    def check(self, text: Text) -> Finding:
        """Looks for each, in any case, also as part of a word with a hyphen."""
        present = text.counts.keys() | {part for word in text.counts for part in word.split("-")}
        used = [word for word in self.words if word.casefold() in present]
        return Finding(not used, f"used: {listed(tuple(used))}" if used else "none is there")


@constraint_kind
@dataclass(frozen=True)
class Order(Constraint):
    """One word comes before another one."""

    first: str
    second: str
    kind: ClassVar[str] = "order"
    wordings: ClassVar[tuple[str, ...]] = (
        'The word "{first}" comes before the word "{second}": both are there, and every "{first}" is before the first "{second}".',
        'Use "{first}" and "{second}", and every "{first}" before the first "{second}".',
    )

    def check(self, text: Text) -> Finding:
        """Compares the last place of the one with the first of the other."""
        first, second = self.first.casefold(), self.second.casefold()
        if not (text.counts[first] and text.counts[second]):
            return Finding(False, "not both are there")
        last = len(text.words) - 1 - text.words[::-1].index(first)
        place = text.words.index(second)
        return Finding(last < place, f"they are words {last + 1} and {place + 1}")


@constraint_kind
@dataclass(frozen=True)
class LetterCase(Constraint):
    """All letters small, or all capital."""

    style: Case
    kind: ClassVar[str] = "letter_case"
    wordings: ClassVar[tuple[str, ...]] = (
        "Write everything in {style} letters.",
        "Use only {style} letters.",
    )

    def check(self, text: Text) -> Finding:
        """Looks at each letter; a text without letters fails."""
        small = self.style == "lowercase"
        stray = [c for c in text.shown if (c.isupper() if small else c.islower())]
        lettered = any(c.isalpha() for c in text.shown)
        return Finding(lettered and not stray, f"{len(stray)} letters are of the other kind")


@constraint_kind
@dataclass(frozen=True)
class WithoutCharacter(Constraint):
    """A letter or mark that must not be there."""

    character: str
    kind: ClassVar[str] = "without_character"
    wordings: ClassVar[tuple[str, ...]] = (
        "Do not use {name} anywhere.",
        "Write without {name}.",
        "Nowhere in the text may there be {name}.",
    )

    def shown(self) -> dict[str, str]:
        """A comma by its name, a letter as a letter."""
        name = "a comma" if self.character == "," else f'the letter "{self.character}"'
        return {"name": name}

    def check(self, text: Text) -> Finding:
        """Counts it, in any case."""
        found = text.shown.casefold().count(self.character.casefold())
        return Finding(found == 0, f"it is there {found} times")


@constraint_kind
@dataclass(frozen=True)
class FirstWord(Constraint):
    """The first word of all."""

    word: str
    kind: ClassVar[str] = "first_word"
    wordings: ClassVar[tuple[str, ...]] = (
        'The first word is "{word}".',
        'Begin with the word "{word}".',
    )

    def check(self, text: Text) -> Finding:
        """Compares it, in any case."""
        first = text.words[0] if text.words else ""
        return Finding(first == self.word.casefold(), f'the first word is "{first[:40]}"')


@constraint_kind
@dataclass(frozen=True)
class LastWord(Constraint):
    """The last word of all."""

    word: str
    kind: ClassVar[str] = "last_word"
    wordings: ClassVar[tuple[str, ...]] = (
        'The last word is "{word}".',
        'Let the text end with the word "{word}" (a mark may follow it).',
    )

    def check(self, text: Text) -> Finding:
        """Compares it, in any case; punctuation after it does not matter."""
        last = text.words[-1] if text.words else ""
        return Finding(last == self.word.casefold(), f'the last word is "{last[:40]}"')


@constraint_kind
@dataclass(frozen=True)
class EndPhrase(Constraint):
    """The text ends with a phrase, and nothing comes after it."""

    phrase: str
    kind: ClassVar[str] = "end_phrase"
    wordings: ClassVar[tuple[str, ...]] = (
        'End with exactly this: "{phrase}" Nothing comes after it.',
        'The very last words are: "{phrase}"',
    )

    def check(self, text: Text) -> Finding:
        """Compares the end, in any case."""
        end = _plain(text.shown)[-len(_plain(self.phrase)) - 20 :]
        return Finding(end.endswith(_plain(self.phrase)), f"it ends: {end[-60:]}")


@constraint_kind
@dataclass(frozen=True)
class RepeatRequest(Constraint):
    """The text begins with the request, word for word, and goes on after it."""

    request: str
    kind: ClassVar[str] = "repeat_request"
    wordings: ClassVar[tuple[str, ...]] = (
        'First repeat this request word for word, then follow it: "{request}"',
        'Begin by repeating this sentence without change: "{request}" Your own text comes after it.',
    )

    def check(self, text: Text) -> Finding:
        """Compares the beginning, and asks for words of one's own."""
        begins = _plain(text.shown).removeprefix('"').startswith(_plain(self.request))
        more = len(text.words) - len(words_of(self.request))
        return Finding(
            begins and more > 0, f"repeated: {'yes' if begins else 'no'}; {max(more, 0)} words more"
        )


@constraint_kind
@dataclass(frozen=True)
class ParagraphStart(Constraint):
    """The paragraph with this number begins with a word."""

    number: int
    word: str
    kind: ClassVar[str] = "paragraph_start"
    counts: ClassVar[str] = "paragraphs"
    wordings: ClassVar[tuple[str, ...]] = (
        'Paragraph {number} begins with the word "{word}".',
        'Let "{word}" be the first word of paragraph {number}.',
    )

    def check(self, text: Text) -> Finding:
        """Compares the first word, in any case."""
        if not 1 <= self.number <= len(text.paragraphs):
            return Finding(False, f"there are {len(text.paragraphs)} paragraphs")
        first = words_of(text.paragraphs[self.number - 1])[0]
        return Finding(first == self.word.casefold(), f'it begins with "{first[:40]}"')
