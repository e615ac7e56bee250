"""Run by the interpreter that has ``verifiers`` 0.4: plays task sets of theirs through ours, prints what came of it."""

import json
import sys
from pathlib import Path

DOUBLING = """
import asyncio
import itertools
import os
import time

import verifiers.v1 as vf


class DoublingConfig(vf.TasksetConfig):
    n: int | None = 6


class DoublingData(vf.TaskData):
    answer: str


class DoublingTask(vf.Task[DoublingData]):
    @vf.reward(weight=2.0)
    async def right(self, trace) -> float:
        said = trace.last_reply
        if said == "hang":
            time.sleep(1000)
        if said == "die":
            os._exit(3)
        if said == "raise":
            raise RuntimeError("their defect")
        return float(said == self.data.answer)

    @vf.metric
    async def length(self, trace) -> float:
        return float(len(trace.assistant_messages[0].content))


class Doubling(vf.Taskset[DoublingTask, DoublingConfig]):
    def __init__(self, config):
        super().__init__(config)
        self.INFINITE = config.n is None

    def load(self):
        for i in itertools.count() if self.config.n is None else range(self.config.n):
            prompt = f"What is {i} + {i}?"
            yield DoublingTask(DoublingData(prompt=prompt, system_prompt="A number.", answer=str(2 * i)), self.config.task)


__all__ = ["Doubling"]
"""
MACHINE = """
import verifiers.v1 as vf


class MachineTask(vf.Task[vf.TaskData]):
    NEEDS_CONTAINER = True

    async def setup(self, runtime) -> None:
        pass

    @vf.reward
    async def solved(self, trace, runtime) -> float:
        return 1.0


class Machine(vf.Taskset[MachineTask, vf.TasksetConfig]):
    def load(self):
        yield MachineTask(vf.TaskData(prompt="Do it."), self.config.task)


class MachineEnv(vf.SingleAgentEnv):
    pass


__all__ = ["Machine", "MachineEnv"]
"""


def main(folder):
    (folder / "doubling_set.py").write_text(DOUBLING)
    (folder / "machine_set.py").write_text(MACHINE)
    sys.path.insert(0, str(folder))
    import rlvr_gym
    from rlvr_gym.errors import DataError

    problem = rlvr_gym.load_problem(
        "PrimeEnvironment", environment="doubling-set", full_reward=2.0, timeout=4.0
    )
    source = problem.source(0)
    task = source[0]
    verifier = problem.make_verifier()
    right = problem.answer_text(task)
    texts = {"right": right, "wrong": "-1", "empty": "", "hang": "hang", "after_hang": right, "die": "die",
             "raise": "raise", "after": right}  # fmt: skip
    found = {name: verifier.verify(text, task).to_dict() for name, text in texts.items()}
    found["count"], found["prompt"] = source.length, task.prompt
    endless = rlvr_gym.load_problem("PrimeEnvironment", environment="doubling-set", arguments={"n": None})
    found["endless"] = endless.source(0).length
    found["refused"] = {}
    for name, env_id, settings in (
        ("machine", "PrimeEnvironment", {"environment": "machine-set"}),
        ("nowhere", "PrimeEnvironment", {"environment": "nowhere-set"}),
        ("split", "PrimeEnvironment", {"environment": "doubling-set", "split": "eval"}),
        ("dialogue", "PrimeDialogue", {"environment": "doubling-set"}),
    ):
        try:
            rlvr_gym.load_problem(env_id, **settings).source(0)
        except DataError as error:
            found["refused"][name] = str(error)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
