"""Writing regular expressions that are tested on hidden strings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.code._regex import PatternError, compile_pattern, count_states
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["RegexSynthesis", "RegexVerifier"]

_SHOWN, _HIDDEN = 5, 20
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SEPARATORS = "-_:@/;%="


@register_verifier("regex")
class RegexVerifier(AnswerVerifier):
    """A pattern that matches all of ``task.answer["match"]`` whole, and none of ``task.answer["reject"]``."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Builds an automaton and runs it over every string."""
        try:
            matches = compile_pattern(answer)
        except PatternError as error:
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:500], error=str(error))
        missed = sum(not matches(text) for text in task.answer["match"])
        wrongly = sum(matches(text) for text in task.answer["reject"])
        if missed or wrongly:
            return Verdict.wrong(Reason.WRONG, answer[:500], missed=missed, wrongly_matched=wrongly)
        return Verdict.right(answer[:500])


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the language: in words, as a pattern, and how to make a string of it."""

    words: str
    pattern: str
    make: Callable[[np.random.Generator], str]


@register("rlvr/RegexSynthesis-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class RegexSynthesis(Problem):
    """Write a regular expression for a set of strings that is described, with examples of strings in it and not in it.

    It is tested on hidden strings, among them near misses: strings of the set with one character changed, removed,
    doubled or added. Any pattern that tells them apart is right, in a language that has linear-time matching. The set
    is a sequence of 2 parts, from difficulty 4 of 3, from 7 of 4, and at 10 of 5; from 5 parts can be repeated groups,
    or one of two alternatives. The hardness is the number of states of the reference's automaton.
    """

    verifier: ClassVar[str] = "regex"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the parts, strings of the set, and strings that are almost in it."""
        while True:
            parts = [_draw_part(rng, difficulty) for _ in range(2 + (difficulty - 1) // 3)]
            pattern = "".join(part.pattern for part in parts)
            inside, outside = _strings(parts, compile_pattern(pattern), rng)
            if min(len(inside), len(outside)) == _SHOWN + _HIDDEN:
                break
        words = "".join(f"\n{i}. {part.words}" for i, part in enumerate(parts, start=1))
        return Task(
            prompt=(
                f"Write a regular expression that matches exactly the strings that consist of, one after the other:{words}"
                f"\n\nThese are matched:\n{_listed(inside[:_SHOWN])}\n\nThese are not:\n{_listed(outside[:_SHOWN])}\n\n"
                "It is tested on other strings and has to match the whole string. You may use characters, ., classes "
                "such as [a-z] and [^a-z], \\d \\w \\s, groups ( ) and (?: ), |, * + ? and {2} {2,} {2,3}; there are no "
                "back references, look-arounds or anchors, and at most 400 characters. Give it in <answer> tags without "
                "slashes or quotes, for example <answer>(xy)+z?</answer>."
            ),
            answer={"match": inside[_SHOWN:], "reject": outside[_SHOWN:], "pattern": pattern},
            metadata={"parts": len(parts), "hardness": count_states(pattern)},
            solution="\n".join(f"{part.words} This is {part.pattern}" for part in parts),
        )

    def answer_text(self, task: Task) -> str:
        """The pattern that the generator had in mind."""
        return str(task.answer["pattern"])


def _listed(strings: list[str]) -> str:
    return "\n".join(f"    {text}" for text in strings)


def _draw_part(rng: np.random.Generator, difficulty: int) -> _Part:
    kinds: list[Callable[[np.random.Generator], _Part]] = [_run, _run, _literal, _optional]
    if difficulty >= 5:
        kinds += [_either, _repeated_group, _list]
    return kinds[int(rng.integers(len(kinds)))](rng)


def _characters(rng: np.random.Generator) -> tuple[str, str, str]:
    """A set of characters: in words, as a pattern, and its members."""
    choice = int(rng.integers(4))
    if choice == 0:
        return "digits 0-9", r"\d", "0123456789"
    if choice == 1:
        return "capital letters A-Z", "[A-Z]", _LETTERS.upper()
    first = int(rng.integers(18))
    last = first + int(rng.integers(3, 8))
    members = _LETTERS[first : last + 1]
    if choice == 2:
        return f"small letters {members[0]}-{members[-1]}", f"[{members[0]}-{members[-1]}]", members
    picked = "".join(sorted(members[int(i)] for i in rng.permutation(len(members))[:3]))
    return f"letters out of {', '.join(picked)}", f"[{picked}]", picked


def _run(rng: np.random.Generator) -> _Part:
    words, pattern, members = _characters(rng)
    least = int(rng.integers(1, 4))
    choice = int(rng.integers(3))
    most = least if choice == 0 else least + int(rng.integers(1, 3)) if choice == 1 else None
    told = {0: f"Exactly {least}", 1: f"From {least} to {most}", 2: f"{least} or more"}[choice]
    bounds = {0: f"{{{least}}}", 1: f"{{{least},{most}}}", 2: f"{{{least},}}"}[choice]
    longest = least + 4 if most is None else most

    def make(rng: np.random.Generator) -> str:
        size = int(rng.integers(least, longest + 1))
        return "".join(members[int(i)] for i in rng.integers(len(members), size=size))

    return _Part(f"{told} {words}.", pattern + bounds, make)


def _literal(rng: np.random.Generator) -> _Part:
    text = "".join(_LETTERS[int(i)] for i in rng.integers(26, size=2)) + _separator(rng)
    return _Part(f'The text "{text}".', text, lambda rng: text)


def _separator(rng: np.random.Generator) -> str:
    return _SEPARATORS[int(rng.integers(len(_SEPARATORS)))]


def _optional(rng: np.random.Generator) -> _Part:
    inner = _run(rng)
    sign = _separator(rng)
    return _Part(
        f'Possibly (or nothing): the character "{sign}" and then this: {inner.words}',
        f"({sign}{inner.pattern})?",
        lambda rng: sign + inner.make(rng) if rng.random() < 0.5 else "",
    )


def _either(rng: np.random.Generator) -> _Part:
    first, second = _run(rng), _literal(rng)
    return _Part(
        f"One of two. Either: {first.words} Or: {second.words}",
        f"({first.pattern}|{second.pattern})",
        lambda rng: (first if rng.random() < 0.5 else second).make(rng),
    )


def _repeated_group(rng: np.random.Generator) -> _Part:
    inner, sign = _run(rng), _separator(rng)
    return _Part(
        f'One or more times, each time anew: {inner.words} After it, each time, the character "{sign}".',
        f"({inner.pattern}{sign})+",
        lambda rng: "".join(inner.make(rng) + sign for _ in range(int(rng.integers(1, 4)))),
    )


def _list(rng: np.random.Generator) -> _Part:
    inner, sign = _run(rng), _separator(rng)
    return _Part(
        f'A list of one or more items with the character "{sign}" between them, and each item is this: {inner.words}',
        f"{inner.pattern}({sign}{inner.pattern})*",
        lambda rng: sign.join(inner.make(rng) for _ in range(int(rng.integers(1, 4)))),
    )


def _strings(
    parts: list[_Part], matches: Callable[[str], bool], rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Different strings inside and outside of the set."""
    inside: dict[str, None] = {}
    outside: dict[str, None] = {}
    wanted = _SHOWN + _HIDDEN
    for _ in range(30 * wanted):
        text = "".join(part.make(rng) for part in parts)
        if text and len(inside) < wanted:  # the empty string cannot be shown well
            inside[text] = None
        near = _near_miss(text, rng)
        if len(outside) < wanted and near and not matches(near):
            outside[near] = None
        if len(inside) == len(outside) == wanted:
            break
    return list(inside), list(outside)


def _near_miss(text: str, rng: np.random.Generator) -> str:
    """The text with one small change."""
    if not text:
        return ""
    i = int(rng.integers(len(text)))
    other = (_LETTERS + _LETTERS.upper() + "0123456789" + _SEPARATORS)[int(rng.integers(70))]
    change = int(rng.integers(5))
    if change == 0:
        return text[:i] + other + text[i + 1 :]
    if change == 1:
        return text[:i] + text[i + 1 :]
    if change == 2:
        return text[:i] + text[i] + text[i:]
    if change == 3:
        return text + other
    return text[:i] + text[i:][::-1]
