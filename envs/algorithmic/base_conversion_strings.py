"""BaseConversionStrings: text as the codes of its characters, in binary or hexadecimal, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick
from rlvr_gym.envs.algorithmic._reading import plain_text
from rlvr_gym.envs.algorithmic._words import common_words
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["BaseConversionStrings", "CodesVerifier"]

FORMS = {"binary": ("08b", 8), "hexadecimal": ("02x", 2)}
"""Base: how a code is written, and its length."""


@register_verifier("character_codes")
class CodesVerifier(ParsedVerifier[str]):
    """``task.answer`` is a row of codes or a text; white space between codes does not count, in a text it does."""

    def read(self, answer: str, task: Task) -> str | None:
        """The codes or the text in lower case."""
        text = plain_text(answer).lower()
        if task.answer["encodes"]:
            text = text.replace(",", " ").replace("0x", "" if task.answer["base"] == "hexadecimal" else "0x")
            text = "".join(text.split())
        return text or None

    def holds(self, value: str, task: Task) -> bool:
        """Equality."""
        wanted: str = task.answer["wanted"]
        return value == ("".join(wanted.split()) if task.answer["encodes"] else wanted)


@register("rlvr/BaseConversionStrings-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class BaseConversionStrings(Problem):
    """Write a text as ASCII codes in binary or hexadecimal, or read it from them.

    Difficulty 1 has two words of about 5 letters and 10 has eight. The hardness is the number of characters.
    """

    verifier: ClassVar[str] = "character_codes"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws words, a base and a direction."""
        text = " ".join(common_words(rng, level(difficulty, 2, 8)))
        base = pick(rng, list(FORMS))
        form, length = FORMS[base]
        codes = [format(ord(ch), form) for ch in text]
        encodes = bool(rng.random() < 0.5)
        given, wanted = (text, " ".join(codes)) if encodes else (" ".join(codes), text)
        shown = [(ch if ch != " " else "space", ord(ch), code) for ch, code in zip(text, codes, strict=True)]
        lines = [
            f"{ch} = {number} = {code}" if encodes else f"{code} = {number} = {ch}"
            for ch, number, code in shown
        ]
        task = (
            f"Write this text as {base} ASCII codes"
            if encodes
            else f"Read this text from its {base} ASCII codes"
        )
        return Task(
            prompt=ask(
                f"{task} ({length} digits for each character, spaces included; a is {format(97, form)}):\n\n{given}\n",
                "the codes" if encodes else "the text",
                " ".join(format(ord(ch), form) for ch in "xy") if encodes else "some text",
            ),
            answer={"encodes": encodes, "base": base, "wanted": wanted},
            metadata={"characters": len(text), "hardness": len(text)},
            solution="\n".join(lines),
        )

    def answer_text(self, task: Task) -> str:
        """The codes or the text."""
        return str(task.answer["wanted"])
