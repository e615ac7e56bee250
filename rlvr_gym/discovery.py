"""Finding what the package's own files register, by reading and not by importing them.

A hundred modules take too long to import before anybody has asked for one of them. The mark is a call of the
registering function at the beginning of a line, with its name as a literal.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

__all__ = ["Lazy"]

_ROOT = Path(__file__).parent


class Lazy:
    """Names that files register, and the modules that have to be imported to register them.

    Args:
        function: the registering function, as ``@function("name"`` or ``function("name"`` stands in the files.
        folders: sub-packages of ``rlvr_gym`` to read.
    """

    def __init__(self, function: str, *folders: str) -> None:
        self._pattern = re.compile(rf'^@?{function}\(\s*"([^"\n]+)"', re.MULTILINE)
        self._folders = folders
        self._found: dict[str, str] | None = None

    @property
    def modules(self) -> dict[str, str]:
        """The module of each name."""
        if self._found is None:
            self._found = {
                name: ".".join(("rlvr_gym", *path.relative_to(_ROOT).with_suffix("").parts))
                for folder in self._folders
                for path in sorted((_ROOT / folder).rglob("*.py"))
                for name in self._pattern.findall(path.read_text(encoding="utf-8"))
            }
        return self._found

    def load(self, name: str) -> None:
        """Imports the module that registers ``name``, if there is one."""
        if name in self.modules:
            importlib.import_module(self.modules[name])

    def load_all(self) -> None:
        """Imports every module that registers something."""
        for module in self.modules.values():
            importlib.import_module(module)
