r"""Finding the final answer in a completion, in time linear in its length.

1. What stands only in the thinking is dropped.
2. Every explicit marker is collected: ``<answer>`` tags, balanced ``\boxed{}``, ``####`` lines. They must agree.
3. Without one, every "the answer is ..." phrase is collected. They must agree.
4. Without one, a text that is nothing but the answer is taken whole.

"Agree" is the verifier's to say: all the different candidates are handed over, and
:class:`rlvr_gym.verifier.AnswerVerifier` accepts them only if every one is right. So a completion cannot hedge by
offering several answers. A marker that is cut off (``<answer>12`` or ``\boxed{12``) offers nothing: what would
have followed is not known.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rlvr_gym.verdict import Reason

__all__ = [
    "MAX_ANSWER_CHARS",
    "MAX_CANDIDATES",
    "Extraction",
    "boxed_contents",
    "extract_answer",
    "extract_text",
    "plain_answer",
    "strip_thinking",
    "thinking_of",
]

MAX_ANSWER_CHARS = 20_000
"""A longer answer is not read: no environment of ours needs one."""
MAX_CANDIDATES = 8
"""Further candidates are not collected: a completion with so many different ones has no answer."""

# every quantifier is bounded, or followed by something that it cannot match: no backtracking beyond a line
_THINK = re.compile(r"<(/?)think(?:ing)?\s{0,4}>", re.IGNORECASE)
_ANSWER = re.compile(r"<(/?)answer\s{0,4}>", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,8}\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_HASHES = re.compile(r"^[ \t]{0,16}####(?!#)[ \t]*([^\n]*)$", re.MULTILINE)
_HEADING = re.compile(r"\W{0,4}(?:\d{1,3}[.):]\s{1,4})?[^\W\d_]{2}")
# "answer is 5", "Answer: 5", "**Final answer:** 5", "### Answer:\n\n5"; not "isn't 5" and not "is not 5"
_PHRASE = re.compile(
    r"(?<![^\W_])answer[*_]{0,3}[ \t]{0,4}(?:(?:is\b|=)[ \t]{0,4}:?(?!\s{0,4}not\b)|:)(?:[*_ \t]{0,6}\n\s{0,8}(?=\S))?",
    re.IGNORECASE,
)
_ANSWER_WORD = re.compile("answer", re.IGNORECASE)
_BEFORE_BOX = len(r"\f")
"""At most so many characters stand before the letters "box" in a box."""
_LABEL = re.compile(r"(?:\*\*)?(?:the )?(?:final )?answer(?: is\b ?:?|:)(?:\*\*(?!\*))?", re.IGNORECASE)
_PHRASE_END = re.compile(r"(?<!\\)[.!](?:\s|\Z)|\n|\Z")
_MAX_PHRASE_CHARS = 2000
_QUOTES = ("**", "__", "$$", "$", "`")


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
    """What is said outside the thinking, with line breaks where it was.

    A closing tag that was never opened ends thinking that began in the prompt: all text before it is thinking.
    So is all text after an opening tag that is never closed. An opening tag inside thinking is just text.
    """
    first = completion.find("<")  # one character is found many times faster than a pattern
    if first < 0:
        return completion
    visible: list[str] = []
    inside, position = False, 0
    for tag in _THINK.finditer(completion, first):
        if not tag[1]:
            if not inside:
                visible.append(completion[position : tag.start()])
            inside = True
        else:
            if not inside:
                visible.clear()
            inside, position = False, tag.end()
    if not inside:
        visible.append(completion[position:])
    return "\n".join(visible)


def thinking_of(completion: str) -> str:
    """What is said in the thinking: what :func:`strip_thinking` takes away, without its tags."""
    hidden: list[str] = []
    inside, position, begun = False, 0, 0
    for tag in _THINK.finditer(completion):
        if not tag[1]:
            if not inside:
                position = tag.end()
            inside = True
        elif inside:
            hidden.append(completion[position : tag.start()])
            inside = False
        else:  # it began in the prompt, so everything before is thinking
            hidden.clear()
            begun = tag.start()
    if begun:
        hidden.insert(0, _THINK.sub("\n", completion[:begun]))
    if inside:
        hidden.append(completion[position:])
    return "\n".join(hidden)


def boxed_contents(text: str) -> list[str]:
    r"""The contents of every balanced, outermost ``\boxed{}`` in order; unbalanced ones are passed over."""
    contents: list[str] = []
    backslash = text.find("\\")  # many times faster than to look for the pattern
    letters = text.find("box", backslash) if backslash >= 0 else -1
    if letters < 0:
        return contents
    match = _BOX.search(text, max(letters - _BEFORE_BOX, 0))
    closing = _matching_braces(text, match.end() - 1) if match is not None else {}
    while match is not None:
        end = closing.get(match.end() - 1)
        if end is not None:
            contents.append(text[match.end() : end])
        match = _BOX.search(text, match.end() if end is None else end + 1)
    return contents


def _matching_braces(text: str, start: int) -> dict[int, int]:
    """Index of each opening brace -> index of its closing brace, in one pass; escaped braces do not count.

    ``start`` is the first brace that matters, one that is not escaped.
    """
    stack: list[int] = []
    pairs: dict[int, int] = {}
    for match in _BRACE.finditer(text, start):
        token = match.group()
        if token == "{":
            stack.append(match.start())
        elif token == "}" and stack:
            pairs[stack.pop()] = match.start()
    return pairs


def _tagged(text: str) -> tuple[list[str], str]:
    """The contents of the innermost closed ``<answer>`` tags, and the text without them and without stray tags."""
    first = text.find("<")
    if first < 0:
        return [], text
    contents: list[str] = []
    outside: list[str] = []
    position, opened = 0, False
    for tag in _ANSWER.finditer(text, first):
        piece = text[position : tag.start()]
        if opened and tag[1]:
            contents.append(piece)
        else:
            outside.append(piece)
        opened, position = not tag[1], tag.end()
    outside.append(text[position:])
    return contents, "\n".join(outside)


def _hashed(text: str) -> list[str]:
    """The contents of GSM8K's ``#### 42`` lines. In Markdown four hashes make a heading, which is no answer."""
    # many times faster than to look at the beginning of every line, and one character many times faster than four
    if "#" not in text or "####" not in text:
        return []
    line = text.rfind("\n", 0, text.find("####")) + 1
    end = len(text.rstrip())  # nothing stands under the last line, so that one is no heading
    return [m[1] for m in _HASHES.finditer(text, line) if m.end() >= end or not _HEADING.match(m[1])]


