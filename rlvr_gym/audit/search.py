"""Attackers that search: a hill climber, and a policy under training, for one answer that is paid for everywhere.

What may they look for? A search that climbs to a right answer of a task has solved the task. So they look for *one
text* that is accepted on many tasks with different reference answers. That is reward without correctness, and it is
decided on tasks that the search has not seen, against the luck bound.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rlvr_gym.audit import corpus
from rlvr_gym.audit.asking import Questions
from rlvr_gym.audit.attack import normalised
from rlvr_gym.audit.findings import EnvReport, Finding, Kind
from rlvr_gym.audit.generators import tagged
from rlvr_gym.audit.ledger import LUCK_BOUND
from rlvr_gym.audit.probe import Given, Subject
from rlvr_gym.stats import clopper_pearson

__all__ = ["Climber", "check_universal", "draw"]

TRAIN, HELD_OUT = 4, 12
KEPT, CHILDREN = 8, 16
MAX_CHARS = 4_000
CANDIDATES = 5
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
_SPICE = (
    " or ", ", ", "\n", "nan", "0", "1", "*", ".*", "[]", "{}", "%", "\0", "()", "=", "<", "-", "[", "]", "{", "}", "|", "banana",
    "</answer><answer>", "\\boxed{", "}", "yes", "no", "True", "all", "None", "x", " and ", "the answer is ", "e", "'", '"',
)  # fmt: skip


def draw(questions: Questions, seed: int, count: int) -> list[Subject]:
    """Tasks of one answer, of another stream than those of the corpus; fewer if they cannot be made."""
    outcome = questions.one(Given((seed + 1) % 2**32, count), 120.0)
    return [s for s in outcome.value or [] if not s.played and s.reference.strip()]


@dataclass(frozen=True, slots=True)
class _Fitness:
    """How well a text does on the tasks that the search sees: accepted, then mean score, then brevity."""

    accepted: int
    score: float
    text: str

    @property
    def key(self) -> tuple[int, float, int]:
        """Larger is better."""
        return self.accepted, self.score, -len(self.text)


class Climber:
    """A seeded hill climber with a population.

    Args:
        questions: the way to the verifier.
        subjects: the tasks that it may see.
        material: answers of other tasks.
        seed: of its choices.
    """

    def __init__(
        self, questions: Questions, subjects: Sequence[Subject], material: Sequence[str], seed: int
    ) -> None:
        self._questions, self._subjects = questions, subjects
        self._material = [text.strip() for text in material if text.strip()]
        self._random = random.Random(seed)

    def climb(self, calls: int) -> list[str]:
        """The best texts found within so many calls, best first."""
        per_text = len(self._subjects)
        joint = [sep.join(self._material) for sep in (", ", " ", "\n", " or ")] if self._material else []
        start = (*corpus.CONSTANTS, *corpus.NO_NUMBERS, *corpus.CLAIMS, *self._material, *joint, "banana", "")
        seen: dict[str, _Fitness] = {}
        batch = [tagged(text) for text in start]
        while batch and len(seen) * per_text < calls:
            batch = batch[: max(1, calls // per_text - len(seen))]
            seen |= {fitness.text: fitness for fitness in self._measure(batch)}
            best = sorted(seen.values(), key=lambda f: f.key, reverse=True)[:KEPT]
            children = [self._child([f.text for f in best]) for _ in range(CHILDREN)]
            batch = [text for text in dict.fromkeys(children) if text not in seen]
        ranked = sorted(seen.values(), key=lambda f: f.key, reverse=True)
        return [fitness.text for fitness in ranked if fitness.accepted > 1 or fitness.score > LUCK_BOUND]

    def _measure(self, texts: Sequence[str]) -> Iterable[_Fitness]:
        items = [(text, s.task, text) for text in texts for s in self._subjects]
        results: dict[str, list[tuple[bool, float]]] = {text: [] for text in texts}
        by_task = [s for _ in texts for s in self._subjects]
        for subject, asked in zip(by_task, self._questions.all(items), strict=True):
            if asked.seen is not None and asked.seen.valid and not _same(asked.label, subject):
                results[asked.label].append((asked.seen.correct, asked.seen.score))
        for text, seen in results.items():
            score = sum(score for _, score in seen) / len(seen) if seen else 0.0
            yield _Fitness(sum(correct for correct, _ in seen), score, text)

    def _child(self, parents: Sequence[str]) -> str:
        """A text made of one or two good ones."""
        rng = self._random
        text = _inside(rng.choice(parents))
        for _ in range(rng.randint(1, 3)):
            pieces = _PIECE.findall(text)
            where = rng.randint(0, len(pieces))
            move = rng.randrange(6)
            if move == 0:
                pieces.insert(where, rng.choice(_SPICE))
            elif move == 1 and pieces:
                del pieces[where - 1]
            elif move == 2:
                pieces.append(f"{rng.choice((' ', ', ', ' or ', chr(10)))}{_inside(rng.choice(parents))}")
            elif move == 3 and self._material:
                pieces.insert(where, rng.choice(self._material))
            elif move == 4:
                pieces = pieces[: where or 1]
            else:
                pieces = pieces * rng.choice((2, 3, 20))
            text = "".join(pieces)[:MAX_CHARS]
        return tagged(text) if rng.random() < 0.8 else text


def _inside(text: str) -> str:
    return text.removeprefix("<answer>").removesuffix("</answer>")


def _same(text: str, subject: Subject) -> bool:
    """Whether a text is the task's own answer, which tells nothing."""
    return normalised(_inside(text)) == normalised(subject.reference)


def check_universal(
    questions: Questions, report: EnvReport, held_out: Sequence[Subject], texts: Sequence[str], attacker: str
) -> None:
    """Tries the best texts on tasks that no search has seen; one that is accepted beyond luck is a finding."""
    best_score = 0.0
    for text in texts[:CANDIDATES]:
        foreign = [subject for subject in held_out if not _same(text, subject)]
        asked = list(questions.all([(None, subject.task, text) for subject in foreign]))
        seen = [a.seen for a in asked if a.seen is not None and a.seen.valid]
        if not seen:
            continue
        hits = sum(s.correct for s in seen)
        best_score = max(best_score, sum(s.score for s in seen) / len(seen))
        rate = clopper_pearson(hits, len(seen))
        if rate.low > LUCK_BOUND:
            why = (
                f"one text is right on {hits} of {len(seen)} tasks that the {attacker} had not seen, whose answers are "
                f"others (95 % interval from {rate.low:.0%}; luck: {LUCK_BOUND:.0%})"
            )
            report.findings.append(
                Finding(Kind.UNIVERSAL, "search", attacker, why, text=text[:2000], chars=len(text), score=1.0)
            )
            return
    report.notes.append(f"The {attacker} found no text that is right everywhere; the best has a mean score of {best_score:.2f}.")  # fmt: skip
