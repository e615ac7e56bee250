"""Run by the interpreter that has ``verifiers``: plays an environment of theirs through ours, prints what came of it."""

import json
import sys
from pathlib import Path

THEIRS = """
import time

import verifiers as vf
from datasets import Dataset


def load_environment(n=6, strict=False):
    rows = [{"question": f"What is {i} + {i}?", "answer": str(2 * i)} for i in range(n)]
    parser = vf.XMLParser(["think", "answer"], answer_field="answer")

    def right(parser, completion, answer, **_):
        said = parser.parse_answer(completion) or ""
        if said == "hang":
            time.sleep(1000)
        if said == "die":
            import os
            os._exit(3)
        if said == "raise":
            raise RuntimeError("their defect")
        return float(said == answer)

    rubric = vf.Rubric(funcs=[right, parser.get_format_reward_func()], weights=[1.0, 0.25], parser=parser)
    return vf.SingleTurnEnv(
        dataset=Dataset.from_list(rows), system_prompt="Answer in tags.", parser=parser, rubric=rubric
    )
"""
SEVERAL = """
import verifiers as vf
from datasets import Dataset


class Talk(vf.MultiTurnEnv):
    async def env_response(self, messages, state, **_):
        return []


def load_environment():
    rows = [{"question": "?", "answer": ""}]
    return Talk(dataset=Dataset.from_list(rows), rubric=vf.Rubric(funcs=[lambda **_: 1.0]))
"""


def main(folder):
    (folder / "doubling_env.py").write_text(THEIRS)
    (folder / "talking_env.py").write_text(SEVERAL)
    sys.path.insert(0, str(folder))
    import rlvr_gym
    from rlvr_gym.errors import DataError

    problem = rlvr_gym.load_problem(
        "PrimeEnvironment", environment="doubling-env", arguments={"n": 5}, full_reward=1.25, timeout=3.0
    )
    source = problem.source(0)
    task = source[0]
    verifier = problem.make_verifier()
    right = f"<think>hm</think><answer>{problem.answer_text(task)}</answer>"
    texts = {"right": right, "wrong": "<think>hm</think><answer>-1</answer>", "empty": "",
             "hang": "<answer>hang</answer>", "after_hang": right, "die": "<answer>die</answer>",
             "raise": "<answer>raise</answer>", "after": right}  # fmt: skip
    found = {name: verifier.verify(text, task).to_dict() for name, text in texts.items()}
    found["count"] = source.length
    found["prompt"] = task.prompt
    found["ids"] = sorted(source[i].id for i in range(source.length))
    found["trusted"] = rlvr_gym.registration.entry("PrimeEnvironment").trusted
    env = rlvr_gym.make("PrimeEnvironment", environment="doubling-env", full_reward=1.25)
    env.reset(seed=3)
    said = f"<think>hm</think><answer>{env.unwrapped.task.answer['reference']}</answer>"
    found["reward"] = env.step(said)[1]
    found["refused"] = {}
    for name in ("talking-env", "nowhere-env"):
        try:
            rlvr_gym.load_problem("PrimeEnvironment", environment=name).source(0)
        except DataError as error:
            found["refused"][name] = str(error)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
