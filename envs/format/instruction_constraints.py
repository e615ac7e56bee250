"""InstructionConstraints: write a text that keeps a list of rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, level, pick, shuffled
from rlvr_gym.envs.format._compose import Draft, clashes, compose
from rlvr_gym.envs.format._topics import NAMES, TOPICS
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers import instruction_content as content
from rlvr_gym.verifiers import instruction_counts as counts
from rlvr_gym.verifiers import instruction_layout as layout
from rlvr_gym.verifiers.instruction_constraint import Constraint, Relation
from rlvr_gym.verifiers.instruction_text import COUNTING, Text

__all__ = ["InstructionConstraints"]

PLAIN_TEXTS = 6


@register("rlvr/InstructionConstraints-v0", family="format")
@dataclass(frozen=True, kw_only=True)
class InstructionConstraints(Problem):
    """Write a text about a topic that keeps several rules at once, each of which a program can check.

    After IFEval (Zhou et al. 2023, arXiv 2311.07911), with own kinds and own texts: counts of words, sentences,
    paragraphs and list items, required and forbidden words, their order and number, letter case, first and last
    words, headings, JSON under a schema, language, title, quotation marks, placeholders, postscript, repeated
    request. The rules of a task are read off a text that was written before, so that they can be kept together.
    Every task has words that have to be there, a language, a least length and a limit on repetition, which keep filler
    out; difficulty 1 has one more rule and 10 has ten, as far as their kinds fit together. The hardness is the number of rules
    that texts about the same topic break which were written without knowing them, on average over six.

    Attributes:
        graded: score the share of the rules that hold (0 if a required word is missing) instead of all or nothing.
    """

    graded: bool = False

    verifier: ClassVar[str] = "instruction_constraints"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a shape, writes a text of it, and reads the rules off the text."""
        topic = pick(rng, tuple(TOPICS))
        while True:
            kinds = _draw_kinds(rng, level(difficulty, 2, 11))
            size = integer(rng, level(difficulty, 4, 7), level(difficulty, 6, 14))
            draft = compose(rng, topic, kinds, size)
            constraints = _read_off(draft, rng)
            text = Text(draft.text)
            if constraints is not None and all(c.check(text).held for c in constraints):
                break
        constraints = shuffled(rng, constraints)
        wordings = rng.integers(12, size=len(constraints)).tolist()
        stated = [c.state(wording) for c, wording in zip(constraints, wordings, strict=True)]
        found = [c.check(text).note for c in constraints]
        own = [rule for rule, c in zip(stated, constraints, strict=True) if c.kind != "repeat_request"]
        plain = [Text(compose(rng, topic, frozenset(), size).text) for _ in range(PLAIN_TEXTS)]
        broken = sum(not c.check(other).held for other in plain for c in constraints)
        return Task(
            prompt=_prompt(draft.request, stated, constraints, self.graded),
            answer={
                "constraints": [c.to_dict() for c in constraints],
                "rules": "\n".join(own),
                "graded": self.graded,
                "reference": draft.text,
            },
            metadata={
                "topic": topic,
                "kinds": [c.kind for c in constraints],
                "hardness": broken / PLAIN_TEXTS,
            },
            solution="I write a text and check every rule:\n"
            + "\n".join(f"- {rule} Here: {note}." for rule, note in zip(stated, found, strict=True)),
        )

    def answer_text(self, task: Task) -> str:
        """The text that the rules were read off."""
        return str(task.answer["reference"])


def _prompt(request: str, stated: list[str], constraints: list[Constraint], graded: bool) -> str:
    rules = "\n".join(f"{i}. {rule}" for i, rule in enumerate(stated, start=1))
    units = {c.counts for c in constraints} - {""}
    counting = " ".join(rule for unit, rule in COUNTING.items() if unit in units)
    scored = (
        " The score is the share of the rules that hold, and nothing if a word that has to be there is missing."
        if graded
        else ""
    )
    return (
        f"{request}\n\nThe text has to keep all of these rules:\n{rules}\n\n"
        f"{counting}{' ' if counting else ''}Capital and small letters of words that are named above are not told "
        f"apart. Do not copy the rules into the text.{scored}\nThink first, then give the text in <answer> tags, for "
        "example <answer>Here stands the text.</answer>. Only what stands in the tags is judged."
    )


# --- the shape ---

Reader = Callable[[Draft, Text, np.random.Generator], Constraint | None]


def _draw_kinds(rng: np.random.Generator, count: int) -> frozenset[str]:
    """``count`` kinds that fit together, ``keywords`` among them; fewer if no more fit."""
    kinds = ["keywords"]
    for kind in shuffled(rng, tuple(_READERS)):
        if len(kinds) == count:
            break
        if not clashes(kind, kinds):
            kinds.append(kind)
    return frozenset(kinds)


