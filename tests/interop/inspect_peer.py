"""Run by the interpreter that has ``inspect-ai``: evaluates our environments through it, prints what came of it as JSON.

The model is an OpenAI endpoint on this machine, behind which a program answers: right, wrong, or by bisection.
"""

import json
import math
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from inspect_ai import eval as evaluate
from inspect_ai.model import get_model

import rlvr_gym
from rlvr_gym.interop.inspect import environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "inspect_task.py"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = [m["content"] for m in asked["messages"] if m["role"] == "user"]
        texts = [t if isinstance(t, str) else "".join(part["text"] for part in t) for t in texts]
        message = {"role": "assistant", "content": self.server.reply(texts)}
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 0, "model": "m",
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def model(reply):
    """A model that answers with ``reply(texts of the user)``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.reply = reply
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    return get_model("openai/m", base_url=url, api_key="none", responses_api=False, memoize=False)


def run(task, reply, logs, **options):
    (log,) = evaluate(task, model=model(reply), log_dir=logs, display="none", **options)
    assert log.status == "success", log.error.message
    scores = [next(iter(sample.scores.values())) for sample in log.samples]
    return {
        "values": [None if math.isnan(score.value) else score.value for score in scores],
        "reasons": [score.reason for score in scores],
        "metrics": {name: metric.value for name, metric in log.results.scores[0].metrics.items()},
        "unscored": log.results.scores[0].unscored_samples,
        "turns": [sum(m.role == "assistant" for m in sample.messages) for sample in log.samples],
    }


def bisect(texts):
    low, high = 1, int(texts[0].partition("from 1 to ")[2].partition(".")[0])
    for said in texts[1:]:
        bound = int(said.rstrip(".").split()[-1])
        low, high = (bound + 1, high) if "higher" in said else (low, bound - 1)
    return f"<answer>{(low + high) // 2}</answer>"


def main(logs):
    problem = rlvr_gym.load_problem("Countdown", difficulty=2)
    source = problem.source(0)
    right = {source[i].prompt: f"<answer>{problem.answer_text(source[i])}</answer>" for i in (0, 2, 3)}

    def three_of_four(texts):
        return right.get(texts[-1], "<answer>1</answer>")

    found = {"countdown": run(environment("Countdown", 4, difficulty=2), three_of_four, logs)}
    found["guess"] = run(environment("GuessTheNumber", 3, difficulty=3), bisect, logs)
    task = f"{EXAMPLE}@rlvr"
    found["example"] = run(task, three_of_four, logs, task_args={"env": "Countdown", "n": 4, "difficulty": 2})
    judge = type(problem.make_verifier()).judge
    broken = source[0].prompt

    def failing(self, completion, task):
        if task.prompt == broken:
            raise RuntimeError("broken")
        return judge(self, completion, task)

    type(problem.make_verifier()).judge = failing
    found["failed"] = run(environment("Countdown", 4, difficulty=2), three_of_four, logs)
    json.dump(found, sys.stdout)


main(sys.argv[1])
