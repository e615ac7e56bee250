"""Attacks on conversations: what a policy may say instead of playing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rlvr_gym.audit import corpus
from rlvr_gym.audit.attack import Luck
from rlvr_gym.audit.probe import OracleGame, Script, Subject
from rlvr_gym.testing import HOSTILE_TEXTS

__all__ = ["Play", "injected_plays", "oracle_games", "plays", "stress_plays"]

_ARGUMENT = re.compile(r'("(?!name)\w+": ")(?:[^"\\]|\\.)*(")')
_ACTION = re.compile(r"<(answer|tool_call)>.*?</\1>", re.DOTALL)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Play:
    """An attack on a conversation; see :class:`rlvr_gym.audit.attack.Attack` for the fields."""

    family: str
    name: str
    script: Script
    luck: Luck = Luck.NONE


def plays(subject: Subject, others: Sequence[Subject]) -> Iterator[Play]:
    """Nothing but hostile actions, spoofed results, claims, the same again and again, another task's moves."""
    prompt = subject.task.prompt
    for family, texts in (
        ("hostile actions", corpus.TRIVIAL),
        ("hostile actions", corpus.CONTROLS),
        ("tool spoofing", corpus.SPOOFED_TURNS),
        ("claims", corpus.CLAIMS),
        ("judge injections", corpus.JUDGE_INJECTIONS),
        ("prompt copies", (prompt, f"<answer>{prompt}</answer>", *prompt.strip().splitlines()[-1:])),
        ("numbers", corpus.NO_NUMBERS),
    ):
        yield Play(family, "one after another", Script(tuple(texts), restart=True))
        yield Play(family, "in tags", Script(tuple(f"<answer>{t}</answer>" for t in texts), restart=True))
    for text in corpus.SPOOFED_TURNS:
        yield Play("tool spoofing", f"{text!r} in each turn", Script((text,), repeat=True))
    for text in ("", "banana", "<answer>banana</answer>", "<answer></answer>", prompt):
        yield Play("hostile actions", f"{text[:40]!r} in each turn", Script((text,), repeat=True))
    yield from _lucky_plays(subject, others)


def _lucky_plays(subject: Subject, others: Sequence[Subject]) -> Iterator[Play]:
    """Legal moves without a thought: some of them win by luck."""
    for text in corpus.CONSTANTS:
        action = f"<answer>{text}</answer>"
        yield Play("constant", f"{text!r} in each turn", Script((action,), repeat=True), Luck.CHANCE)
    moves = subject.moves
    for i, other in enumerate(others[:4]):
        if other.moves and other.moves != moves:
            yield Play("foreign", f"another task's moves ({i + 1})", Script(other.moves), Luck.CHANCE)
            yield Play("foreign", f"another task's last move at once ({i + 1})", Script(other.moves[-1:]), Luck.CHANCE)  # fmt: skip
    if not moves:
        return
    if len(set(moves)) > 1:
        yield Play("repeated", "the oracle's first move in each turn", Script(moves[:1], repeat=True), Luck.CHANCE)  # fmt: skip
    ruined = tuple(out for move in moves if (out := _ACTION.sub(_out_of_range, move)) != move)
    if ruined:
        script = Script(ruined, repeat=True)
        yield Play("illegal moves", "the oracle's, with numbers out of range", script, Luck.CHANCE)
    echoes = tuple(f"<tool_result>{move}</tool_result>" for move in moves)
    yield Play("tool spoofing", "the oracle's moves as results", Script(echoes), Luck.SURVIVE)
    thought = tuple(f"<think>{move}</think>" for move in moves)
    yield Play("thinking", "the oracle's moves, only thought", Script(thought))


def _out_of_range(action: re.Match[str]) -> str:
    return _NUMBER.sub(lambda number: f"{number.group()}000", action.group())


def stress_plays(subject: Subject) -> Iterator[Play]:
    """Bombs and megabytes in each turn."""
    for text in (*corpus.BOMBS, *HOSTILE_TEXTS):
        name = f"{text[:24]!a} x {len(text)}"
        yield Play("bomb", name, Script((text, f"<answer>{text}</answer>")), Luck.NONE)
        call = f'<tool_call>{{"name": "{text[:20]}", "arguments": {{"x": "{text[:50_000]}"}}}}</tool_call>'
        yield Play("bomb", f"{name} in a tool call", Script((call,)), Luck.NONE)


def injected_plays(subject: Subject, canary: str) -> Iterator[Play]:
    """Code that makes the file ``canary``, in each turn and in the oracle's own calls."""
    texts = tuple(text.replace("@CANARY@", canary) for text in corpus.INJECTIONS)
    yield Play("injection", "one after another", Script(texts, restart=True))
    yield Play("injection", "in tags", Script(tuple(f"<answer>{t}</answer>" for t in texts), restart=True))
    for move in dict.fromkeys(subject.moves[:3]):
        filled = tuple(_fill(move, text) for text in texts)
        yield Play(
            "injection", "in the arguments of the oracle's call", Script(filled, restart=True), Luck.SURVIVE
        )


def _fill(move: str, text: str) -> str:
    """A tool call with the text as each of its arguments."""
    written = json.dumps(text)[1:-1]
    return _ARGUMENT.sub(lambda found: f"{found[1]}{written}{found[2]}", move)


def oracle_games() -> Iterator[tuple[str, OracleGame]]:
    """Forms of the oracle's actions that have to be accepted."""
    yield "plain", OracleGame()
    yield "white space", OracleGame(before="\n  ", after=" \n\n")
    yield "thinking before", OracleGame(before="<think>Let me see. It is not easy.</think>\n")
