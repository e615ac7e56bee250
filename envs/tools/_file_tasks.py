"""File trees with made-up contents, and instructions about them with the commands that carry them out."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from rlvr_gym.envs._authoring import integer, pick, shuffled
from rlvr_gym.envs.tools._dialogue import Calls
from rlvr_gym.envs.tools._instructions import Draw, Instruction
from rlvr_gym.envs.tools._shell import Tree, parent

__all__ = ["INSTRUCTIONS", "draw_tree"]

_FOLDERS = ("data", "docs", "src", "home", "work", "old", "mail", "web", "shop", "lab", "team", "misc")
_NAMES = (
    "plan",
    "report",
    "draft",
    "table",
    "notes",
    "index",
    "stock",
    "order",
    "budget",
    "survey",
    "letter",
    "trip",
)
_ENDINGS = ("txt", "log", "csv", "md", "cfg")
_WORDS = ("apple", "river", "copper", "winter", "garden", "rocket", "violet", "marble", "falcon", "ginger")
_KEYS = ("port", "limit", "version", "budget", "timeout", "owner")
_NEW = ("archive", "backup", "sorted", "outbox", "picked", "review", "export", "storage", "cellar", "attic")


def draw_tree(files: int, rng: np.random.Generator) -> Tree:
    """Directories up to three deep with files in them, whose names are all different."""
    folders = [f"/{name}" for name in shuffled(rng, _FOLDERS)[: max(2, files // 6)]]
    for name in shuffled(rng, _FOLDERS)[: files // 8]:
        place = pick(rng, folders)
        if place.count("/") < 3 and f"{place}/{name}" not in folders:
            folders.append(f"{place}/{name}")
    tree: Tree = dict.fromkeys(folders)
    for number in shuffled(rng, range(10, 10 + files)):
        path = f"{pick(rng, folders)}/{pick(rng, _NAMES)}-{number}.{pick(rng, _ENDINGS)}"
        tree[path] = _draw_text(rng)
    return {path: tree[path] for path in sorted(tree)}


def _draw_text(rng: np.random.Generator) -> str:
    lines = [f"{key} = {integer(rng, 100, 99_999)}" for key in shuffled(rng, _KEYS)[: integer(rng, 1, 2)]]
    lines += [f"the {pick(rng, _WORDS)} and the {pick(rng, _WORDS)}" for _ in range(integer(rng, 1, 3))]
    return "".join(f"{line}\n" for line in shuffled(rng, lines))


def _instruction(text: str, look: Sequence[str], do: Sequence[str]) -> Instruction:
    return Instruction(text, [_calls([command]) for command in look], _calls(do))


def _calls(commands: Sequence[str]) -> Calls:
    return [["shell", {"command": command}] for command in commands]


def _files(tree: Tree, folder: str, ending: str = "", word: str = "") -> list[str]:
    return [
        path
        for path, text in tree.items()
        if text is not None and path.startswith(f"{folder}/") and path.endswith(ending) and word in text
    ]


def _quote(*words: str) -> str:
    return " ".join(map(shlex.quote, words))


def _folder(tree: Tree, rng: np.random.Generator) -> str:
    return pick(rng, [path for path, text in tree.items() if text is None])


def _new(tree: Tree, rng: np.random.Generator, ending: str = "") -> str | None:
    """A path at the top that is not there yet."""
    free = [f"/{name}{ending}" for name in _NEW if f"/{name}{ending}" not in tree]
    return pick(rng, free) if free else None


def _gather(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    folder, ending, word, new = (
        _folder(tree, rng),
        f".{pick(rng, _ENDINGS)}",
        pick(rng, _WORDS),
        _new(tree, rng),
    )
    found = _files(tree, folder, ending, word)
    if new is None or not found or len({path.rpartition("/")[2] for path in found}) < len(found):
        return None
    return _instruction(
        f"Make the directory {new}, and move every file below {folder} into it whose name ends in {ending} and that "
        f"contains the word {word}.",
        [f"grep -r -l {word} {folder}"],
        [f"mkdir {new}", f"mv {_quote(*found)} {new}"],
    )


def _delete(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    folder, ending = _folder(tree, rng), f".{pick(rng, _ENDINGS)}"
    found = _files(tree, folder, ending)
    if not found:
        return None
    return _instruction(
        f"Delete every file below {folder} whose name ends in {ending}.",
        [f"find {folder} -name '*{ending}'"],
        [f"rm {_quote(*found)}"],
    )


def _copy(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    folder, new = _folder(tree, rng), _new(tree, rng)
    if new is None or len(_files(tree, folder)) > 12:
        return None
    text = f"Copy the directory {folder}, with everything in it, to the new directory {new}."
    return _instruction(text, [f"ls -R {folder}"], [f"cp -r {folder} {new}"])


def _rename(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    path = pick(rng, _files(tree, ""))
    name, new = path.rpartition("/")[2], f"{pick(rng, _NEW)}-{integer(rng, 100, 999)}.txt"
    if sum(other.endswith(f"/{name}") for other in tree) != 1 or f"{parent(path)}/{new}" in tree:
        return None
    text = f"There is one file with the name {name}; rename it to {new}, in the directory where it is."
    return _instruction(text, [f"find / -name {name}"], [f"mv {path} {parent(path)}/{new}"])


def _count(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    folder, word, new = _folder(tree, rng), pick(rng, _WORDS), _new(tree, rng, ".txt")
    if new is None:
        return None
    number = len(_files(tree, folder, "", word))
    return _instruction(
        f"Write the number of files below {folder} that contain the word {word} into the new file {new}, as digits and "
        "nothing else.",
        [f"grep -r -l {word} {folder}"],
        [f"echo {number} > {new}"],
    )


def _value(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    path, key, new = pick(rng, _files(tree, "")), pick(rng, _KEYS), _new(tree, rng, ".txt")
    name = path.rpartition("/")[2]
    values = [line for line in (tree[path] or "").splitlines() if line.startswith(f"{key} = ")]
    if new is None or len(values) != 1 or sum(other.endswith(f"/{name}") for other in tree) != 1:
        return None
    return _instruction(
        f"There is one file with the name {name}; write the number that it gives for {key} into the new file {new}, as "
        "digits and nothing else.",
        [f"find / -name {name}", f"cat {path}"],
        [f"echo {values[0].rpartition(' ')[2]} > {new}"],
    )


def _append(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    folder, ending = _folder(tree, rng), f".{pick(rng, _ENDINGS)}"
    found = _files(tree, folder, ending)
    if not 1 <= len(found) <= 6:
        return None
    line = f"checked by {pick(rng, _WORDS)} {integer(rng, 10, 99)}"
    return _instruction(
        f"Add the line '{line}' at the end of every file below {folder} whose name ends in {ending}.",
        [f"find {folder} -name '*{ending}'"],
        [f"echo {line} >> {path}" for path in found],
    )


def _list(tree: Tree, rng: np.random.Generator) -> Instruction | None:
    folder, word, new = _folder(tree, rng), pick(rng, _WORDS), _new(tree, rng, ".txt")
    found = sorted(_files(tree, folder, "", word))
    if new is None or not 2 <= len(found) <= 6:
        return None
    return _instruction(
        f"Write the full paths of all files below {folder} that contain the word {word} into the new file {new}, one a "
        "line, in alphabetical order.",
        [f"grep -r -l {word} {folder}"],
        [f"echo {path} >> {new}" for path in found],
    )


INSTRUCTIONS: tuple[Draw[Tree], ...] = (_gather, _delete, _copy, _rename, _count, _value, _append, _list)
"""The kinds of instructions."""
