"""Instructions about a file tree, carried out with a shell; the tree that is there in the end is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import level
from rlvr_gym.envs.tools._dialogue import StateDialogue, turns_for
from rlvr_gym.envs.tools._file_tasks import INSTRUCTIONS, draw_tree
from rlvr_gym.envs.tools._instructions import compose, numbered
from rlvr_gym.envs.tools._shell import COMMANDS, Shell
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool

__all__ = ["FileSystem"]


@register("rlvr/FileSystem-v0", family="tools")
@dataclass(frozen=True, kw_only=True)
class FileSystem(StateDialogue):
    """Carry out instructions about a file tree in memory: move, copy, delete, rename, count, look up, append, list.

    The files and directories that are there in the end count, with their contents (white space at the end of a file
    left out), however they came there; anything else that is changed makes it wrong. Difficulty 1 to 10 is 1 to 7
    instructions, one after the other, and 10 to 46 files; the hardness is the number of commands that carry them out.
    """

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws instructions, each for the tree that the ones before it leave."""
        start = draw_tree(6 + 4 * difficulty, rng)
        shell = Shell(dict(start))
        tools, count = self.tools(shell), level(difficulty, 1, 7)
        texts, plan = compose(INSTRUCTIONS, shell.tree, tools, count, rng)
        turns = turns_for(plan)
        return Task(
            prompt=(
                "You are at the top, /, of a file tree. Carry out these instructions in this order, and change nothing "
                f"else:\n\n{numbered(texts)}\n\n'Below' a directory is in it, in a directory in it, and so on.\n\n"
                f"{self.rules(tools, turns)}"
            ),
            answer=self.facts(shell),
            metadata={
                "hardness": sum(map(len, plan)),
                "instructions": texts,
                "turns": turns,
                "plan": plan,
                "tree": start,
            },
        )

    def open(self, task: Task) -> Shell:
        """A copy of the tree."""
        return Shell(dict(task.metadata["tree"]))

    def tools(self, world: Any) -> Sequence[Tool]:
        """The shell, and a way to write several lines."""
        return (
            Tool("shell", f"runs one command: {COMMANDS}", {"command": str}, world.run),
            Tool("write", "makes or overwrites a file", {"path": str, "content": str}, world.write),
        )

    def facts(self, world: Any) -> list[str]:
        """All paths and contents."""
        return [
            json.dumps([path, text if text is None else text.rstrip()])
            for path, text in sorted(world.tree.items())
        ]
