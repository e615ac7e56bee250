"""Run by the interpreter that has ``verifiers``: plays our environments through it, prints what came of it as JSON.

The model is an OpenAI endpoint on this machine, behind which a program answers: guesses by bisection, or what
``canned`` says.
"""

import asyncio
import contextlib
import io
import json
import runpy
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from openai import AsyncOpenAI

import rlvr_gym
from rlvr_gym.interop.prime import load_environment

CANNED: dict[str, str] = {}


def reply(messages: list[dict]) -> str:
    def text(message):
        content = message["content"]
        return content if isinstance(content, str) else "".join(part["text"] for part in content)

    texts = [text(m) for m in messages if m["role"] == "user"]
    if texts[0] in CANNED:
        return CANNED[texts[0]]
    low, high = 1, int(texts[0].partition("from 1 to ")[2].partition(".")[0])
    for said in texts[1:]:
        bound = int(said.rstrip(".").split()[-1])
        low, high = (bound + 1, high) if "higher" in said else (low, bound - 1)
    return f"<answer>{(low + high) // 2}</answer>"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = {"role": "assistant", "content": reply(asked["messages"])}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 0, "model": "m", "usage": usage,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def evaluate(env, port: int) -> list[dict]:
    from verifiers import OpenAIChatCompletionsClient  # noqa: TID251 - theirs

    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
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


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    found = {
        "guess": asyncio.run(evaluate(load_environment("GuessTheNumber", n=2, n_eval=4, difficulty=3), port))
    }

    found["example"] = example(f"http://127.0.0.1:{port}/v1")
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
        evaluate(load_environment("Countdown", n=1, n_eval=4, difficulty=2, reward=design), port)
    )
    found["expected"] = expected

    type(problem.make_verifier()).judge = lambda *_: 1 / 0
    found["failed"] = asyncio.run(
        evaluate(load_environment("Countdown", n=1, n_eval=4, difficulty=2, timeout=9.0), port)
    )
    server.shutdown()
    json.dump(found, sys.stdout)


main()
