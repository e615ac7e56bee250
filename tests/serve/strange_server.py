"""A server of an environment that does what servers fear: ``python strange_server.py '{"max_sessions": 2}'``.

The environment obeys its player: ``wait PATH`` (for the file), ``raise``, ``exit``, ``stop`` (never comes back), ``big``, and for the verifier
``answer wrong``, ``answer right``, ``answer hang`` and ``answer fail PATH`` (which fails until the file is there). All of its
exceptions and details quote the answer.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rlvr_gym.problem import Dialogue, Reply
from rlvr_gym.registration import register
from rlvr_gym.serve import ServeConfig, serve
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import Verifier, register_verifier

SECRET = "the-secret-of-the-task"


@register_verifier("strange")
class StrangeVerifier(Verifier):
    def judge(self, completion, task):
        order = completion.split()[1]
        if order == "hang":
            while True:
                pass
        if order == "fail" and not Path(completion.split()[2]).exists():
            raise RuntimeError(f"it should have been {task.answer}")
        if order == "wrong":
            return Verdict.wrong(extracted=task.answer, expected=task.answer)
        return Verdict.right(extracted=task.answer, expected=task.answer)


@register("test/Strange-v0", family="test")
@dataclass(frozen=True, kw_only=True)
class Strange(Dialogue):
    """Does what it is told."""

    prompt_chars: int = 10
    verifier: ClassVar[str] = "strange"
    max_turns: ClassVar[int] = 1000

    def generate(self, rng, difficulty):
        number = int(rng.integers(10**9))
        return Task(
            prompt=f"{number} {'x' * self.prompt_chars}", answer=SECRET, metadata={"plan": SECRET}, solution=SECRET
        )  # fmt: skip

    def start(self, task):
        return None

    def reply(self, task, state, action):
        order, _, rest = action.partition(" ")
        if order == "wait":
            while not Path(rest).exists():
                time.sleep(0.01)
        if order == "stop":
            time.sleep(10_000)
        if order == "exit":
            raise SystemExit(task.answer)
        if order == "raise":
            raise RuntimeError(f"it should have been {task.answer}")
        if order == "answer":
            return Reply(answer=action)
        return Reply(text=f"{order}? {'y' * (10**5 if order == 'big' else 1)}", metrics={"asked": 1.0})

    def oracle(self, task, state):
        return "answer right"


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    settings = options.pop("settings", {})
    config = ServeConfig(port=0, **options)
    told = "served at http://127.0.0.1:{} for tests"
    done = serve(
        "test/Strange-v0",
        config,
        on_start=lambda port: print(told.format(port), file=sys.stderr, flush=True),
        **settings,
    )
    print("ended" if done else "something is left", file=sys.stderr, flush=True)
    if not done:
        import os

        os._exit(1)
