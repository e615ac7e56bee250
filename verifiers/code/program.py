"""Getting the program out of a completion: text in, text out, in linear time; nothing is parsed or run here."""

from __future__ import annotations

import re

from rlvr_gym.extraction import strip_thinking

__all__ = ["assemble", "complete_stub", "extract_program"]

_FENCE = re.compile(r"^[ \t]{0,3}(?:<answer>[ \t]{0,3})?```[ \t]*([\w+-]*)[^\n`]*$", re.MULTILINE)
_PYTHON = frozenset({"python", "py", "python3", "py3"})


def _fenced(text: str) -> str | None:
    """The last Python block, else the last block; one that the length limit cut off counts."""
    blocks: list[tuple[str, str]] = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            opening = fence
        elif not fence.group(1):
            blocks.append((opening.group(1).lower(), text[opening.end() + 1 : fence.start()]))
            opening = None
    if opening is not None:
        blocks.append((opening.group(1).lower(), text[opening.end() + 1 :]))
    python = [code for language, code in blocks if language in _PYTHON]
    found = python or [code for _, code in blocks]
    return found[-1] if found else None


def extract_program(completion: str) -> str:
    """The last ```python block outside the thinking, else what the last ``<answer>`` holds, else the whole text."""
    visible = strip_thinking(completion)
    code = _fenced(visible)
    if code is not None:
        return code
    end = visible.rfind("</answer>")
    start = visible.rfind("<answer>", 0, end) if end != -1 else -1
    if start != -1:
        inner = visible[start + len("<answer>") : end]
        return inner.strip("\n") + "\n"
    return visible


def assemble(program: str, prefix: str, entry: str) -> str:
    """The program after the code that it continues.

    A program that defines ``entry`` itself stands after a complete ``prefix`` (whose imports and helpers it may use)
    and replaces the prefix's own stub; anything else is taken as the body that the prefix waits for.
    """
    if not prefix:
        return program
    name = re.escape(entry.partition(".")[0])
    if re.search(rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|^{name}[ \t]*=", program, re.MULTILINE):
        return f"{complete_stub(prefix)}\n\n{program}"
    return prefix + program


def complete_stub(prefix: str) -> str:
    """The prefix with a ``pass`` in the function that it leaves without a body (a docstring may be there)."""
    lines = prefix.rstrip().split("\n")
    indent = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())]
    if lines[-1].endswith(":"):
        indent += "    "
    return "\n".join([*lines, f"{indent}pass"]) + "\n"
