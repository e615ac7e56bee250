"""Every code block of the README and of docs/ runs; what takes long is parsed, and what cannot run says why.

* Python blocks of a page run in order in one namespace, in a folder of the page's own; those of the README each alone.
  A block with a title (``title="src/x.py"``) is written to that file, whatever its language.
* Shell blocks run line by line in the same folder. Commands of ours that take long (``LONG``) are parsed: a wrong
  option, a wrong value or an unknown environment fails. Other programs have to be there: a file, a target of make.
* ``<!-- not run: REASON -->`` above a block leaves it at parsing, and shows the reader of the source why.

The author's tutorial runs in a new environment: ``tests/scaffold/test_author_tutorial.py``.
"""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import yaml

from rlvr_gym.cli.main import app
from rlvr_gym.registration import entry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ALONE = ROOT / "README.md"
ELSEWHERE = DOCS / "tutorials" / "author.md"
PAGES = [ALONE, *sorted(DOCS.rglob("*.md"))]
SHELLS = ("bash", "console", "sh")
LONG = {
    "train": "trains",
    "pipeline": "trains",
    "bench": "trains",
    "scaling": "needs a run",
    "report": "needs a run",
    "rescore": "needs a run",
    "compare": "needs results",
    "leaderboard": "needs results",
    "audit": "takes minutes with --all",
    "sandbox": "needs an engine, or takes minutes",
    "catalogue": "takes minutes",
    "play": "needs a person",
    "serve": "does not end",
    "mcp": "does not end",
    "data": "needs data",
    "verify": "needs data",
}
"""Commands of ours that are only parsed, and why; ``eval`` is, too, unless the model is one of ``CHEAP``."""
CHEAP = ("oracle", "random", "empty")
OTHERS = {
    ".",
    "cd",
    "curl",
    "docker",
    "git",
    "inspect",
    "kubectl",
    "npx",
    "pytest",
    "ray",
    "ruff",
    "torchrun",
    "vf-eval",
}
"""Programs that are not ours: nothing is known about their options."""
FENCE = re.compile(
    r"(?:<!--\s*not run:\s*(?P<why>[^>]+?)\s*-->\s*\n)?"
    r"^(?P<indent>[ ]*)(?P<marks>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)(?P=marks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="needs the repository")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: where it is.
        line: where its text begins.
        language: the first word of its info string.
        title: the file that it is written to; empty if it is none.
        text: it.
        why: the reason for which it does not run; empty if it does.
    """

    page: Path
    line: int
    language: str
    title: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The command lines of a shell block: those with a prompt in a console, else all."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.language == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        body = re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
        line = text.count("\n", 0, match.start("body")) + 1
        found.append(Block(page, line, language, title[1] if title else "", body, match["why"] or ""))
    return found


BLOCKS = {page: blocks_of(page) for page in PAGES}


def words(command: str) -> list[str]:
    """The words of a command up to a pipe or a comment, without variables that are set in front."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;<>"):
            break
        if found or not re.fullmatch(r"[A-Z_]+=.*", word):
            found.append(word)
    if found[:3] == ["python", "-m", "rlvr_gym"]:
        found = ["rlvr-gym", *found[3:]]
    return found


def is_long(command: str) -> bool:
    given = words(command)
    if given[0] != "rlvr-gym":
        return True
    if given[1:2] == ["eval"]:
        return not any(given[given.index(word) + 1] in CHEAP for word in given if word == "--model")
    return given[1] in LONG


def check(command: str) -> None:
    """Fails if a command cannot be right: unknown to us, wrong options, no such file, environment or target."""
    program, *rest = words(command)
    if program == "rlvr-gym":
        parse(rest)
    elif program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(rest) <= set(targets), f"no such target of make: {rest}"
    elif program == "python" and rest[:1] == ["-m"]:
        assert importlib.util.find_spec(rest[1]) is not None, f"no such module: {rest[1]}"
    elif program == "python":
        assert (ROOT / rest[0]).exists(), f"no such file: {rest[0]}"
    elif program == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        named = re.findall(r"rlvr-gym\[([\w,-]+)\]|(?<=\.)\[([\w,-]+)\]", command)
        unknown = {name for pair in named for name in "".join(pair).split(",")} - set(extras)
        assert not unknown, f"no such extra: {unknown}"
    else:
        assert program in OTHERS, f"what is {program}?"


