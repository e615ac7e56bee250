"""Finding the final answer in a completion, in time linear in its length.

The order is: what stands only in the thinking is dropped; then every explicit marker (``<answer>`` tags, balanced
``\\boxed{}``, ``####``) is collected, and they must agree; without one, "the answer is ..." phrases are; without
one of those, a short text that is nothing but the answer is taken whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rlvr_gym.verdict import Reason

__all__ = ["MAX_ANSWER_CHARS", "Extraction", "boxed_contents", "extract_answer", "strip_thinking"]

MAX_ANSWER_CHARS = 20_000
"""A longer answer is not read: no environment of ours needs one."""

_THINK_OPEN, _THINK_CLOSE = "<think>", "</think>"
_ANSWER_OPEN, _ANSWER_CLOSE = "<answer>", "</answer>"
_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,8}\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_HASHES = re.compile(r"^[ \t]{0,16}####[ \t]*([^\n]*)$", re.MULTILINE)
_PHRASE = re.compile(
    r"(?:\bfinal[ \t]answer|\banswer)\**[ \t]*(?:is|:|=)[ \t]*:?[ \t]*([^\n]*)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!](?:\s|$)")


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found.

    Attributes:
        candidates: the distinct answers that are offered; a verifier that can tell that two texts mean the same
            may still accept several.
        marked: whether an explicit marker was used.
        reason: why there is no candidate, else None.
    """

    candidates: tuple[str, ...] = ()
    marked: bool = False
    reason: Reason | None = None


def strip_thinking(completion: str) -> str:
    """What is said after the thinking.

    Text before the last ``</think>`` is thinking (the opening tag may be in the prompt), and so is text after
    an opening tag that is never closed.
    """
    visible = completion[completion.rfind(_THINK_CLOSE) + len(_THINK_CLOSE) :] if (
        _THINK_CLOSE in completion
    ) else completion
    return visible.partition(_THINK_OPEN)[0]


def boxed_contents(text: str) -> list[str]:
    r"""The contents of every balanced, outermost ``\boxed{}`` in order; unbalanced ones are passed over."""
    contents: list[str] = []
    position = 0
    closing = _matching_braces(text) if _BOX.search(text) else {}
    while (match := _BOX.search(text, position)) is not None:
        end = closing.get(match.end() - 1)
        if end is None:
            position = match.end()
            continue
        contents.append(text[match.end() : end])
        position = end + 1
    return contents


def _matching_braces(text: str) -> dict[int, int]:
    """Index of each opening brace -> index of its closing brace, in one pass; escaped braces do not count."""
    stack: list[int] = []
    pairs: dict[int, int] = {}
    for match in _BRACE.finditer(text):
        token = match.group()
        if token == "{":
            stack.append(match.start())
        elif token == "}" and stack:
            pairs[stack.pop()] = match.start()
    return pairs


def _tagged(text: str) -> list[str]:
    """The contents of ``<answer>...</answer>``; nested or unclosed tags give nothing that could be chosen from."""
    contents: list[str] = []
    position = 0
    while (start := text.find(_ANSWER_OPEN, position)) != -1:
        end = text.find(_ANSWER_CLOSE, start)
        if end == -1:
            break
        contents.append(text[text.rfind(_ANSWER_OPEN, start, end) + len(_ANSWER_OPEN) : end])
        position = end + len(_ANSWER_CLOSE)
    return contents


def _clean(answer: str) -> str:
    """Without the Markdown, dollar signs and box around an answer, which are presentation and not content."""
    for _ in range(4):
        before = answer
        answer = answer.strip()
        for mark in ("**", "$$", "$", "`"):
            inner = answer[len(mark) : -len(mark)]
            if len(answer) > 2 * len(mark) and answer.startswith(mark) and answer.endswith(mark) and mark not in inner:
                answer = inner
        if answer.startswith((r"\(", r"\[")) and answer.endswith((r"\)", r"\]")):
            answer = answer[2:-2]
        boxes = boxed_contents(answer)
        if len(boxes) == 1 and len(answer) - len(boxes[0]) <= len("\\boxed{}") + 2:
            answer = boxes[0]
        if answer == before:
            break
    return answer


def _phrased(text: str) -> list[str]:
    found = []
    for match in _PHRASE.finditer(text):
        answer = match.group(1)
        end = _SENTENCE_END.search(answer)
        answer = _clean((answer[: end.start()] if end else answer).strip().removeprefix("**"))
        if answer:
            found.append(answer)
    return found


def extract_answer(completion: str) -> Extraction:
    """The final answer(s) that a completion offers.

    Never raises, for any text; linear in its length.
    """
    visible = strip_thinking(completion)
    tagged = _tagged(visible)
    outside = visible if not tagged else re.sub(r"<answer>.*?</answer>", " ", visible, flags=re.DOTALL)
    explicit = [*tagged, *boxed_contents(outside), *_HASHES.findall(outside)]
    marked = bool(explicit)
    found = explicit or _phrased(visible) or [visible]
    candidates = tuple(dict.fromkeys(answer for answer in map(_clean, found) if answer))
    if not candidates:
        return Extraction(reason=Reason.NO_ANSWER, marked=marked)
    if any(len(candidate) > MAX_ANSWER_CHARS for candidate in candidates):
        return Extraction(reason=Reason.TOO_COMPLEX, marked=marked)
    return Extraction(candidates, marked)
