"""Docstrings for the site: Sphinx roles and ``::`` blocks, which plain Markdown does not know, become Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([^`]+)`")
LITERAL_BLOCK = re.compile(r"::$", re.MULTILINE)


class PlainMarkdown(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Names keep their last two parts: ``rlvr_gym.executor.base.Executor`` is too long for a line."""
        if obj.docstring is not None:
            text = ROLE.sub(lambda role: f"`{'.'.join(role[1].split('.')[-2:])}`", obj.docstring.value)
            obj.docstring.value = LITERAL_BLOCK.sub(":", text)
