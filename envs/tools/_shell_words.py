"""Reading the commands of the shell: words, options, and patterns for names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rlvr_gym.tools import ToolError

__all__ = ["MAX_ARGUMENTS", "matches", "read_flags", "split_command"]

MAX_COMMAND_CHARS = 4_000
MAX_ARGUMENTS = 300


def matches(name: str, pattern: str) -> bool:
    """Whether ``pattern`` with ``*`` and ``?`` is all of ``name``; time at most the product of the lengths."""
    n = p = 0
    star, resume = -1, 0
    while n < len(name):
        if p < len(pattern) and pattern[p] == "*":
            star, resume, p = p, n, p + 1
        elif p < len(pattern) and pattern[p] in ("?", name[n]):
            n, p = n + 1, p + 1
        elif star >= 0:  # the last star takes one character more; earlier ones never need to
            resume += 1
            n, p = resume, star + 1
        else:
            return False
    return not pattern[p:].strip("*")


def split_command(command: str) -> list[str]:
    """The words of a command, without their quotes; ``>`` and ``>>`` are words.

    Raises:
        ToolError: if it cannot be read, or is more than one command.
    """
    if len(command) > MAX_COMMAND_CHARS:
        raise ToolError(f"A command may have {MAX_COMMAND_CHARS:,} characters.")
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise ToolError(f"The command cannot be read: {error}.") from None
    if any(set(word) <= set("|&;<>") and word not in (">", ">>") for word in words if word):
        raise ToolError("One command a call: there are no pipes, no && and no ;.")
    if not words or not words[0] or len(words) > MAX_ARGUMENTS:
        raise ToolError(f"A command has 1 to {MAX_ARGUMENTS} words.")
    if any(word in (">", ">>") for word in words) and words[0] != "echo":
        raise ToolError("Only echo writes with > and >>.")
    return words


def read_flags(name: str, arguments: Sequence[str], known: str) -> tuple[frozenset[str], list[str]]:
    """The letters of the options in front, and the words after them.

    Raises:
        ToolError: if an option is not among ``known``.
    """
    flags: set[str] = set()
    operands: list[str] = []
    for i, word in enumerate(arguments):
        if word == "--":
            operands += arguments[i + 1 :]
            break
        if word.startswith("-") and len(word) > 1 and not operands:
            flags |= set(word[1:])
        else:
            operands.append(word)
    if not flags <= set(known):
        raise ToolError(f"{name} knows {', '.join(f'-{flag}' for flag in known) or 'no options'}.")
    return frozenset(flags), operands
