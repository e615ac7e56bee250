"""A file tree in memory, and a small shell for it: the usual commands, with limits on everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlvr_gym.envs.tools._shell_words import MAX_ARGUMENTS, matches, read_flags, split_command
from rlvr_gym.tools import ToolError

__all__ = ["COMMANDS", "Shell", "Tree"]

Tree = dict[str, str | None]
"""Absolute path -> the text of a file, or None for a directory. ``/`` itself is not in it."""

MAX_OUTPUT_CHARS = 20_000
MAX_NODES = 2_000
MAX_TOTAL_CHARS = 200_000
MAX_DEPTH = 16
MAX_NAME_CHARS = 80

COMMANDS = (
    "pwd, ls [-R] [DIR], cd DIR, cat FILE..., grep [-r] [-l] [-i] TEXT PATH... (plain text, no patterns), "
    "find [DIR] [-name PATTERN] [-type f or d], mkdir [-p] DIR..., touch FILE..., echo [-n] TEXT [> FILE or >> FILE], "
    "mv FROM... TO, cp [-r] FROM... TO, rm [-r] PATH...; * and ? stand for any characters in names"
)


def parent(path: str) -> str:
    """The directory that a path is in."""
    return path.rpartition("/")[0] or "/"


class Shell:
    """Runs commands on a tree. A command that fails changes nothing.

    Args:
        tree: the files; changed in place.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.directory = "/"
        self._commands: dict[str, tuple[Callable[[frozenset[str], list[str]], str], str]] = {
            "pwd": (self._pwd, ""),
            "ls": (self._ls, "Rla1"),  # all but -R change nothing here
            "cd": (self._cd, ""),
            "cat": (self._cat, ""),
            "grep": (self._grep, "rli"),
            "mkdir": (self._mkdir, "p"),
            "touch": (self._touch, ""),
            "mv": (self._mv, ""),
            "cp": (self._cp, "r"),
            "rm": (self._rm, "rf"),
        }

    # --- commands ---

    def run(self, command: str) -> str:
        """What a command prints.

        Raises:
            ToolError: if it is none, or cannot be carried out.
        """
        words = split_command(command)
        before, directory = dict(self.tree), self.directory
        try:
            return self._run(words) or "(ok)"
        except ToolError:
            self.tree.clear()
            self.tree.update(before)
            self.directory = directory
            raise

    def write(self, path: str, content: str) -> str:
        """Gives a file this content."""
        self._put(self.resolve(path), content)
        return "(ok)"

    def _run(self, words: list[str]) -> str:
        name, arguments = words[0], words[1:]
        if name == "echo":
            return self._echo(arguments)
        if name == "find":
            return self._find(arguments)
        if name not in self._commands:
            known = ", ".join(sorted([*self._commands, "echo", "find"]))
            raise ToolError(f"{name[:80]}: there is no such command; there are: {known}.")
        run, known_flags = self._commands[name]
        flags, operands = read_flags(name, arguments, known_flags)
        kept = operands[:1] if name == "grep" else []  # the text to look for is no path
        return run(flags, kept + self._expand(operands[len(kept) :]))

    def _pwd(self, flags: frozenset[str], operands: list[str]) -> str:
        return self.directory

    def _ls(self, flags: frozenset[str], operands: list[str]) -> str:
        lines: list[str] = []
        for path in map(self.resolve, operands or ["."]):
            if self._exists(path) and not self._is_directory(path):
                lines.append(path)
                continue
            self._need_directory(path)
            folders = (
                [path, *(d for d in self._below(path) if self.tree[d] is None)] if "R" in flags else [path]
            )
            headed = len(folders) > 1 or len(operands) > 1
            for folder in folders:
                names = [self._shown(child) for child in self._children(folder)]
                lines += [*([f"{folder}:"] if headed else []), *names]
            _bound(lines)
        return "\n".join(lines) or "(empty)"

    def _cd(self, flags: frozenset[str], operands: list[str]) -> str:
        (path,) = self._operands("cd", operands, 1, 1)
        self._need_directory(path)
        self.directory = path
        return path

    def _cat(self, flags: frozenset[str], operands: list[str]) -> str:
        texts: list[str] = []
        for path in self._operands("cat", operands, 1):
            texts.append(self._text(path))
            _bound(texts)
        return "".join(texts).removesuffix("\n") or "(empty)"

    def _grep(self, flags: frozenset[str], operands: list[str]) -> str:
        if len(operands) < 2:
            raise ToolError("grep takes a text and a path.")
        found: list[str] = []
        for path, text in self._files("grep", flags, operands[1:]):
            lines = [line for line in text.splitlines() if _holds(line, operands[0], "i" in flags)]
            if lines:
                found += [path] if "l" in flags else [f"{path}: {line}" for line in lines]
            _bound(found)
        return "\n".join(found) or "(nothing found)"

    def _files(self, name: str, flags: frozenset[str], operands: Sequence[str]) -> list[tuple[str, str]]:
        """The files that are named and, with ``-r``, those below the directories that are."""
        files: dict[str, str] = {}
        for path in self._operands(name, operands, 1):
            if not self._is_directory(path):
                files[path] = self._text(path)
            elif "r" in flags:
                files |= {p: text for p in self._below(path) if (text := self.tree[p]) is not None}
            else:
                raise ToolError(f"{name}: {path} is a directory; use -r.")
        return list(files.items())

    def _find(self, arguments: list[str]) -> str:
        named = bool(arguments) and not arguments[0].startswith("-")
        top = self.resolve(arguments[0] if named else ".")
        options = arguments[1:] if named else arguments
        wanted = dict(zip(options[::2], options[1::2], strict=False))
        if (
            len(options) % 2
            or not wanted.keys() <= {"-name", "-type"}
            or wanted.get("-type", "f") not in "fd"
        ):
            raise ToolError("find takes a directory, then -name with a pattern and -type with f or d.")
        self._need_directory(top)
        found = [
            path
            for path in self._below(top)
            if matches(path.rpartition("/")[2], wanted.get("-name", "*"))
            and wanted.get("-type") in (None, "d" if self.tree[path] is None else "f")
        ]
        lines = [self._shown(path, whole=True) for path in found]
        _bound(lines)
        return "\n".join(lines) or "(nothing found)"

    def _mkdir(self, flags: frozenset[str], operands: list[str]) -> str:
        for path in self._operands("mkdir", operands, 1):
            if "p" in flags:
                parts = path.strip("/").split("/")
                folders = ["/" + "/".join(parts[: i + 1]) for i in range(len(parts))] if path != "/" else []
                for folder in folders:
                    if not self._is_directory(folder):
                        self._make(folder)
            else:
                self._make(path)
        return ""

    def _make(self, path: str) -> None:
        if self._exists(path):
            raise ToolError(f"{path} is there already.")
        self._put(path, None)

    def _touch(self, flags: frozenset[str], operands: list[str]) -> str:
        for path in self._operands("touch", operands, 1):
            if not self._exists(path):
                self._put(path, "")
        return ""

    def _echo(self, arguments: list[str]) -> str:
        bare = arguments[:1] == ["-n"]
        arguments = arguments[bare:]
        signs = [i for i, word in enumerate(arguments) if word in (">", ">>")]
        if not signs:
            return " ".join(arguments)
        if signs != [len(arguments) - 2]:
            raise ToolError("echo takes a text and, at the end, > or >> with one file.")
        text = " ".join(arguments[: signs[0]]) + "\n" * (not bare)
        path = self.resolve(arguments[-1])
        old = self._text(path) if arguments[-2] == ">>" and self._exists(path) else ""
        # a line is added as a line even if the last one was left open
        self._put(path, old + ("\n" if old and not old.endswith("\n") else "") + text)
        return ""

    def _mv(self, flags: frozenset[str], operands: list[str]) -> str:
        for source, target in self._pairs("mv", operands):
            if source == "/" or f"{self.directory}/".startswith(f"{source}/"):
                raise ToolError(f"mv: {source} is the current directory, or holds it.")
            if source == target:
                continue
            self._copy(source, target)
            self._remove(source)
        return ""

    def _cp(self, flags: frozenset[str], operands: list[str]) -> str:
        for source, target in self._pairs("cp", operands):
            if self._is_directory(source) and "r" not in flags:
                raise ToolError(f"cp: {source} is a directory; use -r.")
            if source == target:
                raise ToolError(f"cp: {source} would be copied to itself.")
            self._copy(source, target)
        return ""

    def _rm(self, flags: frozenset[str], operands: list[str]) -> str:
        for path in self._operands("rm", operands, 1):
            if not self._exists(path):
                if "f" in flags:
                    continue
                raise ToolError(f"There is no {path}.")
            if self._is_directory(path) and "r" not in flags:
                raise ToolError(f"rm: {path} is a directory; use -r.")
            if path == "/" or f"{self.directory}/".startswith(f"{path}/"):
                raise ToolError(f"rm: {path} is the current directory, or holds it.")
            self._remove(path)
        return ""

    # --- what commands are made of ---

    def _pairs(self, name: str, operands: list[str]) -> list[tuple[str, str]]:
        """Sources and where they go: into a directory if there is one, else to a new name."""
        *sources, target = self._operands(name, operands, 2)
        if self._is_directory(target):
            into = "" if target == "/" else target
            return [(source, f"{into}/{source.rpartition('/')[2]}") for source in sources]
        if len(sources) > 1:
            raise ToolError(f"{name}: {target} is no directory.")
        return [(sources[0], target)]

    def _copy(self, source: str, target: str) -> None:
        if not self._exists(source):
            raise ToolError(f"There is no {source}.")
        if not self._is_directory(source):
            self._put(target, self._text(source))
            return
        if f"{target}/".startswith(f"{source}/") or source == "/":
            raise ToolError(f"{source} cannot go into itself.")
        if self._exists(target):
            raise ToolError(f"{target} is there already.")
        copies = {target + path[len(source) :]: self.tree[path] for path in [source, *self._below(source)]}
        for path, content in copies.items():
            self._put(path, content)

    def _remove(self, path: str) -> None:
        for below in [path, *self._below(path)]:
            del self.tree[below]

    def _put(self, path: str, content: str | None) -> None:
        """Makes or overwrites a file, or makes a directory."""
        self._need_directory(parent(path))
        if content is not None and self._is_directory(path):
            raise ToolError(f"{path} is a directory.")
        if path.count("/") > MAX_DEPTH or len(path.rpartition("/")[2]) > MAX_NAME_CHARS:
            raise ToolError(f"Names may have {MAX_NAME_CHARS} characters, and paths {MAX_DEPTH} names.")
        nodes = len(self.tree) + (path not in self.tree)
        others = sum(len(text) for other, text in self.tree.items() if text and other != path)
        if nodes > MAX_NODES or others + len(content or "") > MAX_TOTAL_CHARS:
            raise ToolError(f"The disk is full: {MAX_NODES:,} files, {MAX_TOTAL_CHARS:,} characters in all.")
        self.tree[path] = content

    def resolve(self, path: str) -> str:
        """The absolute path; ``..`` at the top stays there."""
        if not path or any(ord(char) < 32 for char in path):
            raise ToolError("A path is not empty, and has no control characters.")
        parts: list[str] = []
        for part in (path if path.startswith("/") else f"{self.directory}/{path}").split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def _operands(
        self, name: str, operands: Sequence[str], least: int, most: int = MAX_ARGUMENTS
    ) -> list[str]:
        if not least <= len(operands) <= most:
            raise ToolError(f"{name} takes {least} path{'s' * (least > 1)}{' or more' * (most > least)}.")
        return [self.resolve(operand) for operand in operands]

    def _expand(self, operands: Sequence[str]) -> list[str]:
        """With patterns in the last part of paths replaced by what they match, if anything."""
        paths: list[str] = []
        for operand in operands:
            pattern = operand.rpartition("/")[2]
            found: list[str] = []
            if "*" in pattern or "?" in pattern:
                top = self.resolve(operand[: len(operand) - len(pattern)] or ".")
                children = self._children(top) if self._is_directory(top) else []
                found = [path for path in children if matches(path.rpartition("/")[2], pattern)]
            paths += found or [operand]
            if len(paths) > MAX_ARGUMENTS:
                raise ToolError(f"A command may have {MAX_ARGUMENTS} arguments.")
        return paths

    def _exists(self, path: str) -> bool:
        return path == "/" or path in self.tree

    def _is_directory(self, path: str) -> bool:
        return path == "/" or (path in self.tree and self.tree[path] is None)

    def _need_directory(self, path: str) -> None:
        if not self._is_directory(path):
            raise ToolError(f"{path} is no directory." if self._exists(path) else f"There is no {path}.")

    def _text(self, path: str) -> str:
        text = self.tree.get(path)
        if text is None:
            raise ToolError(f"{path} is a directory." if self._exists(path) else f"There is no {path}.")
        return text

    def _below(self, path: str) -> list[str]:
        """Everything below a directory, in the order of paths."""
        start = "/" if path == "/" else f"{path}/"
        return sorted(other for other in self.tree if other.startswith(start))

    def _children(self, path: str) -> list[str]:
        return [below for below in self._below(path) if parent(below) == path]

    def _shown(self, path: str, whole: bool = False) -> str:
        return (path if whole else path.rpartition("/")[2]) + "/" * (self.tree[path] is None)


def _holds(line: str, text: str, ignore_case: bool) -> bool:
    return text.casefold() in line.casefold() if ignore_case else text in line


def _bound(lines: Sequence[str]) -> None:
    if sum(map(len, lines)) > MAX_OUTPUT_CHARS:
        raise ToolError(f"The command prints more than {MAX_OUTPUT_CHARS:,} characters; ask for less.")
