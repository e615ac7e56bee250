"""Wordle: find a word of five letters by guesses whose letters are marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.algorithmic._reading import plain_text
from rlvr_gym.envs.games._interactive import Game, illegal, offered
from rlvr_gym.envs.games._words5 import (
    GREEN,
    LETTERS,
    Words,
    best_word,
    mark_word,
    play_out,
    still_possible,
    word_list,
)
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Wordle"]

_SHOWN = (8, 12, 18, 26, 38, 56, 80, 120)


@register("rlvr/Wordle-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Wordle(Game):
    """Find a word of five letters by guesses whose letters are marked as right, misplaced or absent.

    Up to difficulty 8 the prompt lists the words that it may be, 8 to 120 of them. At 9 and 10 it lists none: the word
    is out of ``datasets/words5`` (982 common words), at 9 one whose letters all differ. Any five letters may be
    guessed. There are as many turns as the oracle (which knows the list) needs at worst, over all words of the list, and
    ``spare`` more: 2 by default, so that the limit says nothing about the secret. A guess of another form costs its turn
    and is counted in the metric ``illegal_moves``. The hardness is the mean number of guesses of the oracle, over all
    words of the list.

    Attributes:
        spare: turns beyond those of the oracle.
    """

    spare: int = 2

    verifier: ClassVar[str] = "exact_text"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spare < 0:
            raise ConfigError(f"spare is 0 or more; got {self.spare!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the list, then the secret out of it."""
        words = _draw_words(rng, difficulty)
        worst, mean = play_out(words)
        secret = word_list()[int(words[int(rng.integers(len(words)))])]
        turns = worst + self.spare
        return Task(
            prompt=(
                f"I am thinking of {_say_words(words, difficulty)}. Guess it in at most {turns} turns. Each letter of a "
                "guess is marked: G if it is right, Y if the word has it in another place, - if not. A letter that comes "
                "more often in the guess than in the word gets only as many marks G or Y as it comes in the word, G "
                "first, then Y from the left. You may guess any five letters; something else costs a turn. Give one "
                "guess in <answer> tags at a time, for example <answer>abcde</answer>."
            ),
            answer=secret,
            metadata={
                "words": [word_list()[i] for i in words] if difficulty <= len(_SHOWN) else [],
                "different_letters": difficulty == 9,
                "turns": turns,
                "hardness": round(mean, 4),
            },
        )

    def start(self, task: Task) -> list[tuple[str, str]]:
        """Nothing is guessed."""
        return []

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """The marks, or why this is no guess; the right guess goes to the verifier."""
        guess = plain_text(offered(action)).lower()
        if len(guess) != LETTERS or not (guess.isascii() and guess.isalpha()):
            return illegal("That is no guess: give one word of five letters in <answer> tags.")
        marks = mark_word(guess, task.answer)
        if marks == GREEN:
            return Reply(text=f"{guess} is right.", answer=action)
        state.append((guess, marks))
        return Reply(text=f"{guess}\n{marks}")

    def oracle(self, task: Task, state: Any) -> str:
        """A word that is still possible, and that leaves few at worst."""
        words = still_possible(_words_of(task), state)
        return f"Words that are possible: {len(words)}. <answer>{word_list()[best_word(words)]}</answer>"


def _all_words(different_letters: bool) -> Words:
    kept = [i for i, word in enumerate(word_list()) if not different_letters or len(set(word)) == LETTERS]
    return np.array(kept, dtype=np.intp)


def _draw_words(rng: np.random.Generator, difficulty: int) -> Words:
    if difficulty > len(_SHOWN):
        return _all_words(difficulty == 9)
    chosen = rng.choice(len(word_list()), size=_SHOWN[difficulty - 1], replace=False)
    return np.sort(chosen).astype(np.intp)


def _words_of(task: Task) -> Words:
    if not task.metadata["words"]:
        return _all_words(task.metadata["different_letters"])
    place = {word: i for i, word in enumerate(word_list())}
    return np.array([place[word] for word in task.metadata["words"]], dtype=np.intp)


def _say_words(words: Words, difficulty: int) -> str:
    if difficulty <= len(_SHOWN):
        return f"one of these words: {', '.join(word_list()[i] for i in words)}"
    kind = ", whose letters are all different" if difficulty == 9 else ""
    return f"a common English word of five letters{kind}"