def _explicit(visible: str) -> tuple[list[str], str]:
    """What the markers hold, and the text without the answer tags."""
    tagged, outside = _tagged(visible)
    contents = [content for piece in tagged for content in boxed_contents(piece) or [piece]]
    return [*contents, *boxed_contents(outside), *_hashed(outside)], outside


def _phrased(text: str) -> Iterator[str]:
    """What follows each phrase, up to the end of its sentence or line; that may hold the next phrase."""
    starts = list(_phrase_ends(text))
    ends = [match.start() for match in _PHRASE_END.finditer(text, starts[0])] if starts else []
    for start in starts:
        end = ends[bisect_left(ends, start)]
        # the limit keeps a line of nothing but phrases from taking quadratic time
        if end - start <= _MAX_PHRASE_CHARS:
            yield text[start:end]


def _phrase_ends(text: str) -> Iterator[int]:
    """Where each phrase ends, and the answer begins."""
    if not text.isascii():  # "answer" may be written with the long s, too
        word = _ANSWER_WORD.search(text)  # ten times faster than to look for the whole phrase
        if word is not None:
            yield from (match.end() for match in _PHRASE.finditer(text, word.start()))
        return
    lower = text.lower()  # and this is ten times faster than to ignore case
    at = lower.find("answer")
    while at >= 0:
        phrase = _PHRASE.match(text, at)
        if phrase is not None:
            yield phrase.end()
        at = lower.find("answer", at + 1 if phrase is None else phrase.end())


def _clean(answer: str) -> str:
    """Without the Markdown, dollar signs, box and label around an answer, which are presentation, not content."""
    if answer.isascii() and not _may_need_cleaning(answer):
        return answer.strip()
    for _ in range(4):
        before = answer
        answer = _unquote(answer.strip())
        if answer.startswith((r"\(", r"\[")) and answer.endswith((r"\)", r"\]")):
            answer = answer[2:-2]
        if (label := _LABEL.match(answer)) is not None and len(answer) > label.end():
            answer = answer[label.end() :]
        boxes = boxed_contents(answer)
        if len(boxes) == 1 and len(answer) - len(boxes[0]) <= len("\\boxed{}") + 2:
            answer = boxes[0]
        if answer == before:
            break
    return answer.strip()


