"""How many tokens two programs differ in."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence

__all__ = ["edit_distance", "program_tokens"]

MAX_CHARS = 20_000
_LAYOUT = {tokenize.NL: None, tokenize.COMMENT: None, tokenize.ENDMARKER: None, tokenize.ENCODING: None}
_SHAPE = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\t", tokenize.DEDENT: "\b"}


def program_tokens(source: str) -> list[str] | None:
    """The tokens of a program without comments, blank lines and the width of its indentation; None if it has none.

    Only reads characters: nothing is compiled, and any text is fine.
    """
    if len(source) > MAX_CHARS:
        return None
    tokens = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.strip() + "\n").readline):
            if token.type in _LAYOUT:
                continue
            text = _SHAPE.get(token.type, token.string)
            tokens.append(text.replace('"', "'") if token.type == tokenize.STRING else text)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    return tokens


def edit_distance(first: Sequence[str], second: Sequence[str], limit: int) -> int:
    """The least number of tokens to insert, delete or replace; ``limit + 1`` if it is more than ``limit``.

    Works in a band around the diagonal, so that the time is (length) x (limit).
    """
    beyond = limit + 1
    if abs(len(first) - len(second)) > limit:
        return beyond
    row = {j: j for j in range(min(limit, len(second)) + 1)}
    for i, token in enumerate(first, start=1):
        before, row = row, {}
        for j in range(max(0, i - limit), min(len(second), i + limit) + 1):
            best = before.get(j, beyond) + 1
            if j > 0:
                same = token == second[j - 1]
                best = min(best, row.get(j - 1, beyond) + 1, before.get(j - 1, beyond) + (not same))
            row[j] = min(best, beyond)
        if min(row.values()) > limit:
            return beyond
    return row.get(len(second), beyond)
