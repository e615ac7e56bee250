"""Run by the interpreter that has ``inspect-ai``: evaluates our environments through it, prints what came of it as JSON.

The model is an OpenAI endpoint on this machine, behind which a program answers: right, wrong, or by bisection.
"""

import json
import math
import sys
from pathlib import Path

from inspect_ai import eval as evaluate
from inspect_ai.model import get_model
from interop_endpoint import bisect, serve

import rlvr_gym
from rlvr_gym.interop.inspect import environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "inspect_task.py"


def model(reply):
    """A model that answers with ``reply(texts of the user)``."""
    return get_model("openai/m", base_url=serve(reply), api_key="none", responses_api=False, memoize=False)


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
    print(json.dumps(found))


main(sys.argv[1])