def _may_need_cleaning(ascii_text: str) -> bool:
    """Whether there is anything that :func:`_clean` could take off; several times faster than one pattern for all."""
    return (
        "$" in ascii_text
        or "`" in ascii_text
        or "**" in ascii_text
        or "__" in ascii_text
        or "answ" in ascii_text.lower()
        or "box" in ascii_text
        or ("\\" in ascii_text and ("\\(" in ascii_text or "\\[" in ascii_text))
    )


def _unquote(answer: str) -> str:
    for mark in _QUOTES:
        inner = answer[len(mark) : -len(mark)]
        if len(answer) > 2 * len(mark) and answer == f"{mark}{inner}{mark}" and mark not in inner:
            answer = inner
    if answer.count("**") == 1:  # the other half was around a label that is gone: "**Answer: 5**"
        answer = answer.removeprefix("**").removesuffix("**")
    return answer


def _distinct(found: Iterable[str]) -> tuple[str, ...]:
    """The different cleaned texts that are not empty, in order; not all, if there are very many."""
    seen: set[str] = set()
    candidates: dict[str, None] = {}
    for text in found:
        if len(candidates) >= MAX_CANDIDATES:
            break
        if text not in seen:
            seen.add(text)
            # what is too long is refused anyway, and not worth the cleaning
            if answer := text if len(text) > 2 * MAX_ANSWER_CHARS else _clean(text):
                candidates[answer] = None
    return tuple(candidates)


def plain_answer(completion: str) -> str:
    """The only candidate of :func:`extract_answer` in the commonest case, at a fraction of the cost; else "".

    That is a completion with one pair of answer tags, no other tag but those of one thinking before it, no box and no
    ``####`` line, and in the tags ASCII text without Markdown and labels.
    """
    start = completion.find("<")
    if completion.startswith("<think>", start):
        start = completion.find("<", start + 1)
        if not completion.startswith("</think>", start):
            return ""
    if completion.startswith("</think>", start):
        start = completion.find("<", start + 1)
    end = completion.find("<", start + 1)
    if not completion.startswith("<answer>", start) or not completion.startswith("</answer>", end):
        return ""
    content = completion[start + len("<answer>") : end]
    if (
        len(content) > MAX_ANSWER_CHARS
        or not content.isascii()
        or _may_need_cleaning(content)
        or completion.find("<", end + 1) >= 0
        or ("\\" in completion and "box" in completion)
        or ("#" in completion and "####" in completion)  # one character is found many times faster than four
    ):
        return ""
    return content.strip()


def extract_answer(completion: str) -> Extraction:
    """The final answer(s) that a completion offers.

    Never raises, for any text; linear in its length.
    """
    plain = plain_answer(completion)
    if plain:
        return Extraction((plain,), True)
    visible = strip_thinking(completion)
    explicit, outside = _explicit(visible)
    candidates = _distinct(explicit)
    marked = bool(candidates)
    if not marked:
        candidates = _distinct(_phrased(outside))
    if not candidates and not _has_marker(visible):
        candidates = _distinct([visible])
    if not candidates:
        return Extraction(reason=Reason.NO_ANSWER)
    if any(len(candidate) > MAX_ANSWER_CHARS for candidate in candidates):
        return Extraction(marked=marked, reason=Reason.TOO_COMPLEX if marked else Reason.NO_ANSWER)
    return Extraction(candidates, marked)


def extract_text(completion: str) -> Extraction:
    r"""The text(s) that a completion offers, unchanged but for surrounding white space.

    For tasks whose answer is a text to be written: what stands in ``<answer>`` tags, else in ``\boxed{}``, else all
    that is said outside the thinking. Labels, Markdown and phrases are part of a text, so nothing else is taken off.
    """
    visible = strip_thinking(completion)
    found, outside = _tagged(visible)
    found = found or boxed_contents(outside)
    marked = bool(found)
    if not found and not _has_marker(visible):
        found = [visible]
    candidates = tuple(dict.fromkeys(text.strip() for text in found if text.strip()))[:MAX_CANDIDATES]
    if not candidates:
        return Extraction(reason=Reason.NO_ANSWER)
    if any(len(candidate) > MAX_ANSWER_CHARS for candidate in candidates):
        return Extraction(marked=marked, reason=Reason.TOO_COMPLEX)
    return Extraction(candidates, marked)


def _has_marker(text: str) -> bool:
    """Whether a marker is there at all: cut off, empty or stray, but the text is not nothing but the answer."""
    return _ANSWER.search(text) is not None or _BOX.search(text) is not None