def _read_off(draft: Draft, rng: np.random.Generator) -> list[Constraint] | None:
    """A constraint of each kind of the shape; None if the text gives none of some kind."""
    text = Text(draft.text)
    found = [_READERS[kind](draft, text, rng) for kind in sorted(draft.kinds)]
    constraints = [constraint for constraint in found if constraint is not None]
    if len(constraints) < len(found):
        return None
    if not any(isinstance(c, counts.WordCount) and c.relation != "at most" for c in constraints):
        constraints.append(counts.WordCount("at least", len(text.words) // 2 // 5 * 5))
    if "language" not in draft.chosen:
        constraints.append(layout.Language("English"))
    return [*constraints, counts.MaxRepeats(max(text.counts.values()) + integer(rng, 1, 3))]


def _bound(rng: np.random.Generator, value: int, slack: int) -> tuple[Relation, int]:
    """A relation that ``value`` has to a number close to it."""
    relation: Relation = pick(rng, ("at least", "at most", "exactly"))
    shift = integer(rng, 0, slack)
    return relation, max(1, {"at least": value - shift, "at most": value + shift, "exactly": value}[relation])


def _nouns(draft: Draft, text: Text) -> list[str]:
    """The words of the topic, or the names of a foreign text, that are in the text."""
    pool = NAMES if "language" in draft.chosen else TOPICS[draft.topic]
    return [word for word in pool if word.casefold() in text.counts]


def _keywords(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint | None:
    words = shuffled(rng, _nouns(draft, text))[: integer(rng, 2, 4)]
    return content.Keywords(tuple(words)) if words else None


def _word_count(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint:
    return counts.WordCount(*_bound(rng, len(text.words), len(text.words) // 8))


def _sentence_count(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint:
    return counts.SentenceCount(*_bound(rng, len(text.sentences), 1))


def _sentence_length(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint:
    longest = max(len(Text(sentence).words) for sentence in text.sentences)
    return counts.SentenceLength(longest + integer(rng, 0, 2))


def _paragraph_count(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint:
    return counts.ParagraphCount("exactly", len(text.paragraphs))


def _keyword_frequency(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint | None:
    words = [word for word in _nouns(draft, text) if text.counts[word.casefold()] > 1]
    if not words:
        return None
    word = pick(rng, words)
    relation: Relation = pick(rng, ("at least", "exactly"))
    return counts.KeywordFrequency(word, relation, text.counts[word.casefold()])


def _bullet_count(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint:
    return counts.BulletCount(pick(rng, ("exactly", "exactly", "at least")), len(text.bullets))


def _capital_words(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint | None:
    found = [w for w in text.written_words if w.isupper() and sum(map(str.isalpha, w)) >= 3]
    return counts.CapitalWords(pick(rng, ("at least", "exactly")), len(found)) if found else None


def _forbidden(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint | None:
    present = text.counts.keys() | {part for word in text.counts for part in word.split("-")}
    unused = [
        word for word in (*TOPICS[draft.topic], "there", "people", "very", "place") if word not in present
    ]
    return content.Forbidden(tuple(shuffled(rng, unused)[: integer(rng, 2, 4)])) if unused else None


def _order(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint | None:
    words = shuffled(rng, _nouns(draft, text))
    pairs = [content.Order(a, b) for a in words for b in words if a != b]
    return next((order for order in pairs if order.check(text).held), None)


def _without_character(draft: Draft, text: Text, rng: np.random.Generator) -> Constraint | None:
    if "without_character" in draft.chosen:
        return content.WithoutCharacter(",")
    absent = [letter for letter in "jkqvxz" if letter not in text.shown.casefold()]
    return content.WithoutCharacter(pick(rng, absent)) if absent else None


_READERS: dict[str, Reader] = {
    "keywords": _keywords,
    "word_count": _word_count,
    "sentence_count": _sentence_count,
    "sentence_length": _sentence_length,
    "paragraph_count": _paragraph_count,
    "paragraph_start": lambda draft, text, rng: content.ParagraphStart(*draft.chosen["paragraph_start"]),
    "keyword_frequency": _keyword_frequency,
    "bullet_count": _bullet_count,
    "numbered_list": lambda draft, text, rng: counts.NumberedList(len(text.item_numbers)),
    "capital_words": _capital_words,
    "placeholders": lambda draft, text, rng: counts.PlaceholderCount(draft.chosen["placeholders"]),
    "forbidden": _forbidden,
    "order": _order,
    "without_character": _without_character,
    "letter_case": lambda draft, text, rng: content.LetterCase(draft.chosen["letter_case"]),
    "first_word": lambda draft, text, rng: content.FirstWord(draft.chosen["first_word"]),
    "last_word": lambda draft, text, rng: content.LastWord(draft.chosen["last_word"]),
    "end_phrase": lambda draft, text, rng: content.EndPhrase(draft.chosen["end_phrase"]),
    "repeat_request": lambda draft, text, rng: content.RepeatRequest(draft.request),
    "title": lambda draft, text, rng: layout.Title(),
    "sections": lambda draft, text, rng: layout.Sections(draft.chosen["sections"]),
    "quoted": lambda draft, text, rng: layout.Quoted(),
    "postscript": lambda draft, text, rng: layout.Postscript(),
    "json": lambda draft, text, rng: layout.JSONOutput(draft.chosen["json"]),
    "language": lambda draft, text, rng: layout.Language(draft.chosen["language"]),
}