def parse(arguments: list[str]) -> None:
    """Lets the command line read the arguments, without doing anything."""
    command = typer.main.get_command(app)
    context = None
    while hasattr(command, "commands"):
        if not arguments:  # `rlvr-gym rewards`: a group that does something by itself
            return
        context = command.make_context(command.name, arguments[:0], parent=context, resilient_parsing=True)
        assert arguments[0] in command.commands, f"no such command: {arguments[0]}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    if {"--help", "-h"} & set(arguments):
        return
    made = command.make_context(command.name, list(arguments), parent=context)
    names = made.params.get("env") or made.params.get("envs") or made.params.get("what") or []
    for name in [names] if isinstance(names, str) else names:
        if str(name).endswith((".yaml", ".yml", ".json")):
            assert not str(name).startswith("recipes/") or (ROOT / name).exists(), f"no such recipe: {name}"
        elif ":" not in name and not name.startswith(("my-env/", "my_env")):
            entry(name)


def steps(blocks: list[Block]) -> list[dict[str, object]]:
    """What a page does, in order, for ``run_page.py``."""
    found: list[dict[str, object]] = []
    for block in blocks:
        where = {"page": str(block.page), "line": block.line}
        if block.why:
            continue
        if block.title:
            found.append({"do": "write", "path": block.title, "text": block.text})
        elif block.language == "python":
            found.append({"do": "python", **where, "text": block.text})
        elif block.language in SHELLS:
            found += [{"do": "shell", **where, "text": c} for c in block.commands if not is_long(c)]
    return found


def run(given: list[dict[str, object]], folder: Path, *flags: str) -> str:
    """Lets an interpreter of its own take the steps; returns what they print."""
    bin_folder = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, *flags, str(Path(__file__).with_name("run_page.py"))],
        input=json.dumps(given),
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_something_for_each_kind_of_user():
    assert sum(block.language == "python" for block in BLOCKS[ALONE]) >= 3
    for name in ("author", "engineer", "researcher"):
        assert BLOCKS[DOCS / "tutorials" / f"{name}.md"]


@pytest.mark.parametrize("block", [b for b in BLOCKS[ALONE] if b.language == "python"], ids=str)
def test_a_block_of_the_readme_runs_alone_without_a_word_on_stderr(block, tmp_path):
    assert run(steps([block]), tmp_path, "-W", "error").strip()


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page not in (ALONE, ELSEWHERE) and steps(BLOCKS[page])],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_page_runs_from_top_to_bottom(page, tmp_path):
    for name in ("recipes", "examples", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    run(steps(BLOCKS[page]), tmp_path)


@pytest.mark.parametrize(
    "block", [b for page in PAGES for b in BLOCKS[page] if b.language in SHELLS and b.commands], ids=str
)
def test_commands_can_be_right(block):
    for command in block.commands:
        check(command)


@pytest.mark.parametrize(
    "block",
    [b for page in PAGES for b in BLOCKS[page] if b.language in ("python", "json", "yaml")],
    ids=str,
)
def test_text_is_of_its_language(block):
    if block.text.startswith("--8<--"):
        assert (ROOT / block.text.split('"')[1]).is_file()
    elif block.language == "python":
        compile(block.text, str(block), "exec")
    elif block.language == "json":
        json.loads(block.text)
    else:
        yaml.safe_load(block.text)


def test_commands_are_marked_as_such():
    plain = [b for page in PAGES for b in BLOCKS[page] if not b.language]
    assert [str(b) for b in plain if re.match(r"(?:\$ |rlvr-gym |pip |python )", b.text)] == []


def test_who_does_not_run_says_why():
    unused = {
        page: page.read_text(encoding="utf-8").count("<!-- not run") - sum(bool(b.why) for b in BLOCKS[page])
        for page in PAGES
    }
    assert not any(unused.values()), f"a mark stands above no block: {unused}"
    assert all(len(block.why.split()) >= 3 for page in PAGES for block in BLOCKS[page] if block.why)


@pytest.mark.parametrize(
    ("command", "fragment"),
    [
        ("rlvr-gym trian Countdown", "no such command"),
        ("rlvr-gym train Countdown --stpes 3", "--stpes"),
        ("rlvr-gym train Countdown --steps few", "valid integer"),
        ("rlvr-gym train Countdwon", "Countdwon"),
        ("rlvr-gym train recipes/none.yaml", "no such recipe"),
        ("python benchmarks/none.py --fast", "no such file"),
        ("make coffee", "no such target"),
        ("pip install 'rlvr-gym[coffee]'", "no such extra"),
        ("rm -rf /", "what is rm"),
    ],
)
def test_a_command_that_is_wrong_is_found(command, fragment):
    with pytest.raises(Exception, match=re.escape(fragment)):
        check(command)
