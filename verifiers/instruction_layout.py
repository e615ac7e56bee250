"""Constraints on the form of a text: title, sections, quotation marks, postscript, JSON, language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from rlvr_gym.verifiers.instruction_constraint import Constraint, Finding, LanguageName, constraint_kind
from rlvr_gym.verifiers.instruction_language import detect_language
from rlvr_gym.verifiers.instruction_text import Text, is_heading, words_of
from rlvr_gym.verifiers.json_extraction_schema import JSONProblem, read_json, schema_fault

__all__ = ["JSONOutput", "Language", "Postscript", "Quoted", "Sections", "Title"]

_QUOTE_PAIRS = (('"', '"'), ("\u201c", "\u201d"))
_POSTSCRIPT = re.compile(
    r"^[ \t*_\"\u201c]{0,4}p\.?[ \t]?s(?![^\W\d_])\.?[ \t:]*(.*)$", re.IGNORECASE | re.MULTILINE
)


@constraint_kind
@dataclass(frozen=True)
class Title(Constraint):
    """A title in double angular brackets."""

    kind: ClassVar[str] = "title"
    wordings: ClassVar[tuple[str, ...]] = (
        "Give the text a title in double angular brackets, such as <<A title>>.",
        "There is exactly one title, in double angular brackets like these: <<title>>.",
    )

    def check(self, text: Text) -> Finding:
        """There is exactly one."""
        return Finding(len(text.titles) == 1, f"{len(text.titles)} titles")


@constraint_kind
@dataclass(frozen=True)
class Sections(Constraint):
    """Exactly these headings in this order, each with text below it."""

    headings: tuple[str, ...]
    kind: ClassVar[str] = "sections"
    wordings: ClassVar[tuple[str, ...]] = (
        'Divide the text into sections with these headings, in this order, each on a line that begins with "## ": {headings}.',
        'The text has exactly the headings {headings}, in this order, as lines that begin with "## ", and text below each.',
    )

    def check(self, text: Text) -> Finding:
        """Compares the headings, in any case, and looks for words below each."""
        same = text.headings == [heading.casefold() for heading in self.headings]
        marked = [is_heading(line) for line in text.lines]
        empty = sum(a and b for a, b in pairwise([*marked, True]))
        return Finding(
            same and not empty, f"the headings are {str(text.headings)[:120]}; {empty} without text"
        )


@constraint_kind
@dataclass(frozen=True)
class Quoted(Constraint):
    """All of the text stands in double quotation marks."""

    kind: ClassVar[str] = "quoted"
    wordings: ClassVar[tuple[str, ...]] = (
        "Put the whole text in double quotation marks.",
        "The text begins and ends with a double quotation mark.",
    )

    def check(self, text: Text) -> Finding:
        """Looks at the first and the last character."""
        held = any(
            len(text.shown) > 2 and text.shown.startswith(a) and text.shown.endswith(b)
            for a, b in _QUOTE_PAIRS
        )
        return Finding(held, f"it begins with {text.shown[:1]!r} and ends with {text.shown[-1:]!r}")


@constraint_kind
@dataclass(frozen=True)
class Postscript(Constraint):
    """A postscript at the end."""

    kind: ClassVar[str] = "postscript"
    wordings: ClassVar[tuple[str, ...]] = (
        "Close with a postscript: a last line that begins with P.S.",
        'The last line is a postscript that begins with "P.S." and says something.',
    )

    def check(self, text: Text) -> Finding:
        """The last line begins with the mark and goes on; another line comes before it."""
        last = _POSTSCRIPT.match(text.lines[-1]) if len(text.lines) > 1 else None
        held = last is not None and bool(words_of(last[1]))
        return Finding(held, "it is there" if held else "the last line is none")


@constraint_kind
@dataclass(frozen=True)
class JSONOutput(Constraint):
    """The whole text is one JSON value that conforms to a schema."""

    schema: Mapping[str, Any]
    kind: ClassVar[str] = "json"
    wordings: ClassVar[tuple[str, ...]] = (
        "The whole text is one JSON object that conforms to this JSON schema: {schema}",
        "Write nothing but a JSON object that is valid under this JSON schema: {schema}",
    )

    def shown(self) -> dict[str, Any]:
        """The schema as JSON."""
        return {"schema": json.dumps(self.schema)}

    def check(self, text: Text) -> Finding:
        """Reads and validates the text as it was written."""
        try:
            fault = schema_fault(read_json(text.raw), self.schema, "the object")
        except JSONProblem as problem:
            return Finding(False, str(problem))
        return Finding(fault is None, fault or "it conforms")


@constraint_kind
@dataclass(frozen=True)
class Language(Constraint):
    """The language of the text."""

    language: LanguageName
    kind: ClassVar[str] = "language"
    wordings: ClassVar[tuple[str, ...]] = (
        "Write in {language}.",
        "The text is in {language}, all of it.",
    )

    def check(self, text: Text) -> Finding:
        """Tells the language by script and by its most common words."""
        found = detect_language(text.words)
        return Finding(found == self.language, f"it reads as {found or 'no language that is known here'}")
