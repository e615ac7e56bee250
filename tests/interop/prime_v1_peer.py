"""Run by the interpreter that has ``verifiers`` 0.4: evaluates our environments through it, prints what came of it as JSON.

``PYTHONPATH`` has the folder of the examples, one of which is the plug-in.
"""

import asyncio
import contextlib
import io
import json
import sys
import types
from importlib import import_module
from pathlib import Path

import verifiers.v1 as vf  # noqa: TID251 - theirs
from interop_endpoint import bisect, serve
from verifiers.v1.cli.eval.main import main as vf_eval  # noqa: TID251
from verifiers.v1.cli.eval.runner import run_eval  # noqa: TID251
from verifiers.v1.configs.cli.eval import EvalConfig  # noqa: TID251

import rlvr_gym
from rlvr_gym.interop import prime_v1

CANNED: dict[str, str] = {}
PLUGIN = "prime-taskset"


def reply(texts):
    return CANNED.get(texts[0]) or bisect(texts)


def evaluate(url, taskset, limit=4, **env):
    config = EvalConfig(
        env={"taskset": {"id": PLUGIN, **taskset}, **env}, client={"base_url": url}, model="m", push=False, rich=None,
        select={"limit": limit}, output_dir=Path("out"),
    )  # fmt: skip
    return [shown(episode.traces[0]) for episode in asyncio.run(run_eval(config))]


def shown(trace):
    return {
        "task": trace.task.data.idx,
        "reward": trace.reward,
        "correct": trace.metrics.get("correct"),
        "turns": trace.num_turns,
        "ok": trace.ok,
        "errors": [f"{error.type}: {error.message}" for error in trace.errors],
        "stop": trace.stop_condition,
        "roles": [message.role for message in trace.messages],
    }


def by_command(url):
    """The records that the command of examples/prime_taskset.py writes."""
    with contextlib.redirect_stdout(io.StringIO()):
        vf_eval([
            PLUGIN, "--env.taskset.env", "GuessTheNumber", "--env.taskset.settings", '{"difficulty": 2}', "-n", "3",
            "--no-push", "--no-rich", "-m", "m", "--client.base-url", url, "-o", "out", "--run.name", "command",
        ])  # fmt: skip
    lines = Path("out/command/traces.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        trace["rewards"]["rlvr_reward"]["score"] for line in lines for trace in json.loads(line)["traces"]
    ]


def countdown(problem, design):
    """What our own environment gives for right and wrong answers, which the endpoint will give, too."""
    source, expected = problem.source(5), []
    for i in range(4):
        task = source[i]
        right = f"<think>so</think><answer>{problem.answer_text(task)}</answer>"
        CANNED[task.prompt] = right if i % 2 else "<answer>1</answer>"
        gym = rlvr_gym.make("Countdown", difficulty=2, reward=design)
        gym.reset(seed=5, options={"index": i})
        expected.append(gym.step(CANNED[task.prompt])[1])
    return expected


def refused(**config):
    try:
        vf.load_environment(vf.resolve_env_config(config))
    except ValueError as error:
        return str(error)


def other_version():
    try:
        import_module("rlvr_gym.interop.prime")
    except ImportError as error:
        return str(error)


def main() -> None:
    url = serve(reply)
    guess = {"env": "GuessTheNumber", "settings": {"difficulty": 3}}
    found = {
        "guess": evaluate(url, {**guess, "template": "r1"}),
        "cut": evaluate(url, guess, agent={"max_turns": 1}),
        "command": by_command(url),
        "other": other_version(),
        "bounded": [
            vf.load_taskset(prime_v1.RLVRTasksetConfig(id=PLUGIN, **n)).bounded for n in ({"n": 3}, {})
        ],
    }
    design = {"correct": 2.0, "format_strict": 0.5}
    problem = rlvr_gym.load_problem("Countdown", difficulty=2)
    tasks = {"env": "Countdown", "settings": {"difficulty": 2}, "seed": 5, "reward": design}
    found["expected"] = countdown(problem, design)
    found["countdown"] = evaluate(url, tasks)
    alone = {"harness": {"id": PLUGIN}, "runtime": {"type": "subprocess"}}
    found["their_env"] = evaluate(url, tasks, id="single-agent", agent=alone)

    bare = types.ModuleType("bare_taskset")
    bare.__all__, bare.RLVREnv, bare.RLVRTaskset = (
        ["RLVREnv", "RLVRTaskset"],
        prime_v1.RLVREnv,
        prime_v1.RLVRTaskset,
    )
    sys.modules["bare_taskset"] = bare
    found["refused"] = {
        "no harness": refused(taskset={"id": "bare-taskset"}),
        "group": refused(taskset={"id": PLUGIN, "reward": "kimi"}),
        "settings": refused(taskset={"id": PLUGIN, "settings": {"difficulty": 99}}),
    }
    type(problem.make_verifier()).judge = lambda *_: 1 / 0
    found["failed"] = evaluate(url, tasks)
    print(json.dumps(found))


main()
