"""Run by the interpreter that has ``verifiers``: plays our environments through it, prints what came of it as JSON.

The model is an OpenAI endpoint on this machine, behind which a program answers: guesses by bisection, or what
``canned`` says.
"""

import asyncio
import contextlib
import io
import json
import runpy
from importlib import import_module
from pathlib import Path

from interop_endpoint import bisect, serve
from openai import AsyncOpenAI

import rlvr_gym
from rlvr_gym.interop.prime import load_environment

CANNED: dict[str, str] = {}


def reply(texts: list[str]) -> str:
    return CANNED.get(texts[0]) or bisect(texts)


async def evaluate(env, url: str) -> list[dict]:
    from verifiers import OpenAIChatCompletionsClient  # noqa: TID251 - theirs

    client = AsyncOpenAI(base_url=url, api_key="none")
    wrapped = OpenAIChatCompletionsClient(client)
    results = await env.evaluate(wrapped, "m", num_examples=-1, rollouts_per_example=1)
    return [
        {
            "reward": row["reward"],
            "correct": row["metrics"]["correct"],
            "turns": row["metrics"]["num_turns"],
            "stop": row["stop_condition"],
            "error": bool(row.get("error")),
        }
        for row in results["outputs"]
    ]


def example(url: str) -> str:
    """What examples/prime_env.py prints."""
    path = Path(__file__).parents[2] / "examples" / "prime_env.py"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(path))["main"](url, "m")
    return printed.getvalue()


def other_version() -> str | None:
    try:
        import_module("rlvr_gym.interop.prime_v1")
    except ImportError as error:
        return str(error)


def main() -> None:
    url = serve(reply)
    found = {
        "guess": asyncio.run(evaluate(load_environment("GuessTheNumber", n=2, n_eval=4, difficulty=3), url)),
        "example": example(url),
        "other": other_version(),
    }
    design = {"correct": 2.0, "format_strict": 0.5}
    problem = rlvr_gym.load_problem("Countdown", difficulty=2)
    source = problem.source(2**31)
    expected = []
    for i in range(4):
        task = source[i]
        right = f"<think>so</think><answer>{problem.answer_text(task)}</answer>"
        CANNED[task.prompt] = right if i % 2 else "<answer>1</answer>"
        gym = rlvr_gym.make("Countdown", difficulty=2, reward=design)
        gym.reset(seed=2**31, options={"index": i})
        expected.append(gym.step(CANNED[task.prompt])[1])
    found["countdown"] = asyncio.run(
        evaluate(load_environment("Countdown", n=1, n_eval=4, difficulty=2, reward=design), url)
    )
    found["expected"] = expected

    type(problem.make_verifier()).judge = lambda *_: 1 / 0
    found["failed"] = asyncio.run(
        evaluate(load_environment("Countdown", n=1, n_eval=4, difficulty=2, timeout=9.0), url)
    )
    print(json.dumps(found))


main()
