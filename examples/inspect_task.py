"""Our environments as tasks of Inspect AI, which brings its own models, logs and viewer.

pip install rlvr-gym inspect-ai
inspect eval examples/inspect_task.py@rlvr -T env=Countdown -T n=20 -T difficulty=2 --model openai/gpt-5-mini
"""

from inspect_ai import Task, task

from rlvr_gym.interop.inspect import environment


@task
def rlvr(env: str = "Countdown", n: int = 20, seed: int = 0, difficulty: int = 3) -> Task:
    """Tasks of an environment; of several turns where it has several."""
    return environment(env, n, seed, difficulty=difficulty)
