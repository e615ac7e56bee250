"""Reward terms on how an answer was come by, where a program can check that: equations, units, language.

They lie here and not among the other terms because they read with the verifiers' parsers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rlvr_gym.errors import ConfigError
from rlvr_gym.extraction import extract_answer, thinking_of
from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task
from rlvr_gym.verifiers.instruction_language import LANGUAGES, detect_language
from rlvr_gym.verifiers.process import check_steps
from rlvr_gym.verifiers.quantities import check_quantities, same_dimension

__all__ = ["Language", "Steps", "Units", "language_share"]


@register_term("steps")
@dataclass(frozen=True)
class Steps(RewardTerm):
    """The share of right ones among the different equations ``a + b = c`` of the completion; 0 if it has none.

    For tasks whose work is arithmetic, such as Arithmetic's and Countdown's running totals.

    Attributes:
        grounded: whether operands have to be numbers of the prompt, or results of steps before.
    """

    grounded: bool = True

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]."""
        return check_steps(rollout.completion, rollout.task.prompt if self.grounded else None).share


_AFTER_NUMBER = re.compile(r"[^A-Za-z\u00b0%$]*([A-Za-z\u00b0%$].{0,79})", re.DOTALL)


@register_term("units")
@dataclass(frozen=True)
class Units(RewardTerm):
    """The share of unit checks that hold: each ``5 km = 5000 m`` of the completion, and the kind of the answer's unit.

    The answer is checked where the task says which unit is wanted (``answer["unit"]`` or ``metadata["unit"]``) and
    the answer has one. 0 if there is nothing to check.
    """

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]."""
        count = check_quantities(rollout.completion)
        fits = _answer_fits(rollout.completion, rollout.task)
        right, total = count.right + (fits is True), count.right + count.wrong + (fits is not None)
        return right / total if total else 0.0


def _answer_fits(completion: str, task: Task) -> bool | None:
    wanted = task.answer.get("unit") if isinstance(task.answer, dict) else task.metadata.get("unit")
    candidates = extract_answer(completion).candidates
    match = _AFTER_NUMBER.fullmatch(candidates[0]) if len(candidates) == 1 else None
    if not isinstance(wanted, str) or match is None:
        return None
    return same_dimension(match[1], wanted) or False


_SCRIPTS = {
    "latin": ((0x41, 0x24F), (0x1E00, 0x1EFF)),
    "greek": ((0x370, 0x3FF),),
    "cyrillic": ((0x400, 0x52F),),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF)),
}
_SCRIPT_OF = {"Russian": "cyrillic", "Greek": "greek", "Chinese": "han"}
# a clause of Chinese has no spaces: its characters count as words; single letters are mathematics in any language
_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W\d_\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_PIECE = 24
"""Words that are told the language of together."""
_MAX_CHARS = 400_000


@register_term("language")
@dataclass(frozen=True)
class Language(RewardTerm):
    """The share of words in the target language in the thinking, or in all where there is none (DeepSeek-R1, sec. 2.3.2).

    A word is foreign if it is written in a script that the language is not written in, or stands in a piece of 24
    words that is in another language. Numbers and single letters do not count. 0 without words.

    Attributes:
        target: English, German, French, Spanish, Italian, Russian, Greek or Chinese.
    """

    target: str = "English"

    def __post_init__(self) -> None:
        known = (*LANGUAGES, "Chinese")
        if self.target not in known:
            raise ConfigError(f"The target of language is one of {', '.join(known)}; got {self.target!r}.")

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]."""
        return language_share(thinking_of(rollout.completion) or rollout.completion, self.target)


def language_share(text: str, target: str) -> float:
    """The share of the words of ``text`` that are in the language ``target``; 0 without words."""
    said = _WORD.findall(text[:_MAX_CHARS].lower())
    script = _SCRIPTS[_SCRIPT_OF.get(target, "latin")]
    good = 0
    for start in range(0, len(said), _PIECE):
        piece = said[start : start + _PIECE]
        if detect_language(piece) in (None, target):
            good += sum(_is_written_in(word, script) for word in piece)
    return good / len(said) if said else 0.0


def _is_written_in(word: str, script: Sequence[tuple[int, int]]) -> bool:
    return all(any(low <= ord(letter) <= high for low, high in script) for letter in word)
