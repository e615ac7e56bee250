"""A written text as its rules see it: words, sentences, paragraphs, lines.

How things are counted is a rule that prompts can state in a sentence (:data:`COUNTING`). Invisible characters and
stacked accents are taken away before counting, so that nothing can be counted that a reader does not see. Everything
here is linear in the length of the text, which :func:`rlvr_gym.extraction.extract_text` bounds.
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections import Counter
from functools import cached_property

from rlvr_gym.extraction import extract_text
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier

__all__ = ["COUNTING", "Text", "TextVerifier", "copied_run", "is_heading", "visible_text", "words_of"]

COUNTING = {
    "words": "A word is a run of letters and digits; a hyphen or an apostrophe inside a word does not end it.",
    "sentences": "A sentence ends with '.', '!' or '?' before a space or line break, or where its paragraph ends.",
    "paragraphs": "Paragraphs are separated by empty lines.",
}

_WORD = re.compile(r"[^\W_]+(?:['\u2019\u2010\u2011-][^\W_]+)*")
_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002]+[\"'\u201d\u2019)\]*_]{0,4}(?=\s|$)")
_BULLET = re.compile(r"[ \t]{0,8}[-*+\u2022][ \t]+\S")
_NUMBERED = re.compile(r"[ \t]{0,8}(\d{1,4})[.)][ \t]+\S", re.ASCII)
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+([^\s#].*)")
_TITLE = re.compile(r"<<([^<>\n]{1,300})>>")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,100}\]")


def visible_text(text: str) -> str:
    """``text`` in compatibility form, without characters that nobody sees and without accents on their own.

    Full-width letters become letters, a no-break space a space, ``e`` with a combining accent one letter; zero-width
    characters, direction marks, controls and lone surrogates go.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        return _ASCII_CONTROL.sub("", text)
    kept: list[str] = []
    for ch in unicodedata.normalize("NFKC", text):
        if ch in "\n\t" or " " <= ch <= "~":
            kept.append(ch)
            continue
        category = unicodedata.category(ch)
        if category in ("Zl", "Zp"):
            kept.append("\n")
        elif category == "Zs":
            kept.append(" ")
        elif category[0] not in "MC":
            kept.append(ch)
    return "".join(kept)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: the rule of ``COUNTING["words"]``."""
    return [word.replace("\u2019", "'").casefold() for word in _WORD.findall(visible_text(text))]


def is_heading(line: str) -> bool:
    """Whether a line is a heading, ``## Like this``."""
    return _HEADING.match(line) is not None


def _sentences(text: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        pieces.append(text[start : end.end()].strip())
        start = end.end()
    return [piece for piece in [*pieces, text[start:].strip()] if _WORD.search(piece)]


class Text:
    """One text and what can be counted in it; everything is worked out once, when it is asked for.

    Args:
        raw: the text as it was written.
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.shown = visible_text(raw).strip()

    @cached_property
    def written_words(self) -> list[str]:
        """The words in order, as they are written."""
        return _WORD.findall(self.shown)

    @cached_property
    def words(self) -> list[str]:
        """The words in order, in lower case."""
        return [word.replace("\u2019", "'").casefold() for word in self.written_words]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word comes."""
        return Counter(self.words)

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not empty."""
        return [line for line in self.shown.split("\n") if line.strip()]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The pieces between empty lines that have a word in them."""
        pieces: list[list[str]] = [[]]
        for line in self.shown.split("\n"):
            if line.strip():
                pieces[-1].append(line)
            elif pieces[-1]:
                pieces.append([])
        return [text for text in map("\n".join, pieces) if _WORD.search(text)]

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences that have a word in them: the rule of ``COUNTING["sentences"]``."""
        return [sentence for paragraph in self.paragraphs for sentence in _sentences(paragraph)]

    @cached_property
    def bullets(self) -> list[str]:
        """The lines that begin with ``-``, ``*``, ``+`` or a bullet, and a space."""
        return [line for line in self.lines if _BULLET.match(line)]

    @cached_property
    def item_numbers(self) -> list[int]:
        """The numbers of the lines that begin like ``1.`` or ``1)``."""
        return [int(match[1]) for match in map(_NUMBERED.match, self.lines) if match]

    @cached_property
    def headings(self) -> list[str]:
        """The headings, ``## Like this``, in order, in lower case."""
        found = [match[1] for match in map(_HEADING.match, self.lines) if match]
        return [heading.rstrip("# \t").casefold() for heading in found]

    @cached_property
    def titles(self) -> list[str]:
        """What stands in double angular brackets and has a word in it."""
        return [title for title in _TITLE.findall(self.shown) if _WORD.search(title)]

    @cached_property
    def placeholders(self) -> list[str]:
        """The different ``[placeholders]`` that have a word in them."""
        return [p for p in dict.fromkeys(_PLACEHOLDER.findall(self.shown)) if _WORD.search(p)]

    @cached_property
    def repeated_line(self) -> str | None:
        """A line or sentence of four or more words that stands twice; None if there is none."""
        seen: set[tuple[str, ...]] = set()
        for sentence in (s for line in self.lines for s in _sentences(line)):
            words = tuple(words_of(sentence))
            if len(words) >= 4 and words in seen:
                return sentence
            seen.add(words)
        return None


def copied_run(words: list[str], source: list[str], length: int) -> str | None:
    """The first run of ``length`` words that also stands in ``source``; None if there is none."""
    runs = {tuple(source[i : i + length]) for i in range(len(source) - length + 1)}
    for i in range(len(words) - length + 1):
        if tuple(words[i : i + length]) in runs:
            return " ".join(words[i : i + length])
    return None


class TextVerifier(Verifier):
    """A verifier of texts that are to be written: :meth:`check` judges one text.

    The text is what stands in ``<answer>`` tags, or all that is said after the thinking if there are none. Several
    different texts are no answer.
    """

    def judge(self, completion: str, task: Task) -> Verdict:
        """Finds the text and checks it."""
        extraction = extract_text(completion)
        if extraction.reason is not None:
            return Verdict.wrong(extraction.reason)
        if len(extraction.candidates) > 1:
            return Verdict.wrong(Reason.AMBIGUOUS, offered=[c[:200] for c in extraction.candidates])
        return self.check(extraction.candidates[0], task)

    @abstractmethod
    def check(self, text: str, task: Task) -> Verdict:
        """The verdict on one text that is not empty."""
