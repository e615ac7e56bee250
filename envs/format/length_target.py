"""LengthTarget: a text of a stated number of words that is no filler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, level, pick, shuffled
from rlvr_gym.envs.format._compose import compose
from rlvr_gym.envs.format._topics import TOPICS
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.instruction_content import Keywords
from rlvr_gym.verifiers.instruction_counts import MaxRepeats
from rlvr_gym.verifiers.instruction_text import COUNTING, Text, TextVerifier, copied_run, words_of

__all__ = ["LengthTarget", "LengthTargetVerifier"]

SMALL_WORDS = (
    "a", "an", "and", "as", "at", "be", "but", "by", "for", "from", "has", "have", "he", "her", "his", "I", "in", "is", "it",
    "my", "no", "not", "of", "on", "or", "she", "that", "the", "their", "they", "this", "to", "was", "we", "were", "with", "you",
)  # fmt: skip
"""Small words of English; of the words of a plain text they are between a third and a half."""
_SMALL = frozenset(word.casefold() for word in SMALL_WORDS)
LEAST_SMALL, MOST_SMALL, LEAST_DISTINCT = 0.15, 0.65, 0.3
RUN = 4
"""So many words in a row may not come twice."""
COPY_LIMIT = 9


@register_verifier("length_target")
class LengthTargetVerifier(TextVerifier):
    """The number of words lies between ``low`` and ``high``, the required words are there, and the text is no filler.

    ``task.answer`` is ``{"low", "high", "words", "repeats", "rules", "graded"}``. With ``graded``, a text that breaks
    no other rule scores what it misses the target by: 1 less the distance over ``high``, halved, and 1 on target.
    """

    def check(self, text: str, task: Task) -> Verdict:
        """Names the first rule that is broken, filler before length."""
        answer, view, shown = task.answer, Text(text), text[:200]
        count, low, high = len(view.words), answer["low"], answer["high"]
        fault = _fault(view, answer)
        if fault is not None:
            return Verdict.wrong(Reason.RULE_BROKEN, shown, rule=fault, words=count)
        if low <= count <= high:
            return Verdict.right(shown, words=count)
        if answer.get("graded"):
            distance = max(low - count, count - high) / high
            return Verdict.graded(max(0.0, 1 - distance) / 2, shown, words=count)
        return Verdict.wrong(Reason.RULE_BROKEN, shown, rule=f"it has {count} words", words=count)


def _fault(view: Text, answer: Mapping[str, Any]) -> str | None:
    """The rule against filler, or about required words, that a text breaks."""
    words = view.words
    needed = Keywords(tuple(answer["words"])).check(view)
    if not needed.held:
        return needed.note
    repeats = MaxRepeats(answer["repeats"]).check(view)
    if not repeats.held:
        return repeats.note
    if len(set(words)) < LEAST_DISTINCT * len(words):
        return f"only {len(set(words))} of {len(words)} words are different"
    runs = [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]
    if len(set(runs)) < len(runs):
        return f"{RUN} words in a row come twice"
    small = sum(word in _SMALL for word in words)
    if not LEAST_SMALL * len(words) <= small <= MOST_SMALL * len(words):
        return f"{small} of {len(words)} words are small words of English"
    copied = copied_run(words, words_of(str(answer.get("rules", ""))), COPY_LIMIT)
    return f"copied from the rules: {copied}" if copied is not None else None


@register("rlvr/LengthTarget-v0", family="format")
@dataclass(frozen=True, kw_only=True)
class LengthTarget(Problem):
    """Write about a topic with a stated number of words, some of which are given.

    What counts as a word is stated; so are the rules that keep filler out: most repetitions of a word, no four words in
    a row twice, a share of different words, and a share of small words as in any English text. Difficulty 1 asks for
    about 15 words with a wide margin and 1 given word, 10 for exactly 120 or so and 6 given words. The hardness is the
    number of words over the number of lengths that are allowed, and one for each given word.

    Attributes:
        graded: score how close the length is, if no other rule is broken.
    """

    graded: bool = False

    verifier: ClassVar[str] = "length_target"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Writes a text, and takes the target and the given words from it."""
        topic = pick(rng, tuple(TOPICS))
        size = integer(rng, level(difficulty, 2, 11), level(difficulty, 3, 14))
        while True:
            view = Text(compose(rng, topic, frozenset(), size).text.replace("\n\n", " "))
            given = [word for word in TOPICS[topic] if word in view.counts]
            answer = self._target(rng, difficulty, view, given)
            if given and _fault(view, answer) is None:
                break
        low, high, words = answer["low"], answer["high"], answer["words"]
        count = len(view.words)
        return Task(
            prompt=_prompt(topic, answer),
            answer={**answer, "reference": view.raw},
            metadata={
                "topic": topic,
                "low": low,
                "high": high,
                "hardness": count / (high - low + 1) + len(words),
            },
            solution=_count_aloud(view),
        )

    def _target(
        self, rng: np.random.Generator, difficulty: int, view: Text, given: list[str]
    ) -> dict[str, Any]:
        count = len(view.words)
        margin = round(count * (10 - difficulty) / 30)
        low = max(1, count - integer(rng, 0, margin)) if margin else count
        answer: dict[str, Any] = {
            "low": low,
            "high": max(count, low + margin),
            "words": shuffled(rng, given)[: level(difficulty, 1, 6)],
            "repeats": max(view.counts.values()) + 1,
            "graded": self.graded,
        }
        return {**answer, "rules": _rules(answer)}

    def answer_text(self, task: Task) -> str:
        """The text from which the target was taken."""
        return str(task.answer["reference"])


def _length(answer: Mapping[str, Any]) -> str:
    low, high = answer["low"], answer["high"]
    return f"exactly {low} words" if low == high else f"at least {low} and at most {high} words"


def _rules(answer: Mapping[str, Any]) -> str:
    return (
        f"The text has {_length(answer)}. {Keywords(tuple(answer['words'])).state()} It has to be a real text: no word "
        f"more than {answer['repeats']} times, no {RUN} words in a row twice, at least {LEAST_DISTINCT:.0%} of the words "
        f"different, and between {LEAST_SMALL:.0%} and {MOST_SMALL:.0%} of them out of these small words: "
        f"{', '.join(SMALL_WORDS)}."
    )


def _prompt(topic: str, answer: Mapping[str, Any]) -> str:
    scored = (
        " A text that misses only the length scores up to one half, the more the closer it is."
        if answer["graded"]
        else ""
    )
    return (
        f"Write about {topic}.\n\n{answer['rules']}\n\n{COUNTING['words']} Do not copy these rules.{scored}\nThink first, "
        "then give the text in <answer> tags, for example <answer>Here stands the text.</answer>. Only what stands in the "
        "tags is counted."
    )


def _count_aloud(view: Text) -> str:
    """How the words add up, sentence by sentence."""
    lines, total = [], 0
    for sentence in view.sentences:
        size = len(words_of(sentence))
        total += size
        lines.append(f"{sentence.split()[0]} ... {sentence.split()[-1]} {size} words, {total} so far.")
    return "I write sentences and count:\n" + "\n".join(lines)
