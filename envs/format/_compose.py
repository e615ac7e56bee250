"""Writing a text of a stated shape: the oracle of InstructionConstraints.

A shape is a set of kinds of constraints that do not exclude each other. The text is written first, so that it has that
shape; the constraints are then read off it. So every task has a text that satisfies it, by construction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import integer, pick, shuffled
from rlvr_gym.envs.format._topics import ENGLISH, FOREIGN, NAMES, SLOTS, TOPICS, WITH_COMMA

__all__ = ["Draft", "clashes", "compose"]

FIRST_WORDS = ("Today", "Sometimes", "Perhaps", "Usually", "Somehow", "Nowadays")
PARAGRAPH_WORDS = ("Meanwhile", "Later", "Elsewhere", "Finally", "Often", "Still")
END_PHRASES = (
    "That is all there is to say.",
    "Ask me again next year.",
    "And so it goes on.",
    "Nobody knows the rest.",
    "Come and see for yourself!",
)
HEADINGS = (
    "Overview",
    "First look",
    "Details",
    "People",
    "A short history",
    "Looking ahead",
    "Open questions",
)
PLACEHOLDERS = ("[name]", "[address]", "[date]", "[price]", "[phone number]", "[opening hours]")

_WITH_JSON = frozenset(
    {"json", "keywords", "forbidden", "order", "word_count", "keyword_frequency", "max_repeats"}
)
_LISTS = frozenset({"bullet_count", "numbered_list", "sections", "json"})
_COUNTED = frozenset({"sentence_count", "sentence_length", "paragraph_count", "paragraph_start"})
_EXCLUDED: dict[str, frozenset[str]] = {
    **dict.fromkeys(_LISTS, _LISTS),
    **dict.fromkeys(_COUNTED, _LISTS | {"title", "postscript", "repeat_request"}),
    "language": frozenset(
        {"sections", "capital_words", "end_phrase", "repeat_request", "first_word", "last_word", "forbidden"}
        | {"paragraph_start", "placeholders", "numbered_list"}
    ),
    "letter_case": frozenset(
        {"capital_words", "postscript", "repeat_request", "sections", "end_phrase", "title"}
    ),
    "first_word": frozenset({"sections", "title", "repeat_request"}),
    "repeat_request": frozenset({"title", "sections"}),
    "end_phrase": frozenset({"last_word", "postscript", "quoted"}),
    "postscript": frozenset({"last_word", "quoted"}),
}


def clashes(kind: str, others: Iterable[str]) -> bool:
    """Whether a kind of constraint cannot stand beside one of the others."""
    return any(_exclude(kind, other) for other in others)


def _exclude(one: str, other: str) -> bool:
    if "json" in (one, other) and not {one, other} <= _WITH_JSON:
        return True
    return one == other or other in _EXCLUDED.get(one, ()) or one in _EXCLUDED.get(other, ())


@dataclass
class Draft:
    """A text that is being written, and the choices that its constraints will ask for.

    Attributes:
        rng: where all choices come from.
        topic: a key of ``TOPICS``.
        kinds: the shape.
        size: how many sentences.
        chosen: what was chosen for a kind: a word, a phrase, headings, a schema.
        text: the finished text.
    """

    rng: np.random.Generator
    topic: str
    kinds: frozenset[str]
    size: int
    chosen: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def request(self) -> str:
        """What is asked for, in one sentence."""
        return f"Write about {self.topic}."

    def sentence(self, template: str) -> str:
        """A template with its places filled in."""
        pool = NAMES if "language" in self.chosen else TOPICS[self.topic]
        a, b = shuffled(self.rng, pool)[:2]
        values = {name: pick(self.rng, options) for name, options in SLOTS.items()}
        return (
            template.format(a=a, b=b, **values)
            .replace(" a e", " an e")
            .replace(" a a", " an a")
            .replace(" a o", " an o")
        )


def compose(rng: np.random.Generator, topic: str, kinds: frozenset[str], size: int) -> Draft:
    """A text about ``topic`` of this shape, of about ``size`` sentences."""
    draft = Draft(rng, topic, kinds, size)
    if "language" in kinds:
        draft.chosen["language"] = pick(rng, tuple(FOREIGN))
    if "without_character" in kinds and rng.random() < 0.6:
        draft.chosen["without_character"] = ","
    sentences = _sentences(draft)
    draft.text = _json(draft, sentences) if "json" in kinds else _finish(draft, _layout(draft, sentences))
    return draft


def _sentences(draft: Draft) -> list[str]:
    """Different sentences; the first ones of a foreign text mention names."""
    bank = FOREIGN[draft.chosen["language"]] if "language" in draft.chosen else (*ENGLISH, *WITH_COMMA)
    if draft.chosen.get("without_character") == ",":
        bank = tuple(template for template in bank if "," not in template)
    templates = shuffled(draft.rng, bank)
    if "language" in draft.chosen:
        templates.sort(key=lambda template: "{a}" not in template)
    found = [draft.sentence(template) for template in templates[: draft.size]]
    if "first_word" in draft.kinds:
        draft.chosen["first_word"] = word = pick(draft.rng, FIRST_WORDS)
        found[0] = _after(word, found[0])
    if "placeholders" in draft.kinds:
        marks = shuffled(draft.rng, PLACEHOLDERS)[: integer(draft.rng, 2, 4)]
        found.insert(len(found) // 2, f"Please ask {' or '.join(marks)} about the rest.")
        draft.chosen["placeholders"] = len(marks)
    if "last_word" in draft.kinds:
        draft.chosen["last_word"] = word = pick(draft.rng, TOPICS[draft.topic])
        found.append(f"All of this belongs to the {word}.")
    if "end_phrase" in draft.kinds:
        draft.chosen["end_phrase"] = phrase = pick(draft.rng, END_PHRASES)
        found.append(phrase)
    return found


def _after(word: str, sentence: str) -> str:
    """The sentence with a word put before it."""
    head = sentence if sentence.startswith("I ") else sentence[0].lower() + sentence[1:]
    return f"{word} {head}"


def _layout(draft: Draft, sentences: list[str]) -> str:
    """The sentences as a list, as sections or as paragraphs."""
    rng, kinds = draft.rng, draft.kinds
    if kinds & {"bullet_count", "numbered_list"}:
        items = sentences[1:-1]
        marks = ["-"] * len(items) if "bullet_count" in kinds else [f"{i}." for i in range(1, len(items) + 1)]
        lines = [f"{mark} {item}" for mark, item in zip(marks, items, strict=True)]
        return "\n\n".join([sentences[0], "\n".join(lines), sentences[-1]])
    if "sections" in kinds:
        headings = tuple(shuffled(rng, HEADINGS)[: integer(rng, 2, 4)])
        draft.chosen["sections"] = headings
        parts = _split(rng, sentences, len(headings))
        return "\n\n".join(
            f"## {heading}\n{' '.join(part)}" for heading, part in zip(headings, parts, strict=True)
        )
    parts = _split(rng, sentences, min(integer(rng, 2, 4), len(sentences)))
    if "paragraph_start" in kinds:
        number = integer(rng, 2, len(parts))
        word = pick(rng, PARAGRAPH_WORDS)
        parts[number - 1][0] = _after(word, parts[number - 1][0])
        draft.chosen["paragraph_start"] = (number, word)
    return "\n\n".join(" ".join(part) for part in parts)


def _split(rng: np.random.Generator, sentences: list[str], count: int) -> list[list[str]]:
    """The sentences in ``count`` parts, none of them empty."""
    cuts = sorted(int(i) + 1 for i in rng.permutation(len(sentences) - 1)[: count - 1])
    return [sentences[a:b] for a, b in zip([0, *cuts], [*cuts, len(sentences)], strict=True)]


def _finish(draft: Draft, text: str) -> str:
    """What goes around and over the text: capitals, title, postscript, repetition, quotation marks, letter case."""
    rng, kinds = draft.rng, draft.kinds
    if "capital_words" in kinds:
        for noun in shuffled(rng, TOPICS[draft.topic])[:6]:
            text = text.replace(f" {noun} ", f" {noun.upper()} ")
    if "title" in kinds:
        text = f"<<{draft.topic.capitalize()}>>\n\n{text}"
    if "repeat_request" in kinds:
        text = f"{draft.request}\n\n{text}"
    if "postscript" in kinds:
        bank = FOREIGN[draft.chosen["language"]] if "language" in draft.chosen else ENGLISH
        more = next(t for t in shuffled(rng, bank) if "," not in t and t.format_map(_Any()) not in text)
        text = f"{text}\n\nP.S. {draft.sentence(more)}"
    if "quoted" in kinds:
        text = f'"{text}"'
    if "letter_case" in kinds:
        draft.chosen["letter_case"] = style = pick(rng, ("lowercase", "capital"))
        text = text.lower() if style == "lowercase" else text.upper()
    return text


class _Any(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _json(draft: Draft, sentences: list[str]) -> str:
    """The text in a JSON object, and the object's schema."""
    rng = draft.rng
    tags = shuffled(rng, TOPICS[draft.topic])[: integer(rng, 2, 4)]
    seasons = list(SLOTS["season"])
    options: dict[str, tuple[Any, dict[str, Any]]] = {
        "tags": (
            tags,
            {"type": "array", "items": {"type": "string"}, "minItems": len(tags), "maxItems": len(tags)},
        ),
        "rating": (integer(rng, 1, 5), {"type": "integer", "minimum": 1, "maximum": 5}),
        "season": (pick(rng, seasons), {"type": "string", "enum": seasons}),
        "open": (bool(rng.random() < 0.5), {"type": "boolean"}),
        "place": (
            {"name": pick(rng, NAMES), "floor": integer(rng, 0, 3)},
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "floor": {"type": "integer", "minimum": 0}},
                "required": ["name", "floor"],
                "additionalProperties": False,
            },
        ),
    }
    body = " ".join(sentences)
    fields: dict[str, tuple[Any, dict[str, Any]]] = {
        "title": (draft.topic.capitalize(), {"type": "string", "maxLength": 60}),
        "text": (body, {"type": "string", "minLength": len(body) // 2}),
    }
    for name in shuffled(rng, tuple(options))[: integer(rng, 1, 4)]:
        fields[name] = options[name]
    draft.chosen["json"] = {
        "type": "object",
        "properties": {name: schema for name, (_, schema) in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }
    return json.dumps({name: value for name, (value, _) in fields.items()}, ensure_ascii=False)
