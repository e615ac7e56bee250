"""Run by the interpreter that has ``verifiers`` 0.1: plays conversations of theirs through ours, prints what came of it."""

import gc
import json
import math
import os
import sys
from pathlib import Path

THEIRS = '''
import os
import random
import time

import verifiers as vf
from datasets import Dataset

ROWS = [{"question": f"A number from 1 to 8, please ({i}).", "answer": str(i + 2)} for i in range(4)]


class Guess(vf.MultiTurnEnv):
    """Says what it says by its state; draws a number that nobody knows before."""

    async def setup_state(self, state):
        state["luck"] = random.randrange(10**9)
        state["said"] = []
        if self.opening:
            state["prompt"] = [vf.UserMessage(content="Something else.")]

    async def env_response(self, messages, state, **_):
        said = messages[-1].content
        if said == "hang":
            time.sleep(1000)
        if said == "die":
            os._exit(3)
        if said == "raise":
            raise RuntimeError("their defect")
        state["said"].append(said)
        if said == "luck":
            return [vf.UserMessage(content=str(state["luck"]))]
        if not said.isdigit():
            return [vf.UserMessage(content="A number, please.")]
        return [vf.UserMessage(content="higher" if int(said) < int(state["answer"]) else "lower")]

    @vf.stop
    async def found(self, state):
        return bool(state["trajectory"]) and state["trajectory"][-1]["completion"][-1].content == state["answer"]


def load_environment(opening=False):
    def right(state, answer, **_):
        if state["said"] and state["said"][-1] == "badly":
            raise RuntimeError("a defect of the rubric")
        return float(state["stop_condition"] == "found")

    def quick(state, **_):
        return 1 / len(state["trajectory"])

    rubric = vf.Rubric(funcs=[right, quick], weights=[1.0, 1.0])
    env = Guess(dataset=Dataset.from_list(ROWS), system_prompt="You guess.", rubric=rubric, max_turns=6)
    env.opening = opening
    return env
'''
TOOLS = '''
import verifiers as vf
from datasets import Dataset


def add(a: int, b: int = 1) -> int:
    """Adds two numbers.

    Args:
        a: one of them.
        b: the other.
    """
    return a + b


def load_environment():
    rows = [{"question": "What is 20 + 22?", "answer": "42"}]
    rubric = vf.Rubric(funcs=[lambda completion, answer, **_: float(answer in completion[-1].content)])
    return vf.ToolEnv(tools=[add], dataset=Dataset.from_list(rows), rubric=rubric, max_turns=4)
'''


def play(env, actions, seed=0, index=0):
    """Every observation, and the end: the conversation is shown whole, so that only what is new is kept."""
    env.reset(seed=seed, options={"index": index})
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            return end(observation, reward, info) | {
                "truncated": truncated,
                "turns": env.unwrapped._episode.turns,
            }
    return {"messages": json.loads(observation)}


def end(observation, reward, info):
    return {"messages": json.loads(observation), "reward": reward, "verdict": info["verdict"].to_dict()}


def children():
    """Processes that play conversations: those whose parent's parent is this one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    return sum(parents.get(parent) == os.getpid() for parent in parents.values())


def failures():
    """What happens to conversations of which some go wrong, all at once."""
    import rlvr_gym

    vector = rlvr_gym.make_vec(
        "PrimeDialogue",
        num_envs=5,
        autoreset_mode="Disabled",
        environment="guess-env",
        timeout=4.0,
        full_reward=1.5,
    )
    vector.reset(seed=0)
    episodes = vector.unwrapped._episodes
    vector.step(["no number"] * 5)
    _, rewards, *_ = vector.step(
        ["hang", "die", "raise", *(episode.task.answer["reference"] for episode in episodes[3:])]
    )
    verdicts = [episode.verdict.to_dict() for episode in episodes]
    return {"verdicts": verdicts, "rewards": [None if math.isnan(reward) else reward for reward in rewards]}


def main(folder):
    (folder / "guess_env.py").write_text(THEIRS)
    (folder / "tools_env.py").write_text(TOOLS)
    sys.path.insert(0, str(folder))
    import rlvr_gym

    def make(**settings):
        return rlvr_gym.make("PrimeDialogue", observation="chat", timeout=20.0, **settings)

    env = make(environment="guess-env", full_reward=2.0)
    answers = {}
    for i in range(4):
        env.reset(seed=0, options={"index": i})
        answers[i] = env.unwrapped.task.answer["reference"]
    found = {
        "prompt": env.unwrapped.task.prompt,
        "trusted": rlvr_gym.registration.entry("PrimeDialogue").trusted,
        "answer": answers[0],
        "at_once": play(env, [answers[0]]),
        "later": play(env, ["8", "no number", answers[0]]),
        "never": play(env, ["8"] * 20),
        "rubric": play(env, ["badly"] * 6),
        "luck": [play(env, ["luck"], index=i)["messages"][-1]["content"] for i in (0, 0, 1)],
        "few": play(make(environment="guess-env", turns=2), ["8", "8"]),
        "opening": play(make(environment="guess-env", arguments={"opening": True}), ["1"]),
    }
    for _ in range(3):
        env.reset(seed=0)
    gc.collect()
    env.reset(seed=0)
    found["children"] = children()
    found["failures"] = failures()
    found["after"] = play(env, [answers[0]])

    def call(**arguments):
        return f"<tool_call>{json.dumps({'name': 'add', 'arguments': arguments})}</tool_call>"

    tools = make(environment="tools-env")
    tools.reset(seed=0)
    found["tools_prompt"] = tools.unwrapped.task.prompt
    found["tools"] = play(tools, ["I add. " + call(a=20, b=22) + call(a="x"), "It is 42."])
    found["no_tools"] = play(tools, ["It is 41."])
    found["half_a_call"] = play(tools, ['<tool_call>{"name": "add", </tool_call>'])
    found["endless"] = play(tools, [call(a=1)] * 9)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
