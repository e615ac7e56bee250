"""The right answer in the forms that it may come in: each has to score 1.0."""

from __future__ import annotations

from collections.abc import Iterator

from rlvr_gym.prompts import TEMPLATES
from rlvr_gym.task import Task

__all__ = ["answer_forms", "optional_forms"]


def answer_forms(task: Task, answer: str, extracts: bool) -> Iterator[tuple[str, str]]:
    """Name and text of each form that has to be accepted.

    Args:
        task: the task.
        answer: its reference answer, as a model would write it.
        extracts: whether the verifier promises the forms of :func:`rlvr_gym.extraction.extract_answer`, as an
            :class:`rlvr_gym.verifier.AnswerVerifier` does; others promise answer tags.
    """
    for template in TEMPLATES.values():
        if template.name != "boxed" or extracts:
            yield f"a demonstration ({template.name})", template.demonstrate(task.solution, answer)
    yield "tags", f"<answer>{answer}</answer>"
    yield "tags with white space", f"\n\n <answer>\n {answer}\t\n</answer> \n"
    yield "thinking before", f"<think>Let me see. It is not easy.</think>\n<answer>{answer}</answer>"
    yield "a doubt in the thinking", f"<think><answer>banana</answer>? No.</think><answer>{answer}</answer>"
    yield "twice the same", f"<answer>{answer}</answer>\n\n<answer>{answer}</answer>"
    yield "words before", f"I have thought about it for long.\n\n<answer>{answer}</answer>"
    if extracts:
        yield "capital tags", f"<ANSWER>{answer}</ANSWER>"
        yield "bare", answer
        yield "a box", f"\\boxed{{{answer}}}"
        yield "a box in tags", f"<answer>\\boxed{{{answer}}}</answer>"
        if "*" not in answer and "\n" not in answer.strip():
            yield "bold", f"<answer>**{answer.strip()}**</answer>"
            yield "a bold label", f"<answer>**Answer:** {answer.strip()}</answer>"


def optional_forms(answer: str) -> Iterator[tuple[str, str]]:
    """Forms that a tolerant environment may accept; how many do is told, and it is no finding if one does not."""
    yield "a final period", f"<answer>{answer.strip()}.</answer>"
    yield "a code fence in tags", f"<answer>\n```\n{answer.strip()}\n```\n</answer>"
    yield "a phrase", f"The answer is {answer.strip()}."
    yield "quotes", f'<answer>"{answer.strip()}"</answer>'
    yield "dollars", f"<answer>${answer.strip()}$</answer>"
    yield "Windows line ends", f"<answer>{answer.strip()}</answer>".replace("\n", "\r\n")
    wide = "".join(chr(ord(ch) + 0xFEE0) if ch.isascii() and ch.isdigit() else ch for ch in answer.strip())
    yield "full-width digits", f"<answer>{wide}</answer>"
