"""Writes a package with one working environment out of the files in ``template/``.

The template is a package named ``my-env``; its name is replaced wherever it stands, in paths and in texts. Its files
end in ``.tmpl``, so that no tool takes them for parts of rlvr-gym, and ``dot_`` stands for a leading dot.
"""

from __future__ import annotations

import keyword
import re
import sys
from importlib.metadata import version
from pathlib import Path

from rlvr_gym.errors import ConfigError, os_reason

__all__ = ["check_name", "package_files", "write_package"]

TEMPLATE = Path(__file__).parent / "template"
SUFFIX = ".tmpl"
MAX_NAME_CHARS = 30

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# modules of ours or that we import: a package of such a name would hide one of them
_TAKEN = frozenset(
    {"rlvr", "rlvr_gym", "gymnasium", "numpy", "sympy", "pydantic", "rich", "typer", "torch", "tests"}
)


def check_name(name: str) -> str:
    """The module's name for a package's name: ``my_env`` for ``my-env``.

    Raises:
        ConfigError: if the name cannot be a package's, a module's and the namespace of ids at once.
    """
    if not _NAME.fullmatch(name):
        words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
        likely = "-".join(words)
        hint = f"; such as {likely}" if _NAME.fullmatch(likely) else ", such as my-env"
        raise ConfigError(
            f"A package's name is made of lower-case letters, digits and single hyphens and begins with a letter{hint}; "
            f"got {name!r}."
        )
    if len(name) > MAX_NAME_CHARS:
        raise ConfigError(f"A package's name has at most {MAX_NAME_CHARS} characters; got {len(name)}.")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module in _TAKEN:
        raise ConfigError(
            f"The module {module!r} exists already in Python or rlvr-gym; choose another name than {name!r}."
        )
    return module


def package_files(name: str) -> dict[str, str]:
    """The texts of the package's files, by their paths within it.

    Raises:
        ConfigError: if the name is no package's name.
    """
    replaced = {"my_env": check_name(name), "my-env": name, "RLVR_GYM_VERSION": version("rlvr-gym")}
    marks = re.compile("|".join(replaced))

    def fill(text: str) -> str:
        return marks.sub(lambda mark: replaced[mark.group()], text)

    files = {}
    for path in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        parts = [re.sub("^dot_", ".", part) for part in path.relative_to(TEMPLATE).parts]
        files[fill("/".join(parts).removesuffix(SUFFIX))] = fill(path.read_text(encoding="utf-8"))
    return files


def write_package(name: str, folder: Path) -> list[Path]:
    """Writes the package into a new folder and returns its files.

    Raises:
        ConfigError: if the name is no package's name, or the folder cannot be made or is there already.
    """
    files = package_files(name)
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise ConfigError(
            f"{folder} exists already; choose another place with --path, or another name."
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    written = []
    for relative, text in files.items():
        path = folder / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _unwritable(path, error) from error
        written.append(path)
    return written


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be made ({os_reason(error)}); choose another place with --path.")
